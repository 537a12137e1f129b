"""SQL of emails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.domain.emails import SWEEP_AFTER_SECONDS
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "e.created_at"}
KINDS = {"created_at": "time"}

_SELECT: LiteralString = """
SELECT e.id, e.status, e.to_email, e.from_email, e.reply_to, e.subject, e.email_type, e.campaign_id, e.provider, e.opens,
       e.clicks, e.machine_opens, e.machine_clicks, e.metadata, e.error, e.created_at, e.scheduled_at, e.sent_at,
       ARRAY(SELECT t.tag::text FROM email_tags t
             WHERE t.tenant_id = e.tenant_id AND t.mode = e.mode AND t.email_id = e.id ORDER BY t.tag) AS tags
FROM emails e"""


@dataclass(frozen=True, slots=True)
class EmailRow:
    """One email with its tags."""

    id: UUID
    status: str
    to_email: str
    from_email: str
    reply_to: str | None
    subject: str
    email_type: str
    campaign_id: UUID | None
    provider: str | None
    opens: int
    clicks: int
    machine_opens: int
    machine_clicks: int
    metadata: dict[str, str]
    error: str | None
    created_at: datetime
    scheduled_at: datetime | None
    sent_at: datetime | None
    tags: list[str]


@dataclass(frozen=True, slots=True)
class EventRow:
    """One entry of an email's history."""

    type: str
    occurred_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailFilter:
    """What a list is narrowed to; None leaves a filter out."""

    status: str | None = None
    recipient: str | None = None
    tag: str | None = None
    campaign_id: UUID | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


def list_emails(tx: Tx, keyset: Keyset, wanted: EmailFilter) -> tuple[list[EmailRow], int | None]:
    """A page of emails."""
    where = Conditions()
    where.add_given("e.status = %(status)s", status=wanted.status)
    where.add_given("e.to_email = %(recipient)s", recipient=wanted.recipient)
    where.add_given("e.campaign_id = %(campaign_id)s", campaign_id=wanted.campaign_id)
    where.add_given("e.created_at > %(created_after)s", created_after=wanted.created_after)
    where.add_given("e.created_at < %(created_before)s", created_before=wanted.created_before)
    where.add_given(
        """
        EXISTS (SELECT 1 FROM email_tags t
                WHERE t.tenant_id = e.tenant_id AND t.mode = e.mode AND t.email_id = e.id AND t.tag = %(tag)s)
        """,
        tag=wanted.tag,
    )
    return select_page(tx, _SELECT, where, keyset, COLUMNS, EmailRow, id_column="e.id", count_from=" FROM emails e")


def find_email(tx: Tx, email_id: UUID) -> EmailRow | None:
    """One email."""
    return tx.one(_SELECT + " WHERE e.id = %(id)s", {"id": email_id}, EmailRow)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that went with an email."""

    file_name: str
    content_type: str
    size: int


def files_of(tx: Tx, email_id: UUID) -> list[FileRow]:
    """The files of an email, in their order."""
    return tx.all(
        """
        SELECT a.file_name, a.content_type, octet_length(a.content) AS size
        FROM emails e
        JOIN email_attachments a ON a.tenant_id = e.tenant_id AND a.mode = e.mode AND a.content_key = e.content_key
        WHERE e.id = %(id)s ORDER BY a.position
        """,
        {"id": email_id},
        FileRow,
    )


def insert_files(tx: Tx, content_key: UUID, files: dict[str, list[Any]]) -> None:
    """Store the files of a request, once for all its recipients."""
    tx.run(
        """
        INSERT INTO email_attachments (tenant_id, mode, content_key, position, file_name, content_type, content)
        SELECT %(tenant_id)s, %(mode)s, %(key)s, f.position, f.name, f.type, f.content
        FROM unnest(%(names)s::text[], %(types)s::text[], %(contents)s::bytea[])
          WITH ORDINALITY AS f (name, type, content, position)
        """,
        {"tenant_id": tx.tenant_id, "mode": tx.mode, "key": content_key, **files},
    )


def history(tx: Tx, email_id: UUID) -> list[EventRow]:
    """What happened to an email, oldest first."""
    return tx.all(
        "SELECT type, occurred_at, data FROM email_events WHERE email_id = %(id)s ORDER BY occurred_at, id",
        {"id": email_id},
        EventRow,
    )


def insert_content(tx: Tx, storage_key: UUID, values: dict[str, Any]) -> None:
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


@dataclass(frozen=True, slots=True)
class NewRow:
    """One recipient of a request."""

    id: UUID
    to_email: str
    status: str


def insert_emails(tx: Tx, rows: Sequence[NewRow], shared: dict[str, Any]) -> None:
    """Add one email per recipient; `shared` holds the columns that are the same for all."""
    tx.run(
        """
        INSERT INTO emails (id, tenant_id, mode, api_key_id, to_email, from_email, reply_to, subject, email_type, status,
                            content_key, metadata, wanted_provider, created_at, scheduled_at, finished_at, next_sweep_at)
        SELECT new.id, %(tenant_id)s, %(mode)s, %(api_key_id)s, new.to_email, %(from_email)s, %(reply_to)s, %(subject)s,
               %(email_type)s, new.status, %(content_key)s, %(metadata)s, %(wanted_provider)s,
               %(created_at)s::timestamptz,
               %(scheduled_at)s::timestamptz,
               CASE WHEN new.status = 'suppressed' THEN %(created_at)s::timestamptz END,
               CASE WHEN new.status = 'queued' THEN clock_timestamp() + make_interval(secs => %(sweep_after)s)
                    WHEN new.status = 'scheduled' THEN %(scheduled_at)s::timestamptz END
        FROM unnest(%(ids)s::uuid[], %(addresses)s::text[], %(statuses)s::text[]) AS new (id, to_email, status)
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "sweep_after": SWEEP_AFTER_SECONDS,
            "ids": [row.id for row in rows],
            "addresses": [row.to_email for row in rows],
            "statuses": [row.status for row in rows],
            **shared,
            "metadata": jsonb(shared["metadata"]),
        },
    )


def insert_tags(tx: Tx, email_ids: Sequence[UUID], tags: Sequence[str]) -> None:
    """Give each email each tag."""
    tx.run(
        """
        INSERT INTO email_tags (tenant_id, mode, email_id, tag)
        SELECT %(tenant_id)s, %(mode)s, email_id, tag
        FROM unnest(%(email_ids)s::uuid[]) AS email_id, unnest(%(tags)s::text[]) AS tag
        """,
        {"tenant_id": tx.tenant_id, "mode": tx.mode, "email_ids": list(email_ids), "tags": list(tags)},
    )


def cancel(tx: Tx, email_id: UUID) -> datetime | None:
    """Take back an email that was not begun; when it was stored, None when there is no such email."""
    return tx.one(
        """
        UPDATE emails SET status = 'cancelled', finished_at = clock_timestamp(), next_sweep_at = NULL
        WHERE id = %(id)s AND status IN ('scheduled', 'queued') AND attempts = 0
        RETURNING created_at
        """,
        {"id": email_id},
    )


def give_back_to_limit(tx: Tx, counted_at: datetime) -> None:
    """One email less in the month in which it was counted."""
    tx.run(
        """
        UPDATE usage_counters SET value = greatest(value - 1, 0)
        WHERE metric = 'emails' AND period_start = date_trunc('month', %(at)s::timestamptz AT TIME ZONE 'UTC')::date
        """,
        {"at": counted_at},
    )
