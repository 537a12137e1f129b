"""SQL of the work on privacy requests: jobs across tenants, their work as the application."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from penguinmails.db import Mode, Tx, jsonb
from penguinmails.domain.mail_report_rows import forget_soft_bounces
from penguinmails.domain.suppression import forget_lifts


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


def erase_conversations(tx: Tx, email: str) -> int:
    """Remove the conversations with the address, and from those with others what it wrote; how many messages that were.

    What a conversation is shown by is taken from what is left of it. Those that it is about are locked first, so that an
    answer which comes meanwhile is there to be seen.
    """
    threads = tx.all(
        """
        SELECT id FROM inbox_threads
        WHERE id IN (SELECT id FROM inbox_threads WHERE correspondent = %(email)s
                     UNION ALL SELECT thread_id FROM inbox_messages WHERE from_email = %(email)s)
        ORDER BY id FOR UPDATE
        """,
        {"email": email},
    )
    if not threads:
        return 0
    about = {"email": email, "threads": threads}
    removed = tx.run(
        """
        DELETE FROM inbox_messages m USING inbox_threads t
        WHERE t.id = ANY(%(threads)s::uuid[]) AND m.tenant_id = t.tenant_id AND m.mode = t.mode AND m.thread_id = t.id
          AND (t.correspondent = %(email)s OR m.from_email = %(email)s)
        """,
        about,
    )
    tx.run(
        """
        DELETE FROM inbox_threads t
        WHERE t.id = ANY(%(threads)s::uuid[]) AND NOT EXISTS (
          SELECT FROM inbox_messages m WHERE m.tenant_id = t.tenant_id AND m.mode = t.mode AND m.thread_id = t.id)
        """,
        about,
    )
    tx.run(
        r"""
        UPDATE inbox_threads t
        SET subject = first.subject, snippet = left(btrim(regexp_replace(last.body_text, '\s+', ' ', 'g')), 200),
            last_message_at = last.received_at
        FROM inbox_threads k
        CROSS JOIN LATERAL (SELECT m.subject FROM inbox_messages m
                            WHERE m.tenant_id = k.tenant_id AND m.mode = k.mode AND m.thread_id = k.id
                            ORDER BY m.received_at, m.id LIMIT 1) first
        CROSS JOIN LATERAL (SELECT m.body_text, m.received_at FROM inbox_messages m
                            WHERE m.tenant_id = k.tenant_id AND m.mode = k.mode AND m.thread_id = k.id
                            ORDER BY m.received_at DESC, m.id DESC LIMIT 1) last
        WHERE k.id = ANY(%(threads)s::uuid[]) AND t.tenant_id = k.tenant_id AND t.mode = k.mode AND t.id = k.id
        """,
        about,
    )
    return removed


def erase_what_is_known_of(tx: Tx, email: str) -> None:
    """Forget what is kept by the address itself: what bounced, and with what consent a suppression was lifted."""
    forget_soft_bounces(tx, email)
    forget_lifts(tx, [email])


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
    """Nothing is left, what this request and those that have ended know of the address included."""
    tx.run(
        """
        UPDATE privacy_requests
        SET email = NULL, status = CASE WHEN id = %(id)s THEN 'completed' ELSE status END,
            completed_at = CASE WHEN id = %(id)s THEN clock_timestamp() ELSE completed_at END
        WHERE email = %(email)s AND (id = %(id)s OR status IN ('completed', 'expired', 'failed'))
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
