"""SQL of emails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "e.created_at"}
KINDS = {"created_at": "time"}
MOST_EVENTS = 200
"""Shown of a mail's opens and clicks, and as many of all else."""

_TAG_COLUMNS: dict[str, LiteralString] = {"created_at": "l.email_created_at"}

_SELECT_COLUMNS: LiteralString = """
SELECT e.id, e.status, e.to_email, e.from_email, e.reply_to, e.subject, e.email_type, e.campaign_id, e.provider, e.opens,
       e.clicks, e.machine_opens, e.machine_clicks, e.metadata, e.error, e.created_at, e.scheduled_at, e.sent_at,
       CASE WHEN e.status = 'queued' AND e.paced_until > clock_timestamp() THEN e.paced_until END AS paced_until,
       ARRAY(SELECT t.tag::text FROM email_tags t
             WHERE t.tenant_id = e.tenant_id AND t.mode = e.mode AND t.email_id = e.id ORDER BY t.tag) AS tags
"""
_SELECT: LiteralString = _SELECT_COLUMNS + "FROM emails e"
# The tags carry what their emails are sorted and filtered by.
_FROM_TAG: LiteralString = """
FROM email_tags l JOIN emails e ON e.tenant_id = l.tenant_id AND e.mode = l.mode AND e.id = l.email_id"""
_OF_TAG: LiteralString = _SELECT_COLUMNS + _FROM_TAG


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
    paced_until: datetime | None
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
    # Few emails have the same recipient, so those are read and what else is asked for is looked up.
    if wanted.tag is not None and wanted.recipient is None:
        return _page_of_tag(tx, keyset, wanted)
    where = Conditions()
    where.add_given("e.status = %(status)s", status=wanted.status)
    where.add_given("e.to_email = %(recipient)s", recipient=wanted.recipient)
    where.add_given("e.campaign_id = %(campaign_id)s", campaign_id=wanted.campaign_id)
    where.add_given("e.created_at > %(created_after)s", created_after=wanted.created_after)
    where.add_given("e.created_at < %(created_before)s", created_before=wanted.created_before)
    # For each of the recipient's few emails: as a join it could begin with all that have the tag.
    where.add_given(
        """
        EXISTS (SELECT 1 FROM email_tags t
                WHERE t.tenant_id = e.tenant_id AND t.mode = e.mode AND t.email_id = e.id AND t.tag = %(tag)s OFFSET 0)
        """,
        tag=wanted.tag,
    )
    return select_page(tx, _SELECT, where, keyset, COLUMNS, EmailRow, id_column="e.id", count_from=" FROM emails e")


def _page_of_tag(tx: Tx, keyset: Keyset, wanted: EmailFilter) -> tuple[list[EmailRow], int | None]:
    where = Conditions()
    where.add("l.tag = %(tag)s", tag=wanted.tag)
    where.add_given("l.status = %(status)s", status=wanted.status)
    where.add_given("l.campaign_id = %(campaign_id)s", campaign_id=wanted.campaign_id)
    where.add_given("l.email_created_at > %(created_after)s", created_after=wanted.created_after)
    where.add_given("l.email_created_at < %(created_before)s", created_before=wanted.created_before)
    return select_page(
        tx, _OF_TAG, where, keyset, _TAG_COLUMNS, EmailRow, id_column="l.email_id", count_from=" FROM email_tags l"
    )


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
        SELECT a.file_name, a.content_type, coalesce(a.size, octet_length(a.content)) AS size
        FROM emails e
        JOIN email_attachments a ON a.tenant_id = e.tenant_id AND a.mode = e.mode AND a.content_key = e.content_key
        WHERE e.id = %(id)s ORDER BY a.position
        """,
        {"id": email_id},
        FileRow,
    )


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A file that mails may name, and whether it was seen to be there."""

    id: UUID
    file_name: str
    content_type: str
    size: int
    file_key: str
    expires_at: datetime
    is_expired: bool
    is_there: bool


def insert_upload(tx: Tx, upload_id: UUID, values: dict[str, Any]) -> None:
    """Add a file that is going to be uploaded; mails may name it for seven days."""
    tx.run(
        """
        INSERT INTO email_uploads (id, tenant_id, mode, file_name, content_type, size, file_key, created_by, expires_at,
                                   look_at)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(file_name)s, %(content_type)s, %(size)s, %(file_key)s, %(created_by)s,
                now() + interval '7 days', now() + interval '7 days')
        """,
        {"id": upload_id, "tenant_id": tx.tenant_id, "mode": tx.mode, **values},
    )


def find_uploads(tx: Tx, ids: Sequence[UUID]) -> list[UploadRow]:
    """Those of these uploads that there are."""
    return tx.all(
        """
        SELECT id, file_name, content_type, size, file_key, expires_at, expires_at <= now() AS is_expired,
               uploaded_at IS NOT NULL AS is_there
        FROM email_uploads WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": list(ids)},
        UploadRow,
    )


def mark_uploaded(tx: Tx, ids: Sequence[UUID]) -> None:
    """They were seen to be there, as announced."""
    tx.run(
        "UPDATE email_uploads SET uploaded_at = clock_timestamp() WHERE id = ANY(%(ids)s::uuid[])", {"ids": list(ids)}
    )


def history(tx: Tx, email_id: UUID) -> list[EventRow]:
    """What happened to an email, oldest first; of its opens and clicks, which may be any number, the latest."""
    return tx.all(
        """
        SELECT type, occurred_at, data FROM (
          (SELECT id, type, occurred_at, data FROM email_events
           WHERE email_id = %(id)s AND type NOT IN ('opened', 'clicked') ORDER BY occurred_at DESC, id DESC LIMIT %(most)s)
          UNION ALL
          (SELECT id, type, occurred_at, data FROM email_events
           WHERE email_id = %(id)s AND type IN ('opened', 'clicked') ORDER BY occurred_at DESC, id DESC LIMIT %(most)s)
        ) latest ORDER BY occurred_at, id
        """,
        {"id": email_id, "most": MOST_EVENTS},
        EventRow,
    )


def cancel(tx: Tx, email_id: UUID) -> datetime | None:
    """Take back an email that no worker has in hand; when it was stored, None when there is no such email."""
    return tx.one(
        """
        UPDATE emails SET status = 'cancelled', finished_at = clock_timestamp(), next_sweep_at = NULL
        WHERE id = %(id)s AND status IN ('scheduled', 'queued')
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
