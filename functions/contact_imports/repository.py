"""SQL of the import jobs as their owners see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "created_at"}
KINDS = {"created_at": "time"}
_SELECT: LiteralString = """
SELECT id, status, phase, file_name, file_type, file_size, file_key, error_file_key, field_mapping, options, position,
       last_line, done_line, staged_rows, created_count, updated_count, skipped_count, listed_count, error_count,
       rolled_back_count, kept_count, error_code, error_message, error_line, created_at, started_at, completed_at, rolled_back_at,
       files_removed_at
FROM import_jobs"""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One job."""

    id: UUID
    status: Literal["pending", "processing", "completed", "failed", "cancelled", "rolling_back", "rolled_back"]
    phase: str
    file_name: str
    file_type: Literal["csv", "tsv", "json", "xlsx"]
    file_size: int
    file_key: str
    error_file_key: str | None
    field_mapping: dict[str, str | None] | None
    options: dict[str, Any]
    position: int
    last_line: int
    done_line: int
    staged_rows: int
    created_count: int
    updated_count: int
    skipped_count: int
    listed_count: int
    error_count: int
    rolled_back_count: int
    kept_count: int
    error_code: str | None
    error_message: str | None
    error_line: int | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    rolled_back_at: datetime | None
    files_removed_at: datetime | None


def list_jobs(tx: Tx, keyset: Keyset, *, status: str | None) -> tuple[list[ImportRow], int | None]:
    """A page of jobs."""
    where = Conditions()
    where.add_given("status = %(status)s", status=status)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, ImportRow)


def find_job(tx: Tx, job_id: UUID) -> ImportRow | None:
    """One job."""
    return tx.one(_SELECT + " WHERE id = %(id)s", {"id": job_id}, ImportRow)


def lock_job(tx: Tx, job_id: UUID) -> ImportRow | None:
    """One job, locked until the end of the transaction."""
    return tx.one(_SELECT + " WHERE id = %(id)s FOR UPDATE", {"id": job_id}, ImportRow)


def insert_job(tx: Tx, job_id: UUID, values: dict[str, Any]) -> None:
    """Add a job that waits for its file or its start."""
    tx.run(
        """
        INSERT INTO import_jobs (id, tenant_id, mode, file_name, file_type, file_size, file_key, created_by)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(file_name)s, %(file_type)s, %(file_size)s, %(file_key)s, %(created_by)s)
        """,
        {"id": job_id, "tenant_id": tx.tenant_id, "mode": tx.mode, **values},
    )


def start_job(tx: Tx, job_id: UUID, *, mapping: dict[str, str | None], options: dict[str, Any]) -> None:
    """Hand a job to the worker."""
    tx.run(
        """
        UPDATE import_jobs SET status = 'processing', phase = 'reading', field_mapping = %(mapping)s, options = %(options)s,
                               started_at = clock_timestamp()
        WHERE id = %(id)s
        """,
        {"id": job_id, "mapping": jsonb(mapping), "options": jsonb(options)},
    )


def set_status(tx: Tx, job_id: UUID, status: str) -> None:
    """Change a job's state."""
    tx.run(
        """
        UPDATE import_jobs SET status = %(status)s, completed_at = coalesce(completed_at, clock_timestamp())
        WHERE id = %(id)s
        """,
        {"id": job_id, "status": status},
    )


def begin_rollback(tx: Tx, job_id: UUID) -> None:
    """Have a job taken back from its first row on, or what an earlier rollback that failed has left of it."""
    tx.run(
        """
        UPDATE import_jobs
        SET status = 'rolling_back', done_line = 0, kept_count = 0, completed_at = coalesce(completed_at, clock_timestamp()),
            error_message = CASE WHEN error_code = 'rollback_failed' THEN NULL ELSE error_message END,
            error_code = nullif(error_code, 'rollback_failed')
        WHERE id = %(id)s
        """,
        {"id": job_id},
    )


def is_later_one_rolling_back(tx: Tx, job_id: UUID) -> bool:
    """Whether an import that was started after this one is being taken back."""
    return tx.one(
        """
        SELECT EXISTS (SELECT 1 FROM import_jobs later JOIN import_jobs this ON later.started_at > this.started_at
                       WHERE this.id = %(id)s AND later.status = 'rolling_back')
        """,
        {"id": job_id},
    )


def is_static_list(tx: Tx, list_id: UUID) -> bool:
    """Whether there is such a static list."""
    return tx.one("SELECT EXISTS (SELECT 1 FROM lists WHERE id = %(id)s AND type = 'static')", {"id": list_id})
