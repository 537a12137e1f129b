"""Addresses that answers and bounces come back to, and how our mail server proves that it is the one who hands them over.

An address names the mail that it belongs to and is signed (HMAC-SHA-256, RFC 2104, cut to 10 bytes), so nobody can make
up a bounce. It is written in base32, since some mail servers change upper case to lower.
"""

import hmac
from base64 import b32decode, b32encode
from binascii import Error as Base32Error
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from penguinmails.platform_secrets import current_key, key_versions
from penguinmails.settings import get_settings

FRESH_SECONDS = 300
_PREFIX = "reply+"
_SIGNATURE_BYTES = 10
_BYTES = 1 + 16 + _SIGNATURE_BYTES


def reply_address(email_id: UUID) -> str | None:
    """Where answers to a mail, and reports of its bounces, come in; None where no domain takes them."""
    domain = get_settings().reply_domain
    if not domain:
        return None
    version, key = current_key("link_keys")
    body = bytes([version]) + email_id.bytes
    token = b32encode(body + _signature(key, body)).decode().rstrip("=").lower()
    return f"{_PREFIX}{token}@{domain}"


def mail_of(address: str) -> UUID | None:
    """The mail that an address of ours belongs to; None for any other address."""
    name, _, domain = address.strip().lower().rpartition("@")
    token = name.removeprefix(_PREFIX)
    if token == name or domain != get_settings().reply_domain:
        return None
    try:
        raw = b32decode(token.upper().encode("ascii") + b"=" * (-len(token) % 8))
    except (Base32Error, ValueError):
        return None
    body, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    key = key_versions("link_keys").get(body[0]) if len(raw) == _BYTES else None
    if key is None or not hmac.compare_digest(signature, _signature(key, body)):
        return None
    return UUID(bytes=body[1:])


def relay_key(link_key: bytes) -> bytes:
    """What the mail server signs with: made of a link key, which it does not disclose."""
    return hmac.digest(link_key, b"relay\0", sha256)


def sign_relayed(key: bytes, version: int, *, timestamp: str, sender: str, recipient: str, content: bytes) -> str:
    """The signature of a mail and its envelope, as `version:hex`."""
    signed = f"{timestamp}\n{sender}\n{recipient}\n".encode("utf-8", "replace") + content
    return f"{version}:{hmac.digest(key, signed, sha256).hex()}"


def is_relayed_by_us(
    signature: str, *, timestamp: str, sender: str, recipient: str, content: bytes, now: datetime
) -> bool:
    """Whether the mail server signed a mail and its envelope less than five minutes ago."""
    version = signature.partition(":")[0]
    keys = key_versions("link_keys")
    if not version.isascii() or not version.isdecimal() or len(version) > 3 or int(version) not in keys:
        return False
    expected = sign_relayed(
        relay_key(keys[int(version)]),
        int(version),
        timestamp=timestamp,
        sender=sender,
        recipient=recipient,
        content=content,
    )
    if not signature.isascii() or not hmac.compare_digest(signature, expected):
        return False
    return timestamp.isdecimal() and abs(now.timestamp() - float(timestamp[:15])) <= FRESH_SECONDS


def _signature(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"reply\0" + body, sha256)[:_SIGNATURE_BYTES]
