"""Mail that Postmark takes in for a customer: https://postmarkapp.com/developer/webhooks/inbound-webhook."""

from base64 import b64decode
from binascii import Error as Base64Error
from datetime import datetime
from typing import Any, cast

from penguinmails.domain.plain_text import plain_text
from penguinmails.mime import Attachment
from provider_events import incoming
from provider_events.parsed import record_of, text_of
from provider_events.replies import Answer


def parse(body: dict[str, Any], now: datetime) -> Answer | None:
    """The answer; None when it names no sender, so that it can be no answer."""
    sender = incoming.sender_of(text_of(record_of(body.get("FromFull")).get("Email")))
    if sender is None:
        return None
    headers = _headers(body.get("Headers"))
    return Answer(
        message_id=incoming.message_id_of(
            headers, body.get("MessageID"), sender, body.get("Date"), body.get("TextBody")
        ),
        from_email=sender,
        from_name=text_of(record_of(body.get("FromFull")).get("Name"))[:255],
        subject=text_of(body.get("Subject"))[:998],
        text=_text(body),
        references=incoming.references_of(headers),
        plus=text_of(body.get("MailboxHash")),
        is_automatic=incoming.is_automatic(headers),
        received_at=incoming.moment_of_header(text_of(body.get("Date")), now),
        files=_files(body.get("Attachments")),
    )


def _files(found: Any) -> list[Attachment]:
    entries = [record_of(entry) for entry in cast("list[Any]", found)] if isinstance(found, list) else []
    files: list[Attachment] = []
    for entry in entries[: incoming.MOST_FILES]:
        try:
            content = b64decode(str(entry.get("Content", "")))
        except (Base64Error, ValueError):
            continue
        files.append(incoming.file_of(text_of(entry.get("Name")), text_of(entry.get("ContentType")), content))
    return files


def _headers(found: Any) -> dict[str, str]:
    """By lower-case name; the first of each counts."""
    headers: dict[str, str] = {}
    for entry in cast("list[Any]", found) if isinstance(found, list) else []:
        header = record_of(entry)
        headers.setdefault(text_of(header.get("Name")).lower(), text_of(header.get("Value")))
    return headers


def _text(body: dict[str, Any]) -> str:
    reply, text, html = (body.get(name) for name in ("StrippedTextReply", "TextBody", "HtmlBody"))
    for found in (text, reply):
        if isinstance(found, str) and found.strip():
            return incoming.storable(found)
    return incoming.storable(plain_text(html)) if isinstance(html, str) else ""
