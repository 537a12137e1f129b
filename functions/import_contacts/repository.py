"""SQL of the import's jobs and its staging table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb


@dataclass(frozen=True, slots=True)
class Job:
    """One import and how far it is."""

    id: UUID
    status: str
    phase: Literal["reading", "checking", "merging", "reporting", "done"]
    file_type: Literal["csv", "tsv", "json", "xlsx"]
    file_key: str
    field_mapping: dict[str, str | None]
    options: dict[str, Any]
    layout: dict[str, Any] | None
    position: int
    next_line: int
    staged_rows: int
    last_line: int
    done_line: int


_SELECT: LiteralString = """
SELECT id, status, phase, file_type, file_key, coalesce(field_mapping, '{}') AS field_mapping, options, layout, position,
       next_line, staged_rows, last_line, done_line
FROM import_jobs WHERE id = %(id)s"""


def hold_job(tx: Tx, job_id: UUID) -> Job | None:
    """The job, locked for this slice; None when it is gone or another worker has it.

    Workers keep each other out by a lock of their own: the row may also be locked for a moment by a request about the job,
    which is waited for.
    """
    if not tx.one(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('import_jobs ' || %(id)s, 0))", {"id": str(job_id)}
    ):
        return None
    return tx.one(_SELECT + " FOR UPDATE", {"id": job_id}, Job)


def join_job(tx: Tx, job_id: UUID) -> Job | None:
    """The job, for a slice that is merged beside others; while it is, no worker can hold the job."""
    # Longer than usual, as slices wait for each other.
    tx.run("SET LOCAL statement_timeout = '60s'", {})
    tx.one("SELECT pg_advisory_xact_lock_shared(hashtextextended('import_jobs ' || %(id)s, 0))", {"id": str(job_id)})
    return tx.one(_SELECT, {"id": job_id}, Job)


def open_staging(tx: Tx, job_id: UUID) -> None:
    """Make the job's staging table unless it is there."""
    tx.one("SELECT import_staging.open(%(id)s)", {"id": job_id})


def close_staging(tx: Tx, job_id: UUID) -> None:
    """Drop the job's staging table."""
    tx.one("SELECT import_staging.close(%(id)s)", {"id": job_id})


def begin_reading(tx: Tx, job_id: UUID, layout: dict[str, Any], *, position: int, line: int) -> None:
    """Start from the first row."""
    tx.run(
        """
        UPDATE import_jobs
        SET layout = %(layout)s, phase = 'reading', position = %(position)s, next_line = %(line)s, staged_rows = 0,
            last_line = 0, done_line = 0
        WHERE id = %(id)s
        """,
        {"id": job_id, "layout": jsonb(layout), "position": position, "line": line},
    )


def stage_rows(tx: Tx, rows: Iterable[Sequence[Any]]) -> int:
    """Copy rows into their job's staging table; how many there were."""
    return tx.copy_in(
        """
        COPY import_staging.rows (job_id, line, contact_id, event_id, is_present, email, first_name, last_name, company,
                                  job_title, phone, city, state, country, lead_source, external_id, attributes, status,
                                  tags, fault_field, fault)
        FROM STDIN
        """,
        rows,
    )


def move_reading(
    tx: Tx, job_id: UUID, *, position: int, next_line: int, last_line: int, staged: int, ended: bool
) -> None:
    """Remember how far the file is read."""
    tx.run(
        """
        UPDATE import_jobs
        SET position = %(position)s, next_line = %(next_line)s, last_line = greatest(last_line, %(last_line)s),
            staged_rows = staged_rows + %(staged)s, phase = CASE WHEN %(ended)s THEN 'checking' ELSE 'reading' END
        WHERE id = %(id)s
        """,
        {
            "id": job_id,
            "position": position,
            "next_line": next_line,
            "last_line": last_line,
            "staged": staged,
            "ended": ended,
        },
    )


def count_staged(tx: Tx, job_id: UUID) -> int:
    """How many rows the staging table has; fewer than were copied after the database has crashed."""
    return tx.one("SELECT count(*) FROM import_staging.rows WHERE job_id = %(id)s", {"id": job_id})


def is_staged(tx: Tx, job_id: UUID, last_line: int) -> bool:
    """Whether the staging table still has its last row, which it loses when the database crashes."""
    return tx.one(
        "SELECT EXISTS (SELECT 1 FROM import_staging.rows WHERE job_id = %(id)s AND line = %(line)s)",
        {"id": job_id, "line": last_line},
    )


