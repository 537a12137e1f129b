"""HashiCorp Vault: the only module that knows hvac, which it loads on first use.

Secrets are records in a KV version 2 engine (https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2). Writes use
check-and-set, so two writers cannot overwrite each other unseen. Nothing raised here carries a secret or a token.
"""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from penguinmails.errors import Conflict, ServiceUnavailable
from penguinmails.logging import count
from penguinmails.settings import ConfigurationError, get_settings

Result = TypeVar("Result")

_TIMEOUT_SECONDS = 2
_RETRIES = 2
_OPENS_AFTER_FAILURES = 5
_OPEN_SECONDS = 30
_RENEW_BEFORE_EXPIRY_SECONDS = 60
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")


class VaultUnavailable(ServiceUnavailable):
    """Vault is sealed, unreachable, or was so a moment ago."""


class SecretVersionConflict(Conflict):
    """Somebody else wrote the secret since it was read."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One version of a record. Its content stays out of logs and error texts."""

    data: dict[str, Any] = field(repr=False)
    version: int


def secret_path(*segments: str) -> str:
    """A path below the KV mount; raises ValueError for a segment that could lead elsewhere."""
    for segment in segments:
        if not _SEGMENT.fullmatch(segment) or segment in {".", ".."}:
            raise ValueError("a path segment may hold letters, digits, '.', '_' and '-' only")
    return "/".join(segments)


@dataclass(slots=True)
class _Circuit:
    """Spares callers the time-outs while Vault is known to be away; one call tries again after half a minute."""

    failures: int = 0
    opened_at: float = 0.0

    def refuse_while_open(self) -> None:
        if self.failures >= _OPENS_AFTER_FAILURES and time.monotonic() - self.opened_at < _OPEN_SECONDS:
            raise _unavailable()

    def failed(self) -> None:
        self.failures += 1
        self.opened_at = time.monotonic()

    def succeeded(self) -> None:
        self.failures = 0


_circuit = _Circuit()


@dataclass(slots=True)
class _Session:
    """A client with a token that is good until `renew_at` (monotonic seconds)."""

    client: Any = field(repr=False)
    renew_at: float


_session: _Session | None = None


def read_secret(path: str, *, version: int | None = None) -> Secret | None:
    """The latest or the named version of a record; None when there is none. Raises VaultUnavailable."""
    import hvac.exceptions

    def read(client: Any) -> Secret | None:
        try:
            answer = client.secrets.kv.v2.read_secret_version(
                path, version=version, mount_point=get_settings().vault_kv_mount, raise_on_deleted_version=True
            )
        except hvac.exceptions.InvalidPath:
            return None
        return Secret(answer["data"]["data"], answer["data"]["metadata"]["version"])

    return _call(read)


def write_secret(path: str, data: dict[str, Any], *, expected_version: int) -> int:
    """Write the next version and return its number; `expected_version` is the present one, 0 when there is none.

    Raises SecretVersionConflict when another version is there, VaultUnavailable when Vault cannot be reached.
    """
    import hvac.exceptions

    def write(client: Any) -> int:
        try:
            answer = client.secrets.kv.v2.create_or_update_secret(
                path, data, cas=expected_version, mount_point=get_settings().vault_kv_mount
            )
        except hvac.exceptions.InvalidRequest as error:
            if "check-and-set" in str(error):
                raise SecretVersionConflict("The secret was changed meanwhile. Read it again and retry.") from None
            raise
        return answer["data"]["version"]

    return _call(write)


def delete_secret(path: str) -> None:
    """Remove a record with all its versions; nothing happens when there is none. Raises VaultUnavailable."""

    def delete(client: Any) -> None:
        client.secrets.kv.v2.delete_metadata_and_all_versions(path, mount_point=get_settings().vault_kv_mount)

    _call(delete)


def annotate_secret(path: str, facts: dict[str, str]) -> None:
    """Set what is known about a record without making a new version of it. Raises VaultUnavailable.

    At most 64 facts of 512 bytes (custom metadata of KV version 2).
    """

    def annotate(client: Any) -> None:
        client.secrets.kv.v2.update_metadata(path, custom_metadata=facts, mount_point=get_settings().vault_kv_mount)

    _call(annotate)


