"""Mail that a Mailgun route forwards: https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store.

It comes as a form. Its fields `timestamp`, `token` and `signature` are signed as those of reports are.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from email.utils import parseaddr
from typing import Any, cast

from penguinmails.domain.plain_text import plain_text
from provider_events import incoming
from provider_events.forms import Form
from provider_events.parsed import text_of
from provider_events.replies import Answer


def parse(form: Form, now: datetime) -> Answer | None:
    """The answer; None when it names no sender, so that it can be no answer."""
    fields = form.fields
    headers = _headers(fields)
    name, address = parseaddr(text_of(fields.get("from")) or headers.get("from", ""))
    sender = incoming.sender_of(address) or incoming.sender_of(text_of(fields.get("sender")))
    if sender is None:
        return None
    return Answer(
        message_id=incoming.message_id_of(headers, sender, headers.get("date"), fields.get("body-plain")),
        from_email=sender,
        from_name=text_of(name)[:255],
        subject=(text_of(fields.get("subject")) or headers.get("subject", ""))[:998],
        text=_text(fields),
        references=incoming.references_of(headers),
        plus=incoming.plus_of(text_of(fields.get("recipient"))),
        is_automatic=incoming.is_automatic(headers),
        received_at=incoming.moment_of_header(headers.get("date", ""), now),
        files=[
            incoming.file_of(file.file_name, file.content_type, file.content)
            for file in form.files[: incoming.MOST_FILES]
            if file.field_name.startswith("attachment")
        ],
    )


def _headers(fields: Mapping[str, str]) -> dict[str, str]:
    """By lower-case name; the first of each counts. Where the list of all headers is broken, those sent as fields."""
    try:
        found = json.loads(fields.get("message-headers", ""))
    except ValueError:
        found = None
    headers: dict[str, str] = {}
    for entry in cast("list[Any]", found) if isinstance(found, list) else []:
        if isinstance(entry, list) and len(cast("list[Any]", entry)) == 2:
            name, value = cast("list[Any]", entry)
            headers.setdefault(text_of(name).lower(), text_of(value))
    for name in ("Message-Id", "In-Reply-To", "References", "Date", "Auto-Submitted"):
        if name in fields:
            headers.setdefault(name.lower(), text_of(fields[name]))
    return headers


def _text(fields: Mapping[str, str]) -> str:
    """The answer without what it quotes, as far as Mailgun can tell the two apart."""
    for name in ("stripped-text", "body-plain"):
        if fields.get(name, "").strip():
            return incoming.storable(fields[name])
    return incoming.storable(plain_text(fields.get("body-html", "")))
