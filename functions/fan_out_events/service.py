"""Fans one event out to its subscribers."""

from datetime import datetime
from uuid import UUID

from fan_out_events import repository
from penguinmails.db import transaction
from penguinmails.domain.deliveries import messages
from penguinmails.events.outbox import send_after_commit
from penguinmails.queue import Record


def handle(record: Record) -> None:
    """Store the deliveries of an event, or of the events of one bulk change, and hand them to the dispatcher.

    Subscriptions are read from PostgreSQL each time: a webhook that was answered 201 misses nothing. A message that
    comes twice makes no second delivery.
    """
    created_at = datetime.fromisoformat(record.body["created_at"])
    event_ids = record.body["event_ids"] if "event_ids" in record.body else [record.body["event_id"]]
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        deliveries = repository.insert_deliveries(tx, [UUID(event_id) for event_id in event_ids], created_at)
        send_after_commit(tx, "deliveries", messages(deliveries))
