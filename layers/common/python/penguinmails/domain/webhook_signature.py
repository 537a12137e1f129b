"""Signatures of webhook posts: our own header, and the Standard Webhooks triple beside it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from secrets import token_bytes

SECRET_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64, as Standard Webhooks libraries expect."""
    return SECRET_PREFIX + b64encode(token_bytes(_SECRET_BYTES)).decode()


def signature_headers(secrets: Sequence[str], *, event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that prove who sent `body`; `timestamp` is epoch seconds of this attempt.

    X-PenguinMails-Signature uses the whole secret string as its key, the Standard Webhooks form the decoded bytes. During
    an overlap there is a signature per secret: separated by commas in the first, by spaces in the other.
    """
    signed = f"{event_id}.{timestamp}.".encode() + body
    return {
        "X-PenguinMails-Signature": ",".join(_own_signature(secret, body) for secret in secrets),
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_standard_signature(secret, signed) for secret in secrets),
    }


def _own_signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()


def _standard_signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + b64encode(hmac.digest(key, signed, sha256)).decode()
