"""SQL of segments."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "created_at", "name": "name"}
KINDS = {"created_at": "time", "name": "text"}
_SELECT: LiteralString = """
SELECT id, name, definition, count_cached, counted_at, created_at, updated_at FROM segments"""


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment with the count that was taken last."""

    id: UUID
    name: str
    definition: dict[str, Any]
    count_cached: int | None
    counted_at: datetime | None
    created_at: datetime
    updated_at: datetime


def list_segments(tx: Tx, keyset: Keyset) -> tuple[list[SegmentRow], int | None]:
    """A page of segments."""
    return select_page(tx, _SELECT, Conditions(), keyset, COLUMNS, SegmentRow)


def find_segment(tx: Tx, segment_id: UUID) -> SegmentRow | None:
    """One segment."""
    return tx.one(_SELECT + " WHERE id = %(id)s", {"id": segment_id}, SegmentRow)


def lock_segment(tx: Tx, segment_id: UUID) -> SegmentRow | None:
    """One segment, locked until the end of the transaction."""
    return tx.one(_SELECT + " WHERE id = %(id)s FOR UPDATE", {"id": segment_id}, SegmentRow)


def insert_segment(tx: Tx, segment_id: UUID, *, name: str, definition: dict[str, Any], count: int | None) -> None:
    """Add a segment; raises UniqueViolation when the name is taken."""
    tx.run(
        """
        INSERT INTO segments (id, tenant_id, mode, name, definition, count_cached, counted_at)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(name)s, %(definition)s, %(count)s,
                CASE WHEN %(count)s::bigint IS NOT NULL THEN now() END)
        """,
        {
            "id": segment_id,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "name": name,
            "definition": jsonb(definition),
            "count": count,
        },
    )


def update_segment(tx: Tx, segment_id: UUID, *, name: str, definition: dict[str, Any]) -> None:
    """Change name and rules; raises UniqueViolation when the name is taken."""
    tx.run(
        "UPDATE segments SET name = %(name)s, definition = %(definition)s WHERE id = %(id)s",
        {"id": segment_id, "name": name, "definition": jsonb(definition)},
    )


def keep_count(tx: Tx, segment_id: UUID, count: int | None) -> None:
    """Remember how many contacts a segment finds now; None when that is not known."""
    tx.run(
        """
        UPDATE segments SET count_cached = %(count)s, counted_at = CASE WHEN %(count)s::bigint IS NOT NULL THEN now() END
        WHERE id = %(id)s
        """,
        {"id": segment_id, "count": count},
    )


def delete_segment(tx: Tx, segment_id: UUID) -> None:
    """Remove a segment; raises ForeignKeyViolation while something refers to it."""
    tx.run("DELETE FROM segments WHERE id = %(id)s", {"id": segment_id})
