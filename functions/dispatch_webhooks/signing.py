"""The secrets that webhooks sign with, kept in memory for five minutes so that deliveries go on while Vault is away."""

import time

from penguinmails.vault import read_secret

_LIFE_SECONDS = 300
_secrets: dict[str, tuple[float, str]] = {}


def signing_secret(reference: str) -> str:
    """The secret under a path in Vault. Raises LookupError when there is none, VaultUnavailable without an answer."""
    known = _secrets.get(reference)
    if known is not None and known[0] > time.monotonic():
        return known[1]
    secret = read_secret(reference)
    if secret is None:
        raise LookupError("the webhook has no secret in Vault")
    _secrets[reference] = (time.monotonic() + _LIFE_SECONDS, secret.data["secret"])
    return secret.data["secret"]
