"""Links in mails that lead to us: the open pixel, the redirect of a click, and the end of a subscription.

A link says which mail it belongs to and is signed (HMAC-SHA-256, RFC 2104, cut to 16 bytes) together with what it is for
and, for a click, with where it leads; so nobody can make one, or have one lead elsewhere. It names the version of its key.
Old versions are kept for good: mails are read years later.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from urllib.parse import quote
from uuid import UUID

from penguinmails.db import Mode
from penguinmails.platform_secrets import current_key, key_versions
from penguinmails.settings import get_settings

LinkKind = Literal["open", "click", "unsubscribe"]
_PATHS: dict[LinkKind, str] = {"open": "o", "click": "c", "unsubscribe": "u"}
_MODES: tuple[Mode, ...] = ("live", "test")
_SIGNATURE_BYTES = 16
_BYTES = 2 + 16 + 16 + _SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class TrackedMail:
    """The mail that a link belongs to."""

    tenant_id: UUID
    mode: Mode
    email_id: UUID


def link(kind: LinkKind, mail: TrackedMail, target: str = "") -> str:
    """The address of the pixel, redirect or unsubscribe page of a mail; a click's leads to `target`."""
    version, key = current_key("link_keys")
    body = bytes([version, _MODES.index(mail.mode)]) + mail.tenant_id.bytes + mail.email_id.bytes
    token = urlsafe_b64encode(body + _signature(key, kind, body, target)).decode().rstrip("=")
    address = f"{get_settings().tracking_url}/t/{_PATHS[kind]}/{token}"
    return f"{address}?u={quote(target, safe='')}" if kind == "click" else address


def read(kind: LinkKind, token: str, target: str = "") -> TrackedMail | None:
    """The mail of a link of ours; None for anything else."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"==")
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _BYTES:
        return None
    body, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    key = key_versions("link_keys").get(body[0])
    if key is None or not hmac.compare_digest(signature, _signature(key, kind, body, target)):
        return None
    return TrackedMail(UUID(bytes=body[2:18]), _MODES[body[1]], UUID(bytes=body[18:34]))


def _signature(key: bytes, kind: LinkKind, body: bytes, target: str) -> bytes:
    message = kind.encode() + b"\0" + body + target.encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, sha256)[:_SIGNATURE_BYTES]
