"""Writes a mail as bytes, for many mails that have much in common (RFC 5322, RFC 2045).

The standard library takes more than a millisecond for one multipart message. Here only what differs is written anew:
headers and bodies that repeat are encoded once, and what is plain ASCII is not encoded at all.
"""

import re
from binascii import b2a_qp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.headerregistry import HeaderRegistry
from email.policy import SMTP
from email.utils import parseaddr
from functools import lru_cache
from typing import Any, cast
from uuid import uuid4

_LONGEST_LINE = 990
_SHORT_HEADER = 70
_LINE_END = re.compile(rb"\r\n|\r|\n")
_PLAIN_SUBJECT = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9.+_-]+@[A-Za-z0-9.-]+")
_OF_ADDRESSES = {"From", "To", "Reply-To"}
_INTERNATIONAL = SMTP.clone(utf8=True)
"""For addresses that have no ASCII form (RFC 6532)."""
_registry = HeaderRegistry()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    file_name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """One message to one recipient; `message_id` includes its angle brackets."""

    message_id: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str | None = None
    reply_to: str | None = None
    return_path: str | None = None
    """Where a mail server reports that it could not deliver; the sender's address when it is None."""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    attachments: Sequence[Attachment] = ()
    plain_headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers of ASCII that are written as they stand."""


def compose(mail: OutgoingMail, date: str) -> bytes:
    """A message without files and with CRLF line ends; `date` as RFC 5322 has it.

    `headers` are encoded as they need it, and kept, since many mails share them; for `plain_headers` see `plain_lines`.

    Raises ValueError for a header that cannot be written.
    """
    lines = [
        f"Message-ID: {mail.message_id}\r\nDate: {date}\r\n".encode("ascii"),
        _repeated("From", mail.sender),
        _recipient(mail.recipient),
        _subject(mail.subject),
    ]
    if mail.reply_to:
        lines.append(_repeated("Reply-To", mail.reply_to))
    lines += [_repeated(name, value) for name, value in mail.headers.items()]
    lines += [plain_lines(mail.plain_headers), b"MIME-Version: 1.0\r\n"]
    if mail.html is None:
        lines += _part("plain", mail.text)
    else:
        boundary = f"=_{uuid4().hex}".encode()
        lines.append(b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n')
        for kind, body in (("plain", mail.text), ("html", mail.html)):
            lines += [b"\r\n--", boundary, b"\r\n", *_part(kind, body)]
        lines += [b"\r\n--", boundary, b"--\r\n"]
    return b"".join(lines)


def plain_lines(headers: Mapping[str, str]) -> bytes:
    """Headers of ASCII, each in one line as it stands: the standard library would take long addresses of the web apart.

    Raises ValueError for what does not fit in a line (RFC 5322, section 2.1.1) or is not ASCII.
    """
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable() or len(name) + len(value) > _LONGEST_LINE:
            raise ValueError(f"the header {name} cannot be written in one line of ASCII")
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")


def _recipient(address: str) -> bytes:
    if len(address) <= _SHORT_HEADER and _PLAIN_ADDRESS.fullmatch(address):
        return f"To: {address}\r\n".encode("ascii")
    return _header("To", address)


def _subject(subject: str) -> bytes:
    if len(subject) <= _SHORT_HEADER and _PLAIN_SUBJECT.fullmatch(subject) and "=?" not in subject:
        return f"Subject: {subject}\r\n".encode("ascii")
    return _header("Subject", subject)


@lru_cache(maxsize=256)
def _repeated(name: str, value: str) -> bytes:
    return _header(name, value)


def _header(name: str, value: str) -> bytes:
    """One header as the standard library encodes and folds it."""
    if "\n" in value or "\r" in value:
        raise ValueError(f"the header {name} holds a newline")
    is_international = name in _OF_ADDRESSES and not parseaddr(value)[1].isascii()
    policy = _INTERNATIONAL if is_international else SMTP
    return cast("Any", _registry(name, value)).fold(policy=policy).encode("utf-8", "surrogateescape")


def _part(kind: str, body: str) -> list[bytes]:
    encoding, content = _encoded(body)
    charset = "us-ascii" if encoding == "7bit" else "utf-8"
    return [
        f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode(
            "ascii"
        ),
        content,
    ]


@lru_cache(maxsize=64)
def _encoded(body: str) -> tuple[str, bytes]:
    if body.isascii() and "\r" not in body and "\0" not in body and _longest_line(body) <= _LONGEST_LINE:
        content = body.encode("ascii").replace(b"\n", b"\r\n")
        return "7bit", content if content.endswith(b"\r\n") else content + b"\r\n"
    lines = _LINE_END.split(body.encode("utf-8", "surrogateescape"))
    return "quoted-printable", b"\r\n".join(_quoted(line) for line in lines)


def _longest_line(body: str) -> int:
    return max(map(len, body.split("\n")))


def _quoted(line: bytes) -> bytes:
    # One line at a time, so that the soft line breaks are the only line ends that it adds.
    return _LINE_END.sub(b"\r\n", b2a_qp(line, quotetabs=False, istext=True, header=False))
