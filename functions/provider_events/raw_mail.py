"""Reads mail as it travels (RFC 5322, RFC 2045), whatever its writer made of the rules.

The standard library's `compat32` policy keeps broken headers and parts instead of raising; what is decoded here is decoded
with a replacement for what cannot be.
"""

from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr
from itertools import islice
from uuid import UUID

from penguinmails.domain.plain_text import plain_text
from penguinmails.mime import Attachment
from provider_events import incoming
from provider_events.parsed import text_of
from provider_events.replies import Answer

_MOST_PARTS = 500
_DAEMONS = ("mailer-daemon@", "postmaster@")


def read_mail(content: bytes) -> Message | None:
    """The mail; None for one whose parts are nested so deep that nobody can read it."""
    try:
        message = message_from_bytes(content, policy=policy.compat32)
        for _ in parts_of(message):
            pass
    except RecursionError:
        return None
    return message


def parts_of(message: Message) -> Iterator[Message]:
    """The mail and its parts, in their order, as many as are looked at."""
    for number, part in enumerate(message.walk()):
        if number >= _MOST_PARTS:
            return
        yield part


def answer_of(message: Message, *, envelope_sender: str, plus: UUID | None, now: datetime) -> Answer | None:
    """The answer; None when it names no sender, so that it can be no answer."""
    name, address = parseaddr(header_of(message, "From"))
    sender = incoming.sender_of(text_of(address)) or incoming.sender_of(text_of(envelope_sender))
    if sender is None:
        return None
    headers = headers_of(message)
    text = _text(message)
    return Answer(
        message_id=incoming.message_id_of(headers, sender, headers.get("date"), text),
        from_email=sender,
        from_name=text_of(name)[:255],
        subject=headers.get("subject", "")[:998],
        text=text,
        references=incoming.references_of(headers),
        plus=plus.hex if plus is not None else "",
        is_automatic=incoming.is_automatic(headers) or _is_of_a_daemon(envelope_sender, sender),
        received_at=incoming.moment_of_header(headers.get("date", ""), now),
        files=list(islice(_files(message), incoming.MOST_FILES)),
    )


def headers_of(message: Message) -> dict[str, str]:
    """All headers by lower-case name; the first of each counts."""
    headers: dict[str, str] = {}
    for name in message.keys():  # noqa: SIM118 - a Message iterates over nothing else
        headers.setdefault(text_of(name).lower(), header_of(message, name))
    return headers


def header_of(message: Message, name: str) -> str:
    """A header in one line, encoded words (RFC 2047) read; empty when there is none."""
    raw = str(message.get(name, "") or "")
    try:
        pieces = decode_header(raw)
    except (MessageError, ValueError, AttributeError):
        return text_of(raw)
    return text_of("".join(_decoded(piece, charset) for piece, charset in pieces))


def text_of_part(part: Message) -> str:
    """The text of a part that is no multipart."""
    content = _payload(part)
    try:
        charset = str(part.get_content_charset("utf-8"))
    except (ValueError, LookupError, AttributeError):
        return ""
    return "" if content is None else _decoded(content, charset)


def is_attached(part: Message) -> bool:
    """Whether a part is a file rather than text to be read."""
    return part.get_content_disposition() == "attachment" or file_name_of(part) is not None


def file_name_of(part: Message) -> str | None:
    """The name that a part gives itself; None without one."""
    try:
        return part.get_filename()
    except (ValueError, LookupError, AttributeError, TypeError):
        return None


def _files(message: Message) -> Iterator[Attachment]:
    """Parts that are no text to be read; a mail that is attached is one file, whatever it holds."""
    inside: set[int] = set()
    for part in parts_of(message):
        if id(part) in inside or part.get_content_maintype() == "multipart":
            continue
        if part.get_content_type() == "message/rfc822":
            inside |= {id(nested) for nested in part.walk()}
            nested = part.get_payload()
            content = _bytes_of(nested[0]) if isinstance(nested, list) and nested else None
            name = file_name_of(part) or "mail.eml"
        elif is_attached(part) or part.get_content_maintype() not in {"text", "message"}:
            content, name = _payload(part), file_name_of(part)
        else:
            continue
        if content is not None:
            yield incoming.file_of(name, part.get_content_type(), content)


def _payload(part: Message) -> bytes | None:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, AttributeError):
        return None
    return content if isinstance(content, bytes) else None


def _bytes_of(message: object) -> bytes | None:
    try:
        return message.as_bytes() if isinstance(message, Message) else None
    except (MessageError, ValueError, LookupError, AttributeError):
        return None


def _text(message: Message) -> str:
    found: dict[str, str] = {}
    for part in parts_of(message):
        kind = part.get_content_type()
        if kind in {"text/plain", "text/html"} and kind not in found and not is_attached(part):
            text = text_of_part(part)
            if text.strip():
                found[kind] = text
    if "text/plain" in found:
        return incoming.storable(found["text/plain"])
    return incoming.storable(plain_text(found.get("text/html", "")))


def _decoded(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return piece.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return piece.decode("utf-8", "replace")


def _is_of_a_daemon(envelope_sender: str, sender: str) -> bool:
    """RFC 3834, section 2: what has no return path, or comes from a mail system, is no person's answer."""
    return envelope_sender.strip() in {"", "<>"} or sender.startswith(_DAEMONS)
