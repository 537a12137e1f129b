"""SQL of the counts that are under way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails.db import Mode, Tx

LEASE_SECONDS = 120
"""When another worker takes a count over whose worker died."""


@dataclass(frozen=True, slots=True)
class Due:
    """A segment of which the next part is to be counted."""

    id: UUID
    tenant_id: UUID
    mode: Mode


@dataclass(frozen=True, slots=True)
class Counting:
    """How far a count is."""

    definition: dict[str, Any]
    count_found: int
    count_from_at: datetime
    count_from_id: UUID


def take_due(tx: Tx) -> Due | None:
    """The segment, of any tenant, that has waited longest; it is not taken again for two minutes."""
    return tx.one(
        """
        UPDATE segments SET count_due_at = clock_timestamp() + make_interval(secs => %(lease)s)
        WHERE id = (SELECT id FROM segments WHERE count_due_at <= clock_timestamp()
                    ORDER BY count_due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, tenant_id, mode
        """,
        {"lease": LEASE_SECONDS},
        Due,
    )


def unprepared_field(tx: Tx) -> Due | None:
    """The field, of any tenant, that was declared first and is still to be prepared."""
    return tx.one(
        """
        SELECT id, tenant_id, mode FROM contact_fields WHERE NOT is_ready AND error_message IS NULL
        ORDER BY created_at LIMIT 1
        """,
        {},
        Due,
    )


def hold(tx: Tx, segment_id: UUID) -> Counting | None:
    """A segment, held so that nobody changes its rules meanwhile; None when there is nothing to count any more."""
    return tx.one(
        """
        SELECT definition, count_found, count_from_at, count_from_id FROM segments
        WHERE id = %(id)s AND count_due_at IS NOT NULL FOR NO KEY UPDATE
        """,
        {"id": segment_id},
        Counting,
    )
