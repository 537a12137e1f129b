"""SQL of the slices that a job is merged in: which there are, who has one, which are done."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from import_contacts.repository import Job
from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class Slice:
    """Lines of a job after one and up to another."""

    job_id: UUID
    number: int
    after: int
    upto: int

    def params(self, tx: Tx) -> dict[str, Any]:
        """What the statements of the merge name."""
        return {
            "job": self.job_id,
            "after": self.after,
            "upto": self.upto,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
        }


def count_left(tx: Tx, job_id: UUID) -> int | None:
    """How many slices are still to be merged; None when the job has not been cut into slices."""
    return tx.one(
        """
        SELECT count(*) FILTER (WHERE NOT is_merged) FROM import_staging.slices WHERE job_id = %(job)s
        HAVING count(*) > 0
        """,
        {"job": job_id},
    )


def cut(tx: Tx, job: Job, rows: int) -> int:
    """Cut what is not merged yet into slices of so many rows; how many slices."""
    return tx.run(
        """
        INSERT INTO import_staging.slices (job_id, number, after_line, upto_line)
        SELECT %(job)s, number, lag(upto, 1, %(after)s::bigint) OVER (ORDER BY number), upto
        FROM (SELECT place / %(rows)s AS number, max(line) AS upto
              FROM (SELECT line, row_number() OVER (ORDER BY line) - 1 AS place FROM import_staging.rows
                    WHERE job_id = %(job)s AND line > %(after)s) placed
              GROUP BY place / %(rows)s) cuts
        """,
        {"job": job.id, "after": job.done_line, "rows": rows},
    )


def claim(tx: Tx, job_id: UUID) -> Slice | None:
    """The next slice that nobody has, until the end of the transaction; None when there is none."""
    return tx.one(
        """
        SELECT job_id, number, after_line AS after, upto_line AS upto FROM import_staging.slices
        WHERE job_id = %(job)s AND NOT is_merged ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
        """,
        {"job": job_id},
        Slice,
    )


def finish(tx: Tx, part: Slice, *, created: int, updated: int, skipped: int, listed: int) -> int | None:
    """Remember that the slice is merged; how many now are. None when the job was ended meanwhile, so that it must not be.

    It comes last in the transaction: from here on whoever asks for the job, or is done with another slice of it, waits.
    """
    tx.run(
        "UPDATE import_staging.slices SET is_merged = true WHERE job_id = %(job)s AND number = %(number)s",
        {"job": part.job_id, "number": part.number},
    )
    return tx.one(
        """
        UPDATE import_jobs
        SET done_line = done_line + %(lines)s, merged_slices = merged_slices + 1,
            created_count = created_count + %(created)s, updated_count = updated_count + %(updated)s,
            skipped_count = skipped_count + %(skipped)s, listed_count = listed_count + %(listed)s
        WHERE id = %(job)s AND status = 'processing'
        RETURNING merged_slices
        """,
        {
            "job": part.job_id,
            "lines": part.upto - part.after,
            "created": created,
            "updated": updated,
            "skipped": skipped,
            "listed": listed,
        },
    )


@dataclass(frozen=True, slots=True)
class Contents:
    """What a slice's rows are, but for those that are left out already."""

    new: int
    present: int
    unsubscribed: int


def contents(tx: Tx, part: Slice) -> Contents:
    """Count the slice's rows by what has to be done about them, once those of present contacts are marked."""
    found = tx.one(
        """
        SELECT count(*) FILTER (WHERE NOT is_present) AS new, count(*) FILTER (WHERE is_present) AS present,
               count(*) FILTER (WHERE status = 'unsubscribed') AS unsubscribed
        FROM import_staging.rows WHERE job_id = %(job)s AND line > %(after)s AND line <= %(upto)s AND fault IS NULL
        """,
        part.params(tx),
        Contents,
    )
    return found or Contents(0, 0, 0)


def refresh_statistics(tx: Tx) -> None:
    """Tell the planner how large the tables have become."""
    tx.run("ANALYZE contacts, import_events", {})
