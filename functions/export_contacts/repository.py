"""SQL of the export worker."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class Job:
    """One export."""

    id: UUID
    filters: dict[str, Any]
    selected_fields: list[str]
    file_format: Literal["csv", "xlsx", "json"]


def begin(tx: Tx, job_id: UUID) -> Job | None:
    """The job, marked as running; None when it has ended or is gone."""
    return tx.one(
        """
        UPDATE export_jobs SET status = 'processing', started_at = clock_timestamp(), processed_contacts = 0
        WHERE id = %(id)s AND status IN ('pending', 'processing')
        RETURNING id, filters, selected_fields, file_format
        """,
        {"id": job_id},
        Job,
    )


def move(tx: Tx, job_id: UUID, contacts: int) -> None:
    """Remember how many contacts are written."""
    tx.run("UPDATE export_jobs SET processed_contacts = %(n)s WHERE id = %(id)s", {"id": job_id, "n": contacts})


def finish(tx: Tx, job_id: UUID, *, key: str, size: int) -> bool:
    """The file is stored and kept for seven days; False when another worker has ended the job before."""
    return bool(
        tx.run(
            """
            UPDATE export_jobs SET status = 'completed', file_key = %(key)s, file_size = %(size)s,
                                   completed_at = clock_timestamp(), expires_at = clock_timestamp() + interval '7 days'
            WHERE id = %(id)s AND status = 'processing'
            """,
            {"id": job_id, "key": key, "size": size},
        )
    )


def fail(tx: Tx, job_id: UUID, message: str) -> None:
    """The job has failed; says why."""
    tx.run(
        """
        UPDATE export_jobs SET status = 'failed', error_message = %(message)s, completed_at = clock_timestamp()
        WHERE id = %(id)s AND status = 'processing'
        """,
        {"id": job_id, "message": message},
    )
