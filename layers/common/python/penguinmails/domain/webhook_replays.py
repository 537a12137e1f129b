"""Which stored events a replay sends again: counted when it is asked for, and gone through by the fan-out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.webhook_filters import compile_filter, view_of
from penguinmails.domain.webhook_matching import contact_of, tags_of

LONGEST_DAYS = 30
MOST_EVENTS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The events of a span of time that a webhook is to get again."""

    webhook_id: UUID
    start: datetime
    end: datetime
    event_types: Sequence[str]
    event_filters: dict[str, Any] | None
    only_undelivered: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored event; `data` only where there is a filter."""

    id: UUID
    type: str
    created_at: datetime
    workspace_id: UUID | None
    data: Any


def events_after(tx: Tx, wanted: Selection, position: tuple[datetime, UUID] | None, limit: int) -> list[Stored]:
    """The next events of a selection in their order, filters aside."""
    after_at, after_id = position or (wanted.start, UUID(int=0))
    return tx.all(
        """
        SELECT e.id, e.type, e.created_at, e.workspace_id, CASE WHEN %(is_filtered)s THEN e.data END AS data
        FROM events e
        WHERE e.type = ANY(%(event_types)s) AND e.created_at >= %(start)s AND e.created_at < %(end)s
          AND e.subject_id IS DISTINCT FROM %(webhook_id)s
          AND (e.created_at, e.id) > (%(after_at)s, %(after_id)s)
          AND (NOT %(only_undelivered)s OR NOT EXISTS (
            SELECT 1 FROM webhook_deliveries d
            WHERE d.tenant_id = e.tenant_id AND d.mode = e.mode AND d.webhook_id = %(webhook_id)s AND d.event_id = e.id
              AND d.event_created_at = e.created_at AND d.status = 'success'))
        ORDER BY e.created_at, e.id LIMIT %(limit)s
        """,
        {
            "is_filtered": bool(wanted.event_filters),
            "event_types": list(wanted.event_types),
            "start": wanted.start,
            "end": wanted.end,
            "after_at": after_at,
            "after_id": after_id,
            "only_undelivered": wanted.only_undelivered,
            "webhook_id": wanted.webhook_id,
            "limit": limit,
        },
        Stored,
    )


def matching(tx: Tx, wanted: Selection, events: Sequence[Stored]) -> list[Stored]:
    """Those that the selection's filter takes."""
    if not wanted.event_filters:
        return list(events)
    takes = compile_filter(wanted.event_filters)
    tags = tags_of(tx, [contact_of(event.data) for event in events]) if takes.needs_tags else {}
    return [
        event
        for event in events
        if takes.matches(
            view_of(event.type, event.workspace_id, event.data or {}, tags.get(contact_of(event.data), ()))
        )
    ]
