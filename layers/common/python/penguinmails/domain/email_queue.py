"""Queueing emails: one message to one recipient or to many, counted, stored and handed to the workers in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx, jsonb
from penguinmails.domain import send_quota, simulated
from penguinmails.domain.emails import SWEEP_AFTER_SECONDS, log_event, message, suppressed
from penguinmails.domain.plain_text import plain_text
from penguinmails.domain.provider_accounts import require_taken
from penguinmails.domain.sender_domains import require_verified
from penguinmails.domain.sender_identity import require_postal_address
from penguinmails.errors import QuotaExceeded, RecipientSuppressed, ValidationFailed
from penguinmails.events.outbox import send_after_commit
from penguinmails.ids import new_uuid7
from penguinmails.settings import get_settings
from penguinmails.tracing import FIELD, carried


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFile:
    """A file of a message: its content, or which upload holds `size` bytes of it."""

    file_name: str
    content_type: str
    content: bytes | None = None
    upload_id: UUID | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message without its recipients."""

    sender: str | None
    subject: str
    html: str | None
    text: str | None
    email_type: str
    reply_to: str | None
    provider: str | None
    tags: Sequence[str]
    headers: dict[str, str]
    metadata: dict[str, str]
    track_opens: bool
    track_clicks: bool
    files: Sequence[DraftFile]
    scheduled_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewRow:
    """One recipient of a request."""

    id: UUID
    to_email: str
    status: str


@dataclass(frozen=True, slots=True)
class Queued:
    """What was stored: one row per recipient, in their order."""

    rows: list[NewRow]
    created_at: datetime


def queue_one(tx: Tx, draft: Draft, address: str, *, api_key_id: UUID | None) -> Queued:
    """Queue a message to one recipient. Raises RecipientSuppressed, and QuotaExceeded at the plan's limit."""
    _check_simulated(tx, [address])
    require_taken(draft.provider, {"to": address, **_own_addresses(draft)})
    if suppressed(tx, [address]):
        raise RecipientSuppressed(
            f"{address} is suppressed: it opted out, complained or does not exist. Nothing was sent; remove it from your list."
        )
    return _queue(tx, draft, [NewRow(new_uuid7(), address, "queued")], api_key_id)


def queue_many(tx: Tx, draft: Draft, addresses: Sequence[str], *, api_key_id: UUID | None) -> Queued:
    """Queue a message to each recipient; a suppressed one is stored as such. Raises QuotaExceeded, then none is queued."""
    _check_simulated(tx, addresses)
    named = {f"to.{place}": address for place, address in enumerate(addresses)}
    require_taken(draft.provider, {**named, **_own_addresses(draft)})
    refused = suppressed(tx, addresses)
    rows = [NewRow(new_uuid7(), address, "suppressed" if address in refused else "queued") for address in addresses]
    return _queue(tx, draft, rows, api_key_id)


def _own_addresses(draft: Draft) -> dict[str, str | None]:
    return {"from": draft.sender, "reply_to": draft.reply_to}


def _check_simulated(tx: Tx, addresses: Sequence[str]) -> None:
    """Addresses of the simulator are for test mode, and only those that act something out."""
    for address in filter(simulated.is_simulated, addresses):
        if tx.mode != "test":
            raise ValidationFailed.of(
                "to", f"{address} is for API keys of test mode; use one of those", "test_mode_only"
            )
        if simulated.behaviour(address) is None:
            known = ", ".join(f"{name}@" for name in simulated.BEHAVIOURS)
            raise ValidationFailed.of(
                "to", f"{address} acts out nothing; the simulator knows {known}", "unknown_behaviour"
            )


def _queue(tx: Tx, draft: Draft, rows: list[NewRow], api_key_id: UUID | None) -> Queued:
    content_key, created_at = new_uuid7(), clock.now()
    text = draft.text if draft.text is not None else plain_text(draft.html or "")
    if draft.scheduled_at is not None:
        rows = [replace(row, status="scheduled") if row.status == "queued" else row for row in rows]
    if draft.email_type != "transactional":
        require_postal_address(tx)
    if draft.provider in {None, "smtp"}:
        # Other providers let their customers send from domains that they have verified themselves.
        require_verified(tx, draft.sender, field="from")
    content = {"html": draft.html, "text": text, "headers": draft.headers}
    following = {"track_opens": draft.track_opens, "track_clicks": draft.track_clicks}
    _insert_content(tx, content_key, {**content, **following})
    if draft.files:
        _insert_files(tx, content_key, created_at, draft.files)
    shared = {
        "api_key_id": api_key_id,
        "from_email": draft.sender or get_settings().mail_from,
        "reply_to": draft.reply_to,
        "subject": draft.subject,
        "email_type": draft.email_type,
        "wanted_provider": draft.provider,
        "content_key": content_key,
        "metadata": draft.metadata,
        "created_at": created_at,
        "scheduled_at": draft.scheduled_at,
    }
    _insert_emails(tx, rows, shared)
    if draft.tags:
        _insert_tags(tx, [row.id for row in rows], draft.tags)
    for status in ("queued", "scheduled", "suppressed"):
        log_event(tx, [row.id for row in rows if row.status == status], status)
    queued = [row for row in rows if row.status == "queued"]
    # Last, because the counter's row is locked from here to the commit and all of the tenant's requests need it.
    _count(tx, sum(row.status != "suppressed" for row in rows))
    send_after_commit(tx, "emails", [message(row.id, 0) for row in queued])
    return Queued(rows, created_at)


