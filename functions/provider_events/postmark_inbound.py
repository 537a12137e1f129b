"""Mail that Postmark takes in for a customer: https://postmarkapp.com/developer/webhooks/inbound-webhook."""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, cast

from penguinmails.domain.plain_text import plain_text
from provider_events.parsed import record_of, text_of
from provider_events.replies import Answer

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_MOST_REFERENCES = 50
_LONGEST_TEXT = 500_000


def parse(body: dict[str, Any], now: datetime) -> Answer | None:
    """The answer; None when it names no sender, so that it can be no answer."""
    sender = text_of(record_of(body.get("FromFull")).get("Email")).strip().lower()
    if "@" not in sender or len(sender) > 255:
        return None
    headers = _headers(body.get("Headers"))
    referred = (
        _MESSAGE_ID.findall(headers.get("in-reply-to", "")) + _MESSAGE_ID.findall(headers.get("references", ""))[::-1]
    )
    named = _MESSAGE_ID.search(headers.get("message-id", ""))
    key = f"{body.get('MessageID')}{sender}{body.get('Date')}{body.get('TextBody')}"
    return Answer(
        message_id=named[0] if named else f"<{sha256(key.encode('utf-8', 'replace')).hexdigest()}@unnamed.invalid>",
        from_email=sender,
        from_name=text_of(record_of(body.get("FromFull")).get("Name"))[:255],
        subject=text_of(body.get("Subject"))[:998],
        text=_text(body),
        references=list(dict.fromkeys(referred))[:_MOST_REFERENCES],
        plus=text_of(body.get("MailboxHash")),
        is_automatic=_is_automatic(headers),
        received_at=_moment(text_of(body.get("Date")), now),
    )


def _headers(found: Any) -> dict[str, str]:
    """By lower-case name; the first of each counts."""
    headers: dict[str, str] = {}
    for entry in cast("list[Any]", found) if isinstance(found, list) else []:
        header = record_of(entry)
        headers.setdefault(text_of(header.get("Name")).lower(), text_of(header.get("Value")))
    return headers


def _is_automatic(headers: dict[str, str]) -> bool:
    """RFC 3834, and what older programs set."""
    submitted = headers.get("auto-submitted", "no").strip().lower()
    older = {"x-autoreply", "x-autorespond", "x-auto-response-suppress"}
    return (
        not submitted.startswith("no") or not older.isdisjoint(headers) or "auto_reply" in headers.get("precedence", "")
    )


def _text(body: dict[str, Any]) -> str:
    reply, text, html = (body.get(name) for name in ("StrippedTextReply", "TextBody", "HtmlBody"))
    for found in (text, reply):
        if isinstance(found, str) and found.strip():
            return _storable(found)
    return _storable(plain_text(html)) if isinstance(html, str) else ""


def _storable(text: str) -> str:
    return text.replace("\x00", "")[:_LONGEST_TEXT].encode("utf-8", "replace").decode()


def _moment(text: str, now: datetime) -> datetime:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return now
    return min(found, now) if found.tzinfo else now
