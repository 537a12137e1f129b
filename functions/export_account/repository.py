"""SQL of exports of accounts: jobs across tenants, rows as the application sees them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from penguinmails.db import Tx, jsonb


@dataclass(frozen=True, slots=True)
class Job:
    """One export: whose it is, how far it is, and how often this part was tried."""

    id: UUID
    tenant_id: UUID
    position: dict[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, and the columns of its key."""

    content: dict[str, Any]
    key: dict[str, Any]


def take(tx: Tx) -> Job | None:
    """An open export that no other worker holds, locked; trying is counted, so that one that always fails ends."""
    return tx.one(
        """
        UPDATE account_exports SET status = 'processing', attempts = attempts + 1
        WHERE id = (SELECT id FROM account_exports WHERE status IN ('pending', 'processing')
                    ORDER BY attempts, created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, tenant_id, position, attempts
        """,
        {},
        Job,
    )


def is_open(tx: Tx, job: Job) -> bool:
    """Whether the export stands where this worker found it, which is locked from now on."""
    return (
        tx.one(
            """
            SELECT id FROM account_exports
            WHERE id = %(id)s AND status = 'processing' AND position = %(position)s FOR UPDATE
            """,
            {"id": job.id, "position": jsonb(job.position)},
        )
        is not None
    )


def rows_after(tx: Tx, table: str, after: dict[str, Any] | None, batch: int) -> list[Row]:
    """The next rows of a table of the transaction's tenant and mode, in the order of its key."""
    return tx.all(
        "SELECT content, key FROM rows_in_order(%(table)s, %(after)s::jsonb, %(batch)s)",
        {"table": table, "after": None if after is None else jsonb(after), "batch": batch},
        Row,
    )


def deleted(tx: Tx) -> set[str]:
    """Ids of what is deleted and has rows left."""
    return set(tx.all("SELECT id::text FROM pending_removals", {}))


def add_part(tx: Tx, job: Job, values: dict[str, Any]) -> None:
    """Keep where a part is; parts are numbered in the order in which they were written."""
    tx.run(
        """
        INSERT INTO account_export_parts (tenant_id, export_id, number, name, file_key, file_size, row_count)
        SELECT %(tenant_id)s, %(export_id)s, count(*) + 1, %(name)s, %(file_key)s, %(file_size)s, %(row_count)s
        FROM account_export_parts WHERE export_id = %(export_id)s
        """,
        {"tenant_id": job.tenant_id, "export_id": job.id, **values},
    )


def move(tx: Tx, job: Job, position: dict[str, Any], rows: int) -> None:
    """The export is further by these rows."""
    tx.run(
        """
        UPDATE account_exports SET position = %(position)s, row_count = row_count + %(rows)s, attempts = 0
        WHERE id = %(id)s
        """,
        {"id": job.id, "position": jsonb(position), "rows": rows},
    )


def finish(tx: Tx, job: Job) -> None:
    """All parts are there, for seven days."""
    tx.run(
        """
        UPDATE account_exports SET status = 'completed', completed_at = clock_timestamp(),
                                   expires_at = clock_timestamp() + interval '7 days'
        WHERE id = %(id)s
        """,
        {"id": job.id},
    )


def fail(tx: Tx, job: Job, message: str) -> None:
    """The export has failed; its files are removed as those of finished ones are."""
    tx.run(
        """
        UPDATE account_exports SET status = 'failed', error_message = %(message)s, completed_at = clock_timestamp()
        WHERE id = %(id)s
        """,
        {"id": job.id, "message": message},
    )
