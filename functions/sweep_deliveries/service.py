"""Takes up deliveries whose time has come."""

from penguinmails.db import transaction
from penguinmails.domain.deliveries import DeliveryRef, message
from penguinmails.domain.sweeps import Swept, requeue
from penguinmails.logging import count
from sweep_deliveries import repository

BATCH = 500


def sweep() -> int:
    """One batch: put its next sweep off, and send its messages once that is committed."""
    with transaction(role="jobs") as tx:
        rows = repository.take_due(tx, BATCH)
        failing = repository.count_failing_webhooks(tx) if len(rows) < BATCH else None
    requeue(
        "deliveries",
        [Swept(row.tenant_id, row.mode, message(DeliveryRef(row.id, row.event_created_at))) for row in rows],
    )
    if failing is not None:
        count("webhooks_failing", failing)
    return len(rows)
