"""bcrypt, for API keys and for people's passwords."""

import bcrypt

from penguinmails.settings import get_settings

MAX_BYTES = 72
"""bcrypt reads no further (https://www.usenix.org/legacy/events/usenix99/provos/provos.pdf); longer input is refused."""


def hash_secret(secret: str) -> str:
    """The bcrypt hash of a secret of at most 72 bytes; about 230 ms at cost 12."""
    encoded = secret.encode()
    if len(encoded) > MAX_BYTES:
        raise ValueError(f"bcrypt reads {MAX_BYTES} bytes, the secret has {len(encoded)}")
    return bcrypt.hashpw(encoded, bcrypt.gensalt(get_settings().bcrypt_rounds)).decode()


def matches(secret: str, hashed: str) -> bool:
    """Whether the secret has this hash; as slow as hashing, by design."""
    encoded = secret.encode()
    return len(encoded) <= MAX_BYTES and bcrypt.checkpw(encoded, hashed.encode())
