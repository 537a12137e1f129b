"""Raises events in the transaction of the change that caused them."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx, jsonb
from penguinmails.events import outbox
from penguinmails.events.catalogue import Event, subject_of
from penguinmails.events.outbox import HAS_ORDERED_WEBHOOK
from penguinmails.ids import new_uuid7

EVENTS_PER_MESSAGE = 100


def emit(tx: Tx, event: Event, *, workspace_id: UUID | None = None) -> UUID:
    """Store the event and the message that fans it out to subscribers; both exist exactly when the change does."""
    event_id, created_at = new_uuid7(), clock.now()
    message = outbox.row_of(tx, "events", {"event_id": event_id, "created_at": created_at.isoformat()})
    tx.run(
        """
        WITH message AS (
          INSERT INTO outbox (id, tenant_id, mode, queue, payload)
          VALUES (%(message_id)s, %(tenant_id)s, %(mode)s, 'events', %(message)s)
        )
        INSERT INTO events (id, tenant_id, mode, workspace_id, type, schema_version, data, subject_id, created_at)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(workspace_id)s, %(type)s, %(schema_version)s, %(data)s,
                %(subject_id)s, %(created_at)s)
        """,
        {
            "message_id": message.id,
            "message": jsonb(message.payload),
            "id": event_id,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "workspace_id": workspace_id,
            "type": event.type,
            "schema_version": event.schema_version,
            "data": jsonb(_document(event)),
            "subject_id": subject_of(event),
            "created_at": created_at,
        },
    )
    outbox.publish_after_commit(tx, [message])
    return event_id


def emit_many(tx: Tx, events: Sequence[Event]) -> None:
    """`emit` for the events of a bulk change, in their order: one statement, and one message per hundred of them."""
    if not events:
        return
    # They share a moment, so their ids say in which order they were raised.
    ids, created_at = sorted(new_uuid7() for _ in events), clock.now()
    tx.run(
        """
        INSERT INTO events (id, tenant_id, mode, type, schema_version, data, subject_id, created_at)
        SELECT new.id, %(tenant_id)s, %(mode)s, new.type, new.schema_version, new.data, new.subject_id, %(created_at)s
        FROM unnest(%(ids)s::uuid[], %(types)s::text[], %(versions)s::integer[], %(data)s::jsonb[],
                    %(subjects)s::uuid[]) AS new (id, type, schema_version, data, subject_id)
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "created_at": created_at,
            "ids": ids,
            "types": [event.type for event in events],
            "versions": [event.schema_version for event in events],
            "data": [jsonb(_document(event)) for event in events],
            "subjects": [subject_of(event) for event in events],
        },
    )
    announce(tx, ids, created_at.isoformat())


def announce(tx: Tx, event_ids: Sequence[UUID] | Sequence[str], created_at: str) -> None:
    """Have stored events of one moment (ISO 8601) fanned out once the transaction commits."""
    if not event_ids:
        return
    how: dict[str, Any] = {"in_order": True} if _has_ordered_webhook(tx) else {}
    messages = [
        {"event_ids": list(event_ids[start : start + EVENTS_PER_MESSAGE]), "created_at": created_at, **how}
        for start in range(0, len(event_ids), EVENTS_PER_MESSAGE)
    ]
    outbox.enqueue_many(tx, "events", messages)


def _has_ordered_webhook(tx: Tx) -> bool:
    return tx.one("SELECT " + HAS_ORDERED_WEBHOOK, {})


def _document(part: Any) -> dict[str, Any]:
    """`dataclasses.asdict` without its deep copies, which cost more than all else about an event."""
    return {name: _document(value) if is_dataclass(value) else value for name, value in _items(part)}


def _items(part: Any) -> list[tuple[str, Any]]:
    return [(name, getattr(part, name)) for name in _names(type(part))]


@lru_cache(maxsize=64)
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
