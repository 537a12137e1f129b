"""SQL of the work on privacy requests: jobs across tenants, their work as the application."""

from dataclasses import dataclass
from typing import Any, Literal, LiteralString
from uuid import UUID

from penguinmails.db import Mode, Tx, jsonb
from penguinmails.domain.mail_report_rows import forget_soft_bounces


@dataclass(frozen=True, slots=True)
class Job:
    """One request: whose it is, and how often it was tried since it last got further."""

    id: UUID
    tenant_id: UUID
    mode: Mode
    type: Literal["access", "erasure"]
    email: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Person:
    """A contact that has the address."""

    id: UUID
    status: str


def take(tx: Tx) -> Job | None:
    """A request that no other worker is at; trying is counted, so that one that always fails ends."""
    return tx.one(
        """
        UPDATE privacy_requests SET status = 'processing', attempts = attempts + 1
        WHERE id = (SELECT id FROM privacy_requests WHERE status IN ('pending', 'processing')
                    ORDER BY attempts, created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, tenant_id, mode, type, email, attempts
        """,
        {},
        Job,
    )


def hold(tx: Tx, job: Job) -> bool:
    """Lock the request; False when it is met already."""
    found = tx.one(
        "SELECT id FROM privacy_requests WHERE id = %(id)s AND status = 'processing' FOR UPDATE", {"id": job.id}
    )
    return found is not None


def people(tx: Tx, email: str) -> list[Person]:
    """The contact with the address, locked."""
    return tx.all("SELECT id, status FROM contacts WHERE email = %(email)s FOR UPDATE", {"email": email}, Person)


