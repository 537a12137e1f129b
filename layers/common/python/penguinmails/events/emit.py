"""Raises an event in the transaction of the change that caused it."""

from dataclasses import asdict
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx, jsonb
from penguinmails.events import outbox
from penguinmails.events.catalogue import Event, subject_of
from penguinmails.ids import new_uuid7


def emit(tx: Tx, event: Event, *, workspace_id: UUID | None = None) -> UUID:
    """Store the event and the message that fans it out to subscribers; both exist exactly when the change does."""
    event_id, created_at = new_uuid7(), clock.now()
    tx.run(
        """
        INSERT INTO events (id, tenant_id, mode, workspace_id, type, schema_version, data, subject_id, created_at)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(workspace_id)s, %(type)s, %(schema_version)s, %(data)s,
                %(subject_id)s, %(created_at)s)
        """,
        {
            "id": event_id,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "workspace_id": workspace_id,
            "type": event.type,
            "schema_version": event.schema_version,
            "data": jsonb(asdict(event)),
            "subject_id": subject_of(event),
            "created_at": created_at,
        },
    )
    outbox.enqueue(tx, "events", {"event_id": event_id, "created_at": created_at.isoformat()})
    return event_id
