"""Requests to Vault: login, time-outs, retries and the circuit. The only module that knows hvac, loaded on first use.

A service account logs in by AppRole (https://developer.hashicorp.com/vault/api-docs/auth/approle) or by its AWS role
(https://developer.hashicorp.com/vault/api-docs/auth/aws). Nothing raised or logged here carries a secret or a token.
"""

import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import SystemRandom
from typing import Any
from urllib.parse import urlsplit

from penguinmails.circuit import Circuit
from penguinmails.errors import ServiceUnavailable
from penguinmails.logging import count, logger
from penguinmails.settings import ConfigurationError, get_settings

_TIMEOUT_SECONDS = 2
_RETRIES = 2
_OPENS_AFTER_FAILURES = 5
_OPEN_SECONDS = 30
_RENEW_BEFORE_EXPIRY_SECONDS = 60


class VaultUnavailable(ServiceUnavailable):
    """Vault cannot be reached, or could not a moment ago."""


class VaultIsSealed(VaultUnavailable):
    """Vault answers, but sealed: an operator has to act. Staff routes tell it as `errors.VaultSealed`."""


class VaultRefused(Exception):
    """Vault understood and said no: a policy, a path or a ciphertext is wrong. Trying again changes nothing."""

    def __init__(self, purpose: str, reason: str, *, was_repeated: bool) -> None:
        """`was_repeated`: the answer to an earlier try was lost, so Vault may have done what it refuses now."""
        super().__init__(f"Vault refused to {purpose}: {reason}. Check the path and the service account's policy.")
        self.reason = reason
        self.was_repeated = was_repeated


class NothingThere(VaultRefused):
    """The engine is there, but has nothing under this name."""


@dataclass(slots=True)
class _Session:
    """A client with a token that is good until `renew_at` (monotonic seconds)."""

    client: Any = field(repr=False)
    renew_at: float


_session: _Session | None = None
_circuit = Circuit(_OPENS_AFTER_FAILURES, _OPEN_SECONDS)
_last_failure: type[VaultUnavailable] = VaultUnavailable


def forget_session() -> None:
    """Drop the cached token and the circuit's memory, for tests and for a restored snapshot."""
    global _session  # noqa: PLW0603
    _session = None
    _circuit.succeeded()
    _anonymous_client.cache_clear()


