"""SQL of the removal of files: of any tenant, a batch at a time."""

from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class Stored:
    """A job and where its files are."""

    id: UUID
    keys: list[str]


def expired_exports(tx: Tx, batch: int) -> list[Stored]:
    """Exports whose seven days are over."""
    return tx.all(
        """
        SELECT id, ARRAY[file_key] AS keys FROM export_jobs
        WHERE status = 'completed' AND expires_at < now() ORDER BY expires_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        """,
        {"batch": batch},
        Stored,
    )


def mark_exports(tx: Tx, ids: list[UUID]) -> None:
    """Their files are gone."""
    tx.run(
        "UPDATE export_jobs SET status = 'expired', file_key = NULL WHERE id = ANY(%(ids)s::uuid[])",
        {"ids": ids},
    )


def expired_copies(tx: Tx, batch: int) -> list[Stored]:
    """Copies of personal data whose seven days are over."""
    return tx.all(
        """
        SELECT id, ARRAY[file_key] AS keys FROM privacy_requests
        WHERE file_key IS NOT NULL AND expires_at < now() ORDER BY expires_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        """,
        {"batch": batch},
        Stored,
    )


def mark_copies(tx: Tx, ids: list[UUID]) -> None:
    """Their files are gone."""
    tx.run(
        """
        UPDATE privacy_requests
        SET file_key = NULL, status = CASE WHEN status = 'completed' THEN 'expired' ELSE status END
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": ids},
    )


def ended_account_exports(tx: Tx, batch: int) -> list[Stored]:
    """Exports of accounts whose seven days are over, or that have failed; those without files are left out."""
    return tx.all(
        """
        SELECT e.id, (SELECT array_agg(p.file_key) FROM account_export_parts p
                      WHERE p.tenant_id = e.tenant_id AND p.export_id = e.id) AS keys
        FROM account_exports e
        WHERE (e.status = 'completed' AND e.expires_at < now() OR e.status = 'failed')
          AND EXISTS (SELECT FROM account_export_parts p WHERE p.tenant_id = e.tenant_id AND p.export_id = e.id)
        ORDER BY e.created_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        """,
        {"batch": batch},
        Stored,
    )


def mark_account_exports(tx: Tx, ids: list[UUID]) -> None:
    """Their files are gone."""
    tx.run("DELETE FROM account_export_parts WHERE export_id = ANY(%(ids)s::uuid[])", {"ids": ids})
    tx.run(
        "UPDATE account_exports SET status = 'expired' WHERE id = ANY(%(ids)s::uuid[]) AND status = 'completed'",
        {"ids": ids},
    )


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An uploaded file of mails whose seven days are over."""

    id: UUID
    file_key: str
    content_type: str
    is_needed: bool
    """By a mail that has not reached its end."""
    is_old: bool
    """Half as old as files may get in the bucket."""


def expired_uploads(tx: Tx, batch: int) -> list[UploadRow]:
    """Uploaded files whose time is over, or that are to be looked at again.

    Not those of the last hour: a request that has begun before may still be about to name them.
    """
    return tx.all(
        """
        SELECT u.id, u.file_key, u.content_type, u.renewed_at < now() - interval '20 days' AS is_old, EXISTS (
          SELECT FROM email_attachments a
          JOIN emails e ON e.tenant_id = a.tenant_id AND e.mode = a.mode AND e.created_at = a.queued_at
                       AND e.content_key = a.content_key
          WHERE a.tenant_id = u.tenant_id AND a.mode = u.mode AND a.upload_id = u.id
            AND e.status IN ('scheduled', 'queued', 'sending')) AS is_needed
        FROM email_uploads u
        WHERE u.look_at < now() - interval '1 hour' ORDER BY u.look_at LIMIT %(batch)s FOR UPDATE OF u SKIP LOCKED
        """,
        {"batch": batch},
        UploadRow,
    )


def forget_uploads(tx: Tx, ids: list[UUID]) -> None:
    """Their files are gone; the mails they went with keep name, type and size."""
    tx.run("DELETE FROM email_uploads WHERE id = ANY(%(ids)s::uuid[])", {"ids": ids})


def keep_uploads(tx: Tx, ids: list[UUID], renewed: list[UUID]) -> None:
    """Look at them again tomorrow; what was renewed is young again."""
    tx.run(
        """
        UPDATE email_uploads
        SET look_at = now() + interval '20 hours',
            renewed_at = CASE WHEN id = ANY(%(renewed)s::uuid[]) THEN now() ELSE renewed_at END
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": ids, "renewed": renewed},
    )


def old_imports(tx: Tx, batch: int) -> list[Stored]:
    """Imports that were created thirty days ago, with the file and the report of each."""
    return tx.all(
        """
        SELECT id, array_remove(ARRAY[file_key, error_file_key], NULL) AS keys FROM import_jobs
        WHERE files_removed_at IS NULL AND created_at < now() - interval '30 days'
        ORDER BY created_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        """,
        {"batch": batch},
        Stored,
    )


def mark_imports(tx: Tx, ids: list[UUID]) -> None:
    """Their files, and what a rollback would need, are gone; one that has not ended by now has failed."""
    tx.run("DELETE FROM import_events WHERE job_id = ANY(%(ids)s::uuid[])", {"ids": ids})
    tx.run(
        """
        UPDATE import_jobs
        SET files_removed_at = clock_timestamp(),
            error_code = CASE WHEN status IN ('pending', 'processing', 'rolling_back') THEN 'abandoned' ELSE error_code END,
            error_message = CASE WHEN status = 'rolling_back' THEN 'The rollback was not finished within 30 days.'
                                 WHEN status IN ('pending', 'processing') THEN 'The import was not finished within 30 days.'
                                 ELSE error_message END,
            status = CASE WHEN status IN ('pending', 'processing', 'rolling_back') THEN 'failed' ELSE status END
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": ids},
    )
    tx.all("SELECT import_staging.close(id) FROM unnest(%(ids)s::uuid[]) AS id", {"ids": ids})
