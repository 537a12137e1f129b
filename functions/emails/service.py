"""The rules of sending: who may be written to, how much the plan sends, and what is queued."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from emails import repository
from emails.plain_text import plain_text
from emails.repository import NewRow
from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain.emails import log_event, message, suppressed
from penguinmails.errors import QuotaExceeded, RecipientSuppressed
from penguinmails.events.outbox import send_after_commit
from penguinmails.ids import new_uuid7
from penguinmails.settings import get_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message without its recipients."""

    sender: str | None
    subject: str
    html: str | None
    text: str | None
    email_type: str
    reply_to: str | None
    tags: Sequence[str]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Queued:
    """What was stored: one row per recipient, in their order."""

    rows: list[NewRow]
    created_at: datetime


def queue_one(tx: Tx, draft: Draft, address: str, *, api_key_id: UUID | None) -> Queued:
    """Queue a message to one recipient. Raises RecipientSuppressed, and QuotaExceeded at the plan's limit."""
    if suppressed(tx, [address]):
        raise RecipientSuppressed(
            f"{address} is suppressed: it opted out, complained or does not exist. Nothing was sent; remove it from your list."
        )
    return _queue(tx, draft, [NewRow(new_uuid7(), address, "queued")], api_key_id)


def queue_many(tx: Tx, draft: Draft, addresses: Sequence[str], *, api_key_id: UUID | None) -> Queued:
    """Queue a message to each recipient; a suppressed one is stored as such. Raises QuotaExceeded, then none is queued."""
    refused = suppressed(tx, addresses)
    rows = [NewRow(new_uuid7(), address, "suppressed" if address in refused else "queued") for address in addresses]
    return _queue(tx, draft, rows, api_key_id)


def _queue(tx: Tx, draft: Draft, rows: list[NewRow], api_key_id: UUID | None) -> Queued:
    content_key, created_at = new_uuid7(), clock.now()
    text = draft.text if draft.text is not None else plain_text(draft.html or "")
    repository.insert_content(tx, content_key, text=text, html=draft.html, headers=draft.headers)
    shared = {
        "api_key_id": api_key_id,
        "from_email": draft.sender or get_settings().mail_from,
        "reply_to": draft.reply_to,
        "subject": draft.subject,
        "email_type": draft.email_type,
        "content_key": content_key,
        "created_at": created_at,
    }
    repository.insert_emails(tx, rows, shared)
    if draft.tags:
        repository.insert_tags(tx, [row.id for row in rows], draft.tags)
    for status in ("queued", "suppressed"):
        log_event(tx, [row.id for row in rows if row.status == status], status)
    queued = [row for row in rows if row.status == "queued"]
    # Last, because the counter's row is locked from here to the commit and all of the tenant's requests need it.
    _count(tx, len(queued))
    send_after_commit(tx, "emails", [message(row.id, 0) for row in queued])
    return Queued(rows, created_at)


def _count(tx: Tx, number: int) -> None:
    """Test messages reach nobody and count for nothing."""
    if tx.mode == "test" or number == 0:
        return
    limit = repository.monthly_limit(tx)
    if not repository.count_towards_limit(tx, number, limit):
        raise QuotaExceeded(
            f"The plan sends {limit} emails per calendar month (UTC), and {number} more would pass that. Nothing was sent; "
            "choose a larger plan, or wait for the next month."
        )
