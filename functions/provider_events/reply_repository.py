"""SQL of answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.ids import new_uuid7
from penguinmails.mime import Attachment

if TYPE_CHECKING:
    from provider_events.replies import Answer


@dataclass(frozen=True, slots=True)
class AnsweredMail:
    """A mail that was answered, and the contact who has its recipient's address."""

    id: UUID
    to_email: str
    subject: str
    campaign_id: UUID | None
    contact_id: UUID | None
    first_name: str | None
    last_name: str | None


def is_known(tx: Tx, message_id: str) -> bool:
    """Whether an answer came before."""
    return tx.one("SELECT EXISTS (SELECT 1 FROM inbox_messages WHERE message_id = %(id)s)", {"id": message_id})


def find_mail(tx: Tx, ids: Sequence[UUID]) -> AnsweredMail | None:
    """The first of these mails that is the tenant's."""
    return tx.one(
        """
        SELECT e.id, e.to_email, e.subject, e.campaign_id, c.id AS contact_id, c.first_name, c.last_name
        FROM emails e
        LEFT JOIN contacts c ON c.tenant_id = e.tenant_id AND c.mode = e.mode AND c.email = e.to_email
        WHERE e.id = ANY(%(ids)s::uuid[]) AND e.to_email <> 'erased@erased.invalid'
        ORDER BY array_position(%(ids)s::uuid[], e.id) LIMIT 1
        """,
        {"ids": list(ids)},
        AnsweredMail,
    )


def count_answer(tx: Tx, mail: AnsweredMail, at: datetime) -> None:
    """One answer more of the contact who was written to."""
    tx.run(
        """
        UPDATE contacts
        SET total_replies = total_replies + 1, last_engaged_at = greatest(last_engaged_at, %(at)s::timestamptz),
            last_campaign_id = coalesce(%(campaign_id)s, last_campaign_id)
        WHERE id = %(id)s
        """,
        {"id": mail.contact_id, "at": at, "campaign_id": mail.campaign_id},
    )


def find_thread(tx: Tx, email_id: UUID | None, references: list[str]) -> UUID | None:
    """The conversation about a mail, or the one that holds a message that is referred to."""
    return tx.one(
        """
        SELECT thread_id FROM inbox_messages
        WHERE email_id = %(email_id)s OR message_id = ANY(%(references)s::text[])
        ORDER BY received_at DESC LIMIT 1
        """,
        {"email_id": email_id, "references": references},
    )


def insert_thread(tx: Tx, thread_id: UUID, answer: "Answer", snippet: str, campaign_id: UUID | None) -> None:
    """Begin a conversation."""
    tx.run(
        """
        INSERT INTO inbox_threads (id, tenant_id, mode, correspondent, campaign_id, subject, snippet, last_message_at)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(correspondent)s, %(campaign_id)s, %(subject)s, %(snippet)s, %(at)s)
        """,
        {
            "id": thread_id,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "correspondent": answer.from_email,
            "campaign_id": campaign_id,
            "subject": answer.subject,
            "snippet": snippet,
            "at": answer.received_at,
        },
    )


def touch_thread(tx: Tx, thread_id: UUID, answer: "Answer", snippet: str) -> None:
    """Bring a conversation back: somebody wrote again. An automatic answer does not wake it."""
    tx.run(
        """
        UPDATE inbox_threads
        SET snippet = %(snippet)s, last_message_at = greatest(last_message_at, %(at)s),
            is_unread = is_unread OR NOT %(is_automatic)s,
            status = CASE WHEN %(is_automatic)s THEN status ELSE 'open' END,
            snoozed_until = CASE WHEN %(is_automatic)s THEN snoozed_until END
        WHERE id = %(id)s
        """,
        {"id": thread_id, "snippet": snippet, "at": answer.received_at, "is_automatic": answer.is_automatic},
    )


def insert_message(tx: Tx, message_row_id: UUID, thread_id: UUID, email_id: UUID | None, answer: "Answer") -> None:
    """Add a message to a conversation."""
    tx.run(
        """
        INSERT INTO inbox_messages (id, tenant_id, mode, thread_id, email_id, message_id, from_email, from_name, subject,
                                    body_text, is_automatic, received_at)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(thread_id)s, %(email_id)s, %(message_id)s, %(from_email)s,
                %(from_name)s, %(subject)s, %(body_text)s, %(is_automatic)s, %(received_at)s)
        """,
        {
            "id": message_row_id,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "thread_id": thread_id,
            "email_id": email_id,
            "message_id": answer.message_id,
            "from_email": answer.from_email,
            "from_name": answer.from_name,
            "subject": answer.subject,
            "body_text": answer.text,
            "is_automatic": answer.is_automatic,
            "received_at": answer.received_at,
        },
    )


def insert_attachments(tx: Tx, message_row_id: UUID, files: Sequence[Attachment]) -> None:
    """Add the files of a message."""
    tx.run(
        """
        INSERT INTO inbox_attachments (id, tenant_id, mode, message_id, position, file_name, content_type, content)
        SELECT f.id, %(tenant_id)s, %(mode)s, %(message_id)s, f.position, f.name, f.type, f.content
        FROM unnest(%(ids)s::uuid[], %(names)s::text[], %(types)s::text[], %(contents)s::bytea[])
          WITH ORDINALITY AS f (id, name, type, content, position)
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "message_id": message_row_id,
            "ids": [new_uuid7() for _ in files],
            "names": [file.file_name for file in files],
            "types": [file.content_type for file in files],
            "contents": [file.content for file in files],
        },
    )