def ask(
    purpose: str, method: str, path: str, *, body: dict[str, Any] | None = None, query: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Vault's answer to a request below `/v1/`; empty when it has no content. `purpose` completes "Vault refused to ...".

    A request may reach Vault up to three times. Raises VaultUnavailable (VaultIsSealed), NothingThere, VaultRefused.
    """
    global _session
    import hvac.exceptions
    import requests

    if _circuit.seconds_until_retry:
        raise _unavailable(_last_failure)
    retries = 0 if _circuit.is_on_probation else _RETRIES
    has_new_token = False
    failures = 0
    while True:
        try:
            answer = _send(_client(), method, path, body, query)
        except hvac.exceptions.Forbidden as error:
            _circuit.succeeded()
            if has_new_token:
                raise _refused(purpose, error, was_repeated=failures > 0) from None
            # Vault says the same of a token that is over and of a path that is closed: a new token tells which.
            _session, has_new_token = None, True
        except (hvac.exceptions.InvalidRequest, hvac.exceptions.InvalidPath) as error:
            _circuit.succeeded()
            raise _refused(purpose, error, was_repeated=failures > 0) from None
        except (requests.RequestException, hvac.exceptions.VaultError) as error:
            failures += 1
            if failures > retries:
                kind = VaultIsSealed if _says_sealed(error) else VaultUnavailable
                logger.warning("vault did not serve", extra={"purpose": purpose, "reason": type(error).__name__})
                _failed(kind)
                raise _unavailable(kind) from None
            time.sleep(SystemRandom().uniform(0.02, 0.1) * failures)
        else:
            _circuit.succeeded()
            return answer


def ask_for_health() -> dict[str, Any]:
    """The document of `sys/health`, past the circuit and without a login; raises VaultUnavailable without an answer."""
    import requests

    try:
        # Any state but "active" comes with a status of its own, for which hvac hands out the response as it is.
        answer = _anonymous_client().adapter.get("/v1/sys/health", raise_exception=False)
        return answer.json() if isinstance(answer, requests.Response) else answer
    except requests.RequestException:
        raise _unavailable(VaultUnavailable) from None


def _send(
    client: Any, method: str, path: str, body: dict[str, Any] | None, query: dict[str, Any] | None
) -> dict[str, Any]:
    import hvac.exceptions

    answer = client.adapter.request(method, f"/v1/{path}", json=body, params=query)
    if isinstance(answer, dict):
        return answer
    if answer.status_code == 204:
        return {}
    raise hvac.exceptions.UnexpectedError("the answer is not Vault's")


def _client() -> Any:
    global _session  # noqa: PLW0603
    import hvac.exceptions

    if _session is None or time.monotonic() >= _session.renew_at:
        try:
            _session = _log_in()
        except (hvac.exceptions.InvalidRequest, hvac.exceptions.Forbidden) as error:
            # An expired secret id is not the caller's fault; a new one makes the same request work. Vault's own words
            # stay out of the log: for AWS they may quote the signed request.
            logger.error("vault refused the login; check role and secret id", extra={"reason": type(error).__name__})
            _failed(VaultUnavailable)
            raise _unavailable(VaultUnavailable) from None
    return _session.client


def _log_in() -> _Session:
    settings, client = get_settings(), _anonymous_client()
    mount = settings.vault_auth_mount or settings.vault_auth_method
    if settings.vault_auth_method == "approle":
        credentials = {"role_id": settings.vault_role_id, "secret_id": _secret_id(settings.vault_secret_id_file)}
    else:
        from penguinmails.aws import sign_caller_identity

        # Signing Vault's own name keeps a request that another server has seen from being used here.
        server = urlsplit(settings.vault_addr).hostname or ""
        credentials = {"role": settings.vault_role, **sign_caller_identity(server)}
    answer = _send(client, "post", f"auth/{mount}/login", credentials, None)["auth"]
    lease: int = answer["lease_duration"]
    own = _new_client(answer["client_token"], client.session)
    return _Session(own, time.monotonic() + max(lease - _RENEW_BEFORE_EXPIRY_SECONDS, lease / 2))


def _secret_id(file: str) -> str:
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise ConfigurationError(
            f"The file that VAULT_SECRET_ID_FILE names cannot be read ({type(error).__name__}); "
            "set it to the file that holds the service account's secret id."
        ) from None


@lru_cache(maxsize=1)
def _anonymous_client() -> Any:
    import requests

    if not get_settings().vault_addr:
        raise ConfigurationError("Set VAULT_ADDR to the address of Vault.")
    # Proxies and .netrc of the environment are not ours to trust with secrets.
    connection = requests.Session()
    connection.trust_env = False
    return _new_client("", connection)


def _new_client(token: str, connection: Any) -> Any:
    import hvac

    settings = get_settings()
    # An empty token is not the same as none: hvac would take VAULT_TOKEN or ~/.vault-token for none.
    return hvac.Client(
        url=settings.vault_addr,
        namespace=settings.vault_namespace or None,
        timeout=_TIMEOUT_SECONDS,
        session=connection,
        token=token,
    )


def _says_sealed(error: Exception) -> bool:
    return any("sealed" in text for text in getattr(error, "errors", None) or [])


def _failed(kind: type[VaultUnavailable]) -> None:
    global _last_failure  # noqa: PLW0603
    _last_failure = kind
    _circuit.failed()
    count("vault_unavailable_total")


def _refused(purpose: str, error: Any, *, was_repeated: bool) -> VaultRefused:
    import hvac.exceptions

    reasons: list[str] = error.errors or []
    # An engine that has nothing gives no reason; a path without an engine does.
    kind = NothingThere if isinstance(error, hvac.exceptions.InvalidPath) and not reasons else VaultRefused
    return kind(purpose, " ".join(", ".join(reasons).split()) or "no reason given", was_repeated=was_repeated)


def _unavailable(kind: type[VaultUnavailable]) -> VaultUnavailable:
    return kind.retry_in(
        _OPEN_SECONDS, "The secret store cannot be reached right now. Nothing was changed; try again in half a minute."
    )
