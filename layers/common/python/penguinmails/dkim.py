"""Signs mail for the domain that it comes from (DKIM, RFC 6376): rsa-sha256, both parts canonicalised as `relaxed`.

Signed here rather than by dkimpy, which computes RSA in Python: OpenSSL takes 1 ms for a key of 2,048 bits, a tenth of that
time. The tests verify with dkimpy.
"""

import re
import time
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from typing import Any

SIGNED = (
    "from", "to", "subject", "date", "message-id", "reply-to", "cc", "mime-version", "content-type",
    "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
"""Headers that may not be changed; those that are absent may not be added either (RFC 6376, section 5.4.2).

RFC 8058, section 4, demands that the two about unsubscribing are among them.
"""
_LINE_END = b"\r\n"


def signature_header(content: bytes, *, domain: str, selector: str, private_key: str) -> bytes:
    """The DKIM-Signature header, to be put before `content`, a message with CRLF line ends.

    `private_key` is an RSA key as PEM. Raises ValueError for a message without a header.
    """
    head, separator, body = content.partition(b"\r\n\r\n")
    if not separator:
        raise ValueError("the message has no end of its headers")
    headers = _by_name(head)
    names = [name for name in SIGNED if name in headers] + list(SIGNED)
    tags = (
        f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={selector}; t={int(time.time())};\r\n"
        f" h={_folded(names)};\r\n bh={_text(sha256(_canonical_body(body)).digest())};\r\n b="
    )
    covered = [headers[name][-1] for name in SIGNED if name in headers]
    unsigned = f"DKIM-Signature: {tags}".encode("ascii")
    signed = b"".join(_canonical_header(header) + b"\r\n" for header in covered) + _canonical_header(unsigned)
    return unsigned + _wrapped(_text(_sign(private_key, signed))).encode("ascii") + b"\r\n"


def _by_name(head: bytes) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for header in re.split(rb"\r\n(?![ \t])", head):
        name = header.partition(b":")[0].strip().lower().decode("ascii", "replace")
        found.setdefault(name, []).append(header)
    return found


def _canonical_header(header: bytes) -> bytes:
    """RFC 6376, section 3.4.2. Line ends within a header are folds, as it was split at the others."""
    name, _, value = header.partition(b":")
    return name.strip().lower() + b":" + _single_spaced(value.replace(_LINE_END, b"")).strip()


def _canonical_body(body: bytes) -> bytes:
    """RFC 6376, section 3.4.4."""
    body = body if body.endswith(_LINE_END) or not body else body + _LINE_END
    body = _single_spaced(body).replace(b" \r\n", _LINE_END)
    end = len(body)
    while body.endswith(_LINE_END, 0, end):
        end -= len(_LINE_END)
    return body[:end] + _LINE_END if end else b""


def _single_spaced(text: bytes) -> bytes:
    """By replacing, which takes a twentieth of the time that regular expressions do."""
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _folded(names: list[str]) -> str:
    lines = [":".join(names[start : start + 6]) for start in range(0, len(names), 6)]
    return ":\r\n  ".join(lines)


def _wrapped(text: str) -> str:
    return "\r\n  ".join(text[start : start + 72] for start in range(0, len(text), 72))


def _text(content: bytes) -> str:
    return b64encode(content).decode("ascii")


def _sign(private_key: str, content: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return _loaded(private_key).sign(content, padding.PKCS1v15(), hashes.SHA256())


@lru_cache(maxsize=256)
def _loaded(private_key: str) -> Any:
    """Reading and checking a key takes far longer than signing with it."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(private_key.encode("ascii"), password=None)
