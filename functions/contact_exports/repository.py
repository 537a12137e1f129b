"""SQL of the export jobs as their owners see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "created_at"}
KINDS = {"created_at": "time"}
_SELECT: LiteralString = """
SELECT id, status, export_type, filters, selected_fields, file_format, file_key, file_size, processed_contacts,
       error_message, created_at, started_at, completed_at, expires_at
FROM export_jobs"""


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One job."""

    id: UUID
    status: Literal["pending", "processing", "completed", "failed", "expired"]
    export_type: Literal["full", "filtered", "segment"]
    filters: dict[str, Any]
    selected_fields: list[str]
    file_format: Literal["csv", "xlsx", "json"]
    file_key: str | None
    file_size: int | None
    processed_contacts: int
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime | None


def list_jobs(tx: Tx, keyset: Keyset) -> tuple[list[ExportRow], int | None]:
    """A page of jobs."""
    return select_page(tx, _SELECT, Conditions(), keyset, COLUMNS, ExportRow)


def find_job(tx: Tx, job_id: UUID) -> ExportRow | None:
    """One job."""
    return tx.one(_SELECT + " WHERE id = %(id)s", {"id": job_id}, ExportRow)


def insert_job(tx: Tx, job_id: UUID, values: dict[str, Any]) -> None:
    """Add a job."""
    tx.run(
        """
        INSERT INTO export_jobs (id, tenant_id, mode, export_type, filters, selected_fields, file_format, created_by)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(export_type)s, %(filters)s, %(selected_fields)s, %(file_format)s,
                %(created_by)s)
        """,
        {
            "id": job_id, "tenant_id": tx.tenant_id, "mode": tx.mode, **values, "filters": jsonb(values["filters"]),
        },
    )  # fmt: skip


def existing_ids(tx: Tx, *, list_id: UUID | None, workspace_id: UUID | None, segment_id: UUID | None) -> set[UUID]:
    """Those of the ids that exist, each as what it is named for."""
    return set(
        tx.all(
            """
            SELECT id FROM lists WHERE id = %(list_id)s
            UNION ALL SELECT id FROM workspaces WHERE id = %(workspace_id)s
            UNION ALL SELECT id FROM segments WHERE id = %(segment_id)s
            """,
            {"list_id": list_id, "workspace_id": workspace_id, "segment_id": segment_id},
        )
    )
