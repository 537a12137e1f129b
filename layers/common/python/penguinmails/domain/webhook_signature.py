"""Signatures of webhook posts: our own header, and the Standard Webhooks triple beside it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from hashlib import sha256

SECRET_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64, as Standard Webhooks libraries expect."""
    return SECRET_PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature_headers(secret: str, *, event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that prove who sent `body`; `timestamp` is epoch seconds of this attempt.

    X-PenguinMails-Signature uses the whole secret string as its key, the Standard Webhooks form the decoded bytes.
    """
    own = hmac.new(secret.encode(), body, sha256).hexdigest()
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    standard = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, sha256)
    return {
        "X-PenguinMails-Signature": f"sha256={own}",
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{b64encode(standard).decode()}",
    }