def is_ready() -> bool:
    """Whether Vault answers and is unsealed."""
    try:
        return not _anonymous_client().sys.is_sealed()
    except Exception:  # whatever keeps us from knowing means that it is not ready
        return False


def forget_session() -> None:
    """Drop the cached token and the circuit's memory, for tests and for a restored snapshot."""
    global _session  # noqa: PLW0603
    _session = None
    _circuit.succeeded()
    _anonymous_client.cache_clear()


@lru_cache(maxsize=1)
def _anonymous_client() -> Any:
    import hvac
    import requests

    settings = get_settings()
    if not settings.vault_addr:
        raise ConfigurationError("Set VAULT_ADDR to the address of Vault.")
    # Proxies named in the environment are not ours to trust with secrets.
    connection = requests.Session()
    connection.trust_env = False
    return hvac.Client(
        url=settings.vault_addr,
        namespace=settings.vault_namespace or None,
        timeout=_TIMEOUT_SECONDS,
        session=connection,
    )


def _log_in() -> _Session:
    import hvac

    settings, client = get_settings(), _anonymous_client()
    if settings.vault_auth_method == "approle":
        answer = client.auth.approle.login(
            role_id=settings.vault_role_id,
            secret_id=Path(settings.vault_secret_id_file).read_text().strip(),
            use_token=False,
            mount_point=settings.vault_auth_mount or "approle",
        )
    else:
        from penguinmails.aws import frozen_credentials

        credentials = frozen_credentials()
        answer = client.auth.aws.iam_login(
            credentials.access_key,
            credentials.secret_key,
            credentials.token,
            role=settings.vault_role,
            use_token=False,
            mount_point=settings.vault_auth_mount or "aws",
        )
    own = hvac.Client(
        url=settings.vault_addr,
        namespace=settings.vault_namespace or None,
        timeout=_TIMEOUT_SECONDS,
        session=client.session,
        token=answer["auth"]["client_token"],
    )
    lease: int = answer["auth"]["lease_duration"]
    return _Session(own, time.monotonic() + max(lease - _RENEW_BEFORE_EXPIRY_SECONDS, lease / 2))


def _client() -> Any:
    global _session  # noqa: PLW0603
    if _session is None or time.monotonic() >= _session.renew_at:
        _session = _log_in()
    return _session.client


def _call(operation: Callable[[Any], Result]) -> Result:
    """Run an operation with retries and the circuit; a refused token is replaced once."""
    global _session
    import hvac.exceptions
    import requests

    _circuit.refuse_while_open()
    has_new_token = False
    attempt = 0
    while True:
        try:
            result = operation(_client())
        except hvac.exceptions.Forbidden:
            if has_new_token:
                raise
            _session, has_new_token = None, True
        except (requests.RequestException, hvac.exceptions.VaultDown, hvac.exceptions.VaultError, OSError) as error:
            if _is_refusal(error):
                raise
            attempt += 1
            if attempt > _RETRIES:
                _circuit.failed()
                count("vault_unavailable_total")
                raise _unavailable() from None
            time.sleep(random.uniform(0.02, 0.1) * attempt)  # noqa: S311 - spreads retries, keeps no secret
        else:
            _circuit.succeeded()
            return result


def _is_refusal(error: Exception) -> bool:
    """Vault answered and said no: asking again would change nothing."""
    import hvac.exceptions

    refusals = (
        hvac.exceptions.InvalidRequest,
        hvac.exceptions.InvalidPath,
        hvac.exceptions.Unauthorized,
        hvac.exceptions.UnsupportedOperation,
        hvac.exceptions.ParamValidationError,
    )
    return isinstance(error, refusals)


def _unavailable() -> VaultUnavailable:
    return VaultUnavailable.retry_in(
        _OPEN_SECONDS, "The secret store cannot be reached right now. Nothing was changed; try again in half a minute."
    )
