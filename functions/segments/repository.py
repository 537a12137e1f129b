"""SQL of segments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "created_at", "name": "name"}
KINDS = {"created_at": "time", "name": "text"}
_SELECT: LiteralString = """
SELECT id, name, definition, count_cached, counted_at, count_due_at IS NOT NULL AS counting, created_at, updated_at
FROM segments"""


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment with the count that was taken last."""

    id: UUID
    name: str
    definition: dict[str, Any]
    count_cached: int | None
    counted_at: datetime | None
    counting: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class _Named:
    id: UUID
    kind: str


def list_segments(tx: Tx, keyset: Keyset) -> tuple[list[SegmentRow], int | None]:
    """A page of segments."""
    return select_page(tx, _SELECT, Conditions(), keyset, COLUMNS, SegmentRow)


def find_segment(tx: Tx, segment_id: UUID) -> SegmentRow | None:
    """One segment."""
    return tx.one(_SELECT + " WHERE id = %(id)s", {"id": segment_id}, SegmentRow)


def lock_segment(tx: Tx, segment_id: UUID) -> SegmentRow | None:
    """One segment, locked until the end of the transaction."""
    return tx.one(_SELECT + " WHERE id = %(id)s FOR UPDATE", {"id": segment_id}, SegmentRow)


def insert_segment(tx: Tx, segment_id: UUID, *, name: str, definition: dict[str, Any]) -> None:
    """Add a segment; raises UniqueViolation when the name is taken."""
    tx.run(
        """
        INSERT INTO segments (id, tenant_id, mode, name, definition)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(name)s, %(definition)s)
        """,
        {
            "id": segment_id,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "name": name,
            "definition": jsonb(definition),
        },
    )


def kinds_of(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Those of the ids that are lists (`static`, `dynamic`) or workspaces; none is deleted before the transaction ends."""
    found = tx.all(
        """
        SELECT * FROM (SELECT id, type::text AS kind FROM lists WHERE id = ANY(%(ids)s::uuid[]) FOR KEY SHARE) l
        UNION ALL SELECT id, 'workspace' FROM workspaces WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": list(ids)},
        _Named,
    )
    return {row.id: row.kind for row in found}


def update_segment(tx: Tx, segment_id: UUID, *, name: str, definition: dict[str, Any]) -> None:
    """Change name and rules; raises UniqueViolation when the name is taken."""
    tx.run(
        "UPDATE segments SET name = %(name)s, definition = %(definition)s WHERE id = %(id)s",
        {"id": segment_id, "name": name, "definition": jsonb(definition)},
    )


def delete_segment(tx: Tx, segment_id: UUID) -> None:
    """Remove a segment; raises ForeignKeyViolation while something refers to it."""
    tx.run("DELETE FROM segments WHERE id = %(id)s", {"id": segment_id})
