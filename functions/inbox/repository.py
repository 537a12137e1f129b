"""SQL of the inbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"last_message_at": "t.last_message_at"}
KINDS = {"last_message_at": "time"}

_SELECT: LiteralString = """
SELECT t.id, t.correspondent, (SELECT c.id FROM contacts c WHERE c.tenant_id = t.tenant_id AND c.mode = t.mode
                               AND c.email = t.correspondent) AS contact_id,
       t.campaign_id, t.subject, t.snippet,
       CASE WHEN t.status = 'snoozed' AND t.snoozed_until <= now() THEN 'open' ELSE t.status END AS status,
       CASE WHEN t.snoozed_until > now() THEN t.snoozed_until END AS snoozed_until,
       t.is_unread AS unread, t.last_message_at, t.created_at
FROM inbox_threads t"""


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One conversation, as it is at this moment."""

    id: UUID
    correspondent: str
    contact_id: UUID | None
    campaign_id: UUID | None
    subject: str
    snippet: str
    status: str
    snoozed_until: datetime | None
    unread: bool
    last_message_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message."""

    id: UUID
    email_id: UUID | None
    from_email: str
    from_name: str
    subject: str
    text: str
    automatic: bool
    received_at: datetime


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """A file that came with a message."""

    id: UUID
    message_id: UUID
    file_name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """What a file holds."""

    file_name: str
    content: bytes


def list_threads(
    tx: Tx, keyset: Keyset, *, status: str | None, unread: bool | None
) -> tuple[list[ThreadRow], int | None]:
    """A page of conversations; one that was put aside is open again once its time has come."""
    where = Conditions()
    if status is not None:
        # Open ones and those that became so would be two places of the index, and so no order.
        tx.run(
            """
            UPDATE inbox_threads SET status = 'open', snoozed_until = NULL
            WHERE status = 'snoozed' AND snoozed_until <= now()
            """,
            {},
        )
        where.add("t.status = %(status)s", status=status)
    where.add_given("t.is_unread = %(unread)s", unread=unread)
    return select_page(
        tx, _SELECT, where, keyset, COLUMNS, ThreadRow, id_column="t.id", count_from=" FROM inbox_threads t"
    )


def find_thread(tx: Tx, thread_id: UUID) -> ThreadRow | None:
    """One conversation."""
    return tx.one(_SELECT + " WHERE t.id = %(id)s", {"id": thread_id}, ThreadRow)


def messages(tx: Tx, thread_id: UUID) -> list[MessageRow]:
    """The latest hundred messages, oldest first."""
    return tx.all(
        """
        SELECT * FROM (
          SELECT id, email_id, from_email, from_name, subject, body_text AS text, is_automatic AS automatic, received_at
          FROM inbox_messages WHERE thread_id = %(id)s ORDER BY received_at DESC, id DESC LIMIT 100
        ) latest ORDER BY received_at, id
        """,
        {"id": thread_id},
        MessageRow,
    )


def attachments(tx: Tx, message_ids: Sequence[UUID]) -> list[AttachmentRow]:
    """The files of messages, in their order, without what they hold."""
    return tx.all(
        """
        SELECT id, message_id, file_name, content_type, octet_length(content) AS size FROM inbox_attachments
        WHERE message_id = ANY(%(ids)s::uuid[]) ORDER BY message_id, position
        """,
        {"ids": list(message_ids)},
        AttachmentRow,
    )


def find_file(tx: Tx, thread_id: UUID, attachment_id: UUID) -> FileRow | None:
    """A file of a conversation."""
    return tx.one(
        """
        SELECT a.file_name, a.content FROM inbox_attachments a
        JOIN inbox_messages m ON m.tenant_id = a.tenant_id AND m.mode = a.mode AND m.id = a.message_id
        WHERE a.id = %(id)s AND m.thread_id = %(thread_id)s
        """,
        {"id": attachment_id, "thread_id": thread_id},
        FileRow,
    )


def change_thread(
    tx: Tx, thread_id: UUID, *, status: str | None, snoozed_until: datetime | None, unread: bool | None
) -> bool:
    """Change what is given; False when there is no such conversation."""
    return (
        tx.run(
            """
            UPDATE inbox_threads
            SET status = coalesce(%(status)s, status),
                snoozed_until = CASE WHEN %(status)s::text IS NULL THEN snoozed_until
                                     ELSE %(snoozed_until)s::timestamptz END,
                is_unread = coalesce(%(unread)s, is_unread)
            WHERE id = %(id)s
            """,
            {"id": thread_id, "status": status, "snoozed_until": snoozed_until, "unread": unread},
        )
        == 1
    )
