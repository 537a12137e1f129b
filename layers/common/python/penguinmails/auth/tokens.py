"""Random tokens that are shown once and kept as a hash: refresh, CSRF, step-up and link tokens."""

import hmac
import secrets
from hashlib import sha256

_BYTES = 32


def new_token() -> str:
    """256 random bits in URL-safe text."""
    return secrets.token_urlsafe(_BYTES)


def token_hash(token: str) -> bytes:
    """What is stored of a token; a plain hash will do, since 256 random bits cannot be guessed."""
    return sha256(token.encode()).digest()


def token_matches(token: str | None, stored: bytes) -> bool:
    """Whether a presented token is the one that was stored."""
    return token is not None and hmac.compare_digest(token_hash(token), stored)
