"""SQL of the export worker."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class Job:
    """One export, and how far it is."""

    id: UUID
    filters: dict[str, Any]
    selected_fields: list[str]
    file_format: Literal["csv", "xlsx", "json"]
    part_keys: list[str]
    last_created_at: datetime | None
    last_id: UUID | None
    is_read: bool
    processed_contacts: int
    """How many are in the parts."""


def begin(tx: Tx, job_id: UUID) -> Job | None:
    """The job, marked as running; None when it has ended or is gone."""
    return tx.one(
        """
        UPDATE export_jobs SET status = 'processing', started_at = coalesce(started_at, clock_timestamp())
        WHERE id = %(id)s AND status IN ('pending', 'processing')
        RETURNING id, filters, selected_fields, file_format, part_keys, last_created_at, last_id, is_read,
                  processed_contacts
        """,
        {"id": job_id},
        Job,
    )


def add_part(
    tx: Tx, job: Job, *, key: str | None, contacts: int, last: tuple[datetime, UUID] | None, is_read: bool
) -> Job | None:
    """Record the next part, or how far nobody was found; None when another worker got on since, or has ended the job."""
    return tx.one(
        """
        UPDATE export_jobs
        SET part_keys = part_keys || array_remove(ARRAY[%(key)s::text], NULL),
            processed_contacts = processed_contacts + %(contacts)s,
            last_created_at = coalesce(%(last_created_at)s, last_created_at), last_id = coalesce(%(last_id)s, last_id),
            is_read = %(is_read)s
        WHERE id = %(id)s AND status = 'processing' AND part_keys = %(known_keys)s::text[]
          AND last_created_at IS NOT DISTINCT FROM %(known_created_at)s AND last_id IS NOT DISTINCT FROM %(known_id)s
        RETURNING id, filters, selected_fields, file_format, part_keys, last_created_at, last_id, is_read,
                  processed_contacts
        """,
        {
            "id": job.id,
            "key": key,
            "contacts": contacts,
            "last_created_at": last and last[0],
            "last_id": last and last[1],
            "is_read": is_read,
            "known_keys": job.part_keys,
            "known_created_at": job.last_created_at,
            "known_id": job.last_id,
        },
        Job,
    )


def finish(tx: Tx, job_id: UUID, *, key: str, size: int) -> bool:
    """The file is stored and kept for seven days; False when another worker has ended the job before."""
    return bool(
        tx.run(
            """
            UPDATE export_jobs SET status = 'completed', file_key = %(key)s, file_size = %(size)s, part_keys = '{}',
                                   completed_at = clock_timestamp(), expires_at = clock_timestamp() + interval '7 days'
            WHERE id = %(id)s AND status = 'processing'
            """,
            {"id": job_id, "key": key, "size": size},
        )
    )


def fail(tx: Tx, job_id: UUID, message: str) -> list[str]:
    """The job has failed; says why. The parts that it leaves behind."""
    return tx.all(
        """
        WITH ended AS (
          SELECT id, part_keys FROM export_jobs WHERE id = %(id)s AND status = 'processing' FOR UPDATE
        ), failed AS (
          UPDATE export_jobs j SET status = 'failed', error_message = %(message)s, completed_at = clock_timestamp(),
                                   part_keys = '{}'
          FROM ended WHERE j.id = ended.id
        )
        SELECT unnest(part_keys) FROM ended
        """,
        {"id": job_id, "message": message},
    )
