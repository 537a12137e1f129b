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
        SET file_key = NULL, status = CASE WHEN status = 'completed' AND email IS NOT NULL THEN 'expired' ELSE status END
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
            error_message = CASE WHEN status IN ('pending', 'processing', 'rolling_back')
                            THEN 'The import was not finished within 30 days.' ELSE error_message END,
            status = CASE WHEN status IN ('pending', 'processing', 'rolling_back') THEN 'failed' ELSE status END
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": ids},
    )
    tx.all("SELECT import_staging.close(id) FROM unnest(%(ids)s::uuid[]) AS id", {"ids": ids})
