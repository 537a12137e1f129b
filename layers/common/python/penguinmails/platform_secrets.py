"""The keys that the platform itself owns: peppers, signing and proof keys, each versioned so that it can be rotated.

They reach a function wrapped by KMS (`PLATFORM_SECRETS_WRAPPED`), so that a cold environment can verify API keys and
sessions while Vault is down. On one machine they come from a file that only its owner can read. The document is
`{"digest_peppers": {"1": "<base64, 32 bytes>"}, "session_keys": {...}, ...}`; the highest version is the current one.
"""

import hmac
import json
from base64 import b64decode
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Literal

from penguinmails.settings import ConfigurationError, get_settings

Purpose = Literal[
    "digest_peppers", "session_keys", "cursor_keys", "idempotency_keys", "proof_keys", "totp_keys", "link_keys"
]
PURPOSES: tuple[Purpose, ...] = (
    "digest_peppers", "session_keys", "cursor_keys", "idempotency_keys", "proof_keys", "totp_keys",
    "link_keys",
)  # fmt: skip
_KEY_BYTES = 32


@lru_cache(maxsize=1)
def _document() -> dict[str, dict[int, bytes]]:
    settings = get_settings()
    if settings.platform_secrets_wrapped:
        from penguinmails.aws import decrypt_with_kms

        text = decrypt_with_kms(b64decode(settings.platform_secrets_wrapped)).decode()
    elif settings.platform_secrets_file:
        text = Path(settings.platform_secrets_file).read_text()
    else:
        raise ConfigurationError("Set PLATFORM_SECRETS_WRAPPED to the KMS ciphertext of the platform secrets.")
    document = {
        purpose: {int(version): b64decode(key) for version, key in versions.items()}
        for purpose, versions in json.loads(text).items()
    }
    for purpose in PURPOSES:
        versions = document.get(purpose)
        if not versions or any(len(key) < _KEY_BYTES for key in versions.values()):
            raise ConfigurationError(f"The platform secrets lack a key of {_KEY_BYTES} bytes for {purpose}.")
    return document


def key_versions(purpose: Purpose) -> dict[int, bytes]:
    """All versions that are still accepted, newest last."""
    return dict(sorted(_document()[purpose].items()))


def current_key(purpose: Purpose) -> tuple[int, bytes]:
    """The version that new values are made with, and its key."""
    versions = _document()[purpose]
    newest = max(versions)
    return newest, versions[newest]


def keyed_digest(purpose: Purpose, message: bytes, version: int | None = None) -> bytes:
    """HMAC-SHA-256 (RFC 2104) under the current key of a purpose, or under the version named."""
    key = current_key(purpose)[1] if version is None else _document()[purpose][version]
    return hmac.digest(key, message, sha256)