def _count(tx: Tx, number: int) -> None:
    """Test messages reach nobody and count for nothing."""
    if tx.mode == "test" or number == 0:
        return
    limit = send_quota.monthly_limit(tx)
    if not send_quota.count_towards_limit(tx, number, limit):
        raise QuotaExceeded(
            f"The plan sends {limit} emails per calendar month (UTC), and {number} more would pass that. Nothing was sent; "
            "choose a larger plan, or wait for the next month."
        )


def _insert_files(tx: Tx, content_key: UUID, queued_at: datetime, files: Sequence[DraftFile]) -> None:
    """Store the files of a request, once for all its recipients; of uploaded ones, which they are."""
    tx.run(
        """
        INSERT INTO email_attachments (tenant_id, mode, content_key, position, file_name, content_type, content, upload_id,
                                       size, queued_at)
        SELECT %(tenant_id)s, %(mode)s, %(key)s, f.position, f.name, f.type, f.content, f.upload_id, f.size,
               CASE WHEN f.upload_id IS NOT NULL THEN %(queued_at)s::timestamptz END
        FROM unnest(%(names)s::text[], %(types)s::text[], %(contents)s::bytea[], %(upload_ids)s::uuid[], %(sizes)s::integer[])
          WITH ORDINALITY AS f (name, type, content, upload_id, size, position)
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "key": content_key,
            "queued_at": queued_at,
            "names": [file.file_name for file in files],
            "types": [file.content_type for file in files],
            "contents": [file.content for file in files],
            "upload_ids": [file.upload_id for file in files],
            "sizes": [file.size for file in files],
        },
    )


def _insert_content(tx: Tx, storage_key: UUID, values: dict[str, Any]) -> None:
    """Store what all recipients of one request get, once: text, html, headers, track_opens and track_clicks."""
    tx.run(
        """
        INSERT INTO content_objects (storage_key, tenant_id, mode, content_text, content_html, headers, track_opens,
                                     track_clicks)
        VALUES (%(storage_key)s, %(tenant_id)s, %(mode)s, %(text)s, %(html)s, %(headers)s, %(track_opens)s,
                %(track_clicks)s)
        """,
        {
            "storage_key": storage_key,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            **values,
            "headers": jsonb(values["headers"]),
        },
    )


def _insert_emails(tx: Tx, rows: Sequence[NewRow], shared: dict[str, Any]) -> None:
    """Add one email per recipient; `shared` holds the columns that are the same for all."""
    tx.run(
        """
        INSERT INTO emails (id, tenant_id, mode, api_key_id, to_email, from_email, reply_to, subject, email_type, status,
                            content_key, metadata, wanted_provider, created_at, scheduled_at, traceparent, finished_at,
                            next_sweep_at)
        SELECT new.id, %(tenant_id)s, %(mode)s, %(api_key_id)s, new.to_email, %(from_email)s, %(reply_to)s, %(subject)s,
               %(email_type)s, new.status, %(content_key)s, %(metadata)s, %(wanted_provider)s,
               %(created_at)s::timestamptz,
               %(scheduled_at)s::timestamptz, %(traceparent)s,
               CASE WHEN new.status = 'suppressed' THEN %(created_at)s::timestamptz END,
               CASE WHEN new.status = 'queued' THEN clock_timestamp() + make_interval(secs => %(sweep_after)s)
                    WHEN new.status = 'scheduled' THEN %(scheduled_at)s::timestamptz END
        FROM unnest(%(ids)s::uuid[], %(addresses)s::text[], %(statuses)s::text[]) AS new (id, to_email, status)
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "sweep_after": SWEEP_AFTER_SECONDS,
            "traceparent": carried().get(FIELD),
            "ids": [row.id for row in rows],
            "addresses": [row.to_email for row in rows],
            "statuses": [row.status for row in rows],
            **shared,
            "metadata": jsonb(shared["metadata"]),
        },
    )


def _insert_tags(tx: Tx, email_ids: Sequence[UUID], tags: Sequence[str]) -> None:
    """Give each email each tag."""
    tx.run(
        """
        INSERT INTO email_tags (tenant_id, mode, email_id, tag, email_created_at, status, campaign_id)
        SELECT e.tenant_id, e.mode, e.id, new.tag, e.created_at, e.status, e.campaign_id
        FROM emails e CROSS JOIN unnest(%(tags)s::text[]) AS new (tag)
        WHERE e.id = ANY(%(email_ids)s::uuid[])
        """,
        {"email_ids": list(email_ids), "tags": list(tags)},
    )