def erase_emails(tx: Tx, email: str, batch: int) -> list[UUID]:
    """Blank some of the emails to the address, which are not sent any more if they still wait; their ids."""
    ids = tx.all(
        """
        SELECT id FROM emails WHERE to_email = %(email)s AND status <> 'sending'
        ORDER BY created_at, id LIMIT %(batch)s FOR UPDATE
        """,
        {"email": email, "batch": batch},
    )
    tx.one("SELECT erase_texts_of(%(ids)s::uuid[])", {"ids": ids})
    forget_soft_bounces(tx, email)
    tx.run("DELETE FROM inbox_messages WHERE from_email = %(email)s", {"email": email})
    tx.run("DELETE FROM inbox_threads WHERE correspondent = %(email)s", {"email": email})
    tx.run(
        """
        UPDATE emails
        SET to_email = 'erased@erased.invalid', subject = '', metadata = '{}', error = NULL,
            status = CASE WHEN status IN ('queued', 'scheduled') THEN 'cancelled' ELSE status END,
            finished_at = CASE WHEN status IN ('queued', 'scheduled') THEN clock_timestamp() ELSE finished_at END,
            next_sweep_at = CASE WHEN status IN ('queued', 'scheduled') THEN NULL ELSE next_sweep_at END
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": ids},
    )
    return ids


def emails_are_left(tx: Tx, email: str) -> bool:
    """Whether there are emails to the address, those included that are being sent just now."""
    return tx.one("SELECT id FROM emails WHERE to_email = %(email)s LIMIT 1", {"email": email}) is not None


def count_found(tx: Tx, job: Job, found: dict[str, int]) -> None:
    """Add to the record of what was done; the request got further."""
    tx.run(
        """
        UPDATE privacy_requests SET attempts = 0, found = found || (
          SELECT coalesce(jsonb_object_agg(key, coalesce((found ->> key)::bigint, 0) + value::bigint), '{}')
          FROM jsonb_each_text(%(found)s))
        WHERE id = %(id)s
        """,
        {"id": job.id, "found": jsonb(found)},
    )


def finish_erasure(tx: Tx, job: Job) -> None:
    """Nothing is left, the request's own knowledge of the address included."""
    tx.run(
        """
        UPDATE privacy_requests
        SET email = NULL, status = 'completed', completed_at = clock_timestamp()
        WHERE email = %(email)s AND (id = %(id)s OR status IN ('completed', 'expired'))
        """,
        {"id": job.id, "email": job.email},
    )


def finish_access(tx: Tx, job: Job, *, key: str, size: int, found: dict[str, int]) -> None:
    """The copy is there for seven days."""
    tx.run(
        """
        UPDATE privacy_requests
        SET status = 'completed', file_key = %(key)s, file_size = %(size)s, found = %(found)s,
            completed_at = clock_timestamp(), expires_at = clock_timestamp() + interval '7 days'
        WHERE id = %(id)s
        """,
        {"id": job.id, "key": key, "size": size, "found": jsonb(found)},
    )


def fail(tx: Tx, job: Job, message: str) -> None:
    """The request has failed."""
    tx.run(
        """
        UPDATE privacy_requests SET status = 'failed', error_message = %(message)s, completed_at = clock_timestamp()
        WHERE id = %(id)s
        """,
        {"id": job.id, "message": message},
    )


SECTIONS: dict[str, LiteralString] = {
    "contacts": "SELECT to_jsonb(c) FROM contacts c WHERE email = %(email)s",
    "tags": """
        SELECT to_jsonb(t.name) FROM contacts c
        JOIN contact_tags l ON l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
        JOIN tags t ON t.tenant_id = l.tenant_id AND t.mode = l.mode AND t.id = l.tag_id
        WHERE c.email = %(email)s
        """,
    "lists": """
        SELECT to_jsonb(t.name) FROM contacts c
        JOIN contact_lists l ON l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
        JOIN lists t ON t.tenant_id = l.tenant_id AND t.mode = l.mode AND t.id = l.list_id
        WHERE c.email = %(email)s
        """,
    "workspaces": """
        SELECT to_jsonb(w.name) FROM contacts c
        JOIN contact_workspaces l ON l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
        JOIN workspaces w ON w.tenant_id = l.tenant_id AND w.id = l.workspace_id
        WHERE c.email = %(email)s
        """,
    "campaigns": """
        SELECT to_jsonb(l) || jsonb_build_object('campaign', g.name) FROM contacts c
        JOIN campaign_contacts l ON l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
        JOIN campaigns g ON g.tenant_id = l.tenant_id AND g.mode = l.mode AND g.id = l.campaign_id
        WHERE c.email = %(email)s
        """,
    "emails": """
        SELECT to_jsonb(e) || jsonb_build_object('text', t.content_text, 'html', t.content_html) FROM emails e
        LEFT JOIN content_objects t ON t.tenant_id = e.tenant_id AND t.mode = e.mode AND t.storage_key = e.content_key
        WHERE e.to_email = %(email)s ORDER BY e.created_at, e.id
        """,
    "email_attachments": """
        SELECT jsonb_build_object('email_id', e.id, 'file_name', a.file_name, 'content_type', a.content_type,
                                  'size', coalesce(a.size, octet_length(a.content)),
                                  'sha256', encode(sha256(a.content), 'hex'), 'file_key', u.file_key)
        FROM emails e
        JOIN email_attachments a ON a.tenant_id = e.tenant_id AND a.mode = e.mode AND a.content_key = e.content_key
        LEFT JOIN email_uploads u ON u.tenant_id = a.tenant_id AND u.mode = a.mode AND u.id = a.upload_id
        WHERE e.to_email = %(email)s ORDER BY e.created_at, e.id, a.position
        """,
    "email_events": """
        SELECT to_jsonb(h) FROM emails e
        JOIN email_events h ON h.tenant_id = e.tenant_id AND h.mode = e.mode AND h.email_id = e.id
        WHERE e.to_email = %(email)s ORDER BY h.occurred_at, h.id
        """,
    "events": """
        SELECT to_jsonb(v) FROM events v
        WHERE v.subject_id IN (SELECT id FROM contacts WHERE email = %(email)s
                               UNION ALL SELECT id FROM emails WHERE to_email = %(email)s)
        ORDER BY v.created_at, v.id
        """,
    "inbox_attachments": """
        SELECT to_jsonb(a) - 'content' || jsonb_build_object('content_base64', encode(a.content, 'base64'))
        FROM inbox_attachments a
        JOIN inbox_messages m ON m.tenant_id = a.tenant_id AND m.mode = a.mode AND m.id = a.message_id
        JOIN inbox_threads t ON t.tenant_id = m.tenant_id AND t.mode = m.mode AND t.id = m.thread_id
        WHERE t.correspondent = %(email)s ORDER BY m.received_at, m.id, a.position
        """,
    "inbox_messages": """
        SELECT to_jsonb(m) FROM inbox_messages m
        JOIN inbox_threads t ON t.tenant_id = m.tenant_id AND t.mode = m.mode AND t.id = m.thread_id
        WHERE t.correspondent = %(email)s ORDER BY m.received_at, m.id
        """,
    "soft_bounces": "SELECT to_jsonb(b) FROM soft_bounces b WHERE email = %(email)s",
    "suppression_list": "SELECT to_jsonb(s) FROM suppression_list s WHERE email = %(email)s",
}
"""What a copy holds, section by section.

Of files that were sent to the person: how each was called, and by which digest it is known. They have the files themselves,
which would make a copy as large as all their mail.
"""


def section(tx: Tx, name: str, email: str) -> list[Any]:
    """One section of a copy."""
    return tx.all(SECTIONS[name], {"email": email})