def empty_staging(tx: Tx, job_id: UUID) -> None:
    """Remove the staged rows."""
    tx.run("DELETE FROM import_staging.rows WHERE job_id = %(id)s", {"id": job_id})


def prepare_staging(tx: Tx, job_id: UUID) -> None:
    """Index the staged rows and mark those that repeat an address or external id of an earlier line."""
    tx.run("SET LOCAL statement_timeout = '240s'", {})
    tx.run("SET LOCAL work_mem = '64MB'", {})
    tx.one("SELECT import_staging.index(%(id)s)", {"id": job_id})
    tx.run(
        """
        UPDATE import_staging.rows r SET fault_field = 'email', fault = 'repeats the address of line ' || d.first
        FROM (SELECT line, min(line) OVER (PARTITION BY email) AS first FROM import_staging.rows
              WHERE job_id = %(id)s AND fault IS NULL) d
        WHERE r.job_id = %(id)s AND r.line = d.line AND d.line > d.first
        """,
        {"id": job_id},
    )
    tx.run(
        """
        UPDATE import_staging.rows r SET fault_field = 'external_id', fault = 'repeats the external id of line ' || d.first
        FROM (SELECT line, min(line) OVER (PARTITION BY external_id) AS first FROM import_staging.rows
              WHERE job_id = %(id)s AND fault IS NULL AND external_id IS NOT NULL) d
        WHERE r.job_id = %(id)s AND r.line = d.line AND d.line > d.first
        """,
        {"id": job_id},
    )


def count_new(tx: Tx, job_id: UUID) -> int:
    """How many contacts the job would add: those of whom neither address nor external id is there."""
    return tx.one(
        """
        SELECT count(*) FROM import_staging.rows r
        WHERE r.job_id = %(id)s AND r.fault IS NULL AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.email = r.email)
          AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.external_id = r.external_id)
        """,
        {"id": job_id},
    )


def set_phase(tx: Tx, job_id: UUID, phase: str) -> None:
    """Go on to another phase."""
    tx.run("UPDATE import_jobs SET phase = %(phase)s WHERE id = %(id)s", {"id": job_id, "phase": phase})


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that was left out."""

    line: int
    email: str | None
    fault_field: str | None
    fault: str


def faults_after(tx: Tx, job_id: UUID, line: int, limit: int) -> list[Fault]:
    """The next rows that were left out, in the order of the file."""
    return tx.all(
        """
        SELECT line, email, fault_field, fault FROM import_staging.rows
        WHERE job_id = %(id)s AND line > %(line)s AND fault IS NOT NULL ORDER BY line LIMIT %(limit)s
        """,
        {"id": job_id, "line": line, "limit": limit},
        Fault,
    )


def finish(tx: Tx, job_id: UUID, *, error_file_key: str | None, errors: int) -> None:
    """The job is done."""
    tx.run(
        """
        UPDATE import_jobs SET status = 'completed', phase = 'done', error_file_key = %(key)s, error_count = %(errors)s,
                               completed_at = clock_timestamp()
        WHERE id = %(id)s
        """,
        {"id": job_id, "key": error_file_key, "errors": errors},
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """What a job is at, how many contacts it has added and changed, and of how many it was taken back."""

    status: str
    created: int
    updated: int
    rolled_back: int


def progress_of(tx: Tx, job_id: UUID) -> Progress:
    """What the job's slices have done so far."""
    found = tx.one(
        """
        SELECT status, created_count AS created, updated_count AS updated, rolled_back_count AS rolled_back
        FROM import_jobs WHERE id = %(id)s
        """,
        {"id": job_id},
        Progress,
    )
    return found or Progress("", 0, 0, 0)


def fail(tx: Tx, job_id: UUID, *, code: str, message: str, line: int | None) -> None:
    """The job has failed; says why."""
    tx.run(
        """
        UPDATE import_jobs SET status = 'failed', phase = 'done', error_code = %(code)s, error_message = %(message)s,
                               error_line = %(line)s, completed_at = clock_timestamp()
        WHERE id = %(id)s AND status IN ('processing', 'rolling_back')
        """,
        {"id": job_id, "code": code, "message": message, "line": line},
    )
