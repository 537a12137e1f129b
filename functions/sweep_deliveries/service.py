"""Takes up deliveries whose time has come."""

from collections import defaultdict
from uuid import UUID

from penguinmails.db import Mode, transaction
from penguinmails.domain.deliveries import DeliveryRef, messages, wake_up
from penguinmails.domain.sweeps import Swept, requeue
from penguinmails.logging import count
from sweep_deliveries import repository

BATCH = 500


def sweep() -> int:
    """One batch: put its next sweep off, and send its messages once that is committed; after the last, wake who is parked."""
    with transaction(role="jobs") as tx:
        rows = repository.take_due(tx, BATCH)
        parked = [] if rows else repository.tenants_with_parked(tx)
        replays = repository.take_due_replays(tx)
        held = [] if rows else repository.webhooks_with_held_due(tx)
        failing = repository.count_failing_webhooks(tx) if len(rows) < BATCH else None
    by_tenant: dict[tuple[UUID, Mode], list[DeliveryRef]] = defaultdict(list)
    for row in rows:
        by_tenant[row.tenant_id, row.mode].append(DeliveryRef(row.id, row.event_created_at))
    due = [Swept(*tenant, message) for tenant, found in by_tenant.items() for message in messages(found)]
    requeue("deliveries", [*due, *(Swept(tenant.tenant_id, tenant.mode, wake_up()) for tenant in parked)])
    requeue("events", [Swept(replay.tenant_id, replay.mode, {"replay_id": str(replay.id)}) for replay in replays])
    requeue("events", [Swept(found.tenant_id, found.mode, {"held_of_webhook_id": str(found.id)}) for found in held])
    if failing is not None:
        count("webhooks_failing", failing)
    return len(rows)
