"""Publishes what is left in the outbox."""

from penguinmails.db import transaction
from penguinmails.errors import ServiceUnavailable
from penguinmails.events.outbox import OutboxRow, forget, publish
from penguinmails.logging import count
from sweep_outbox import repository

BATCH = 200
_MOST_ANNOUNCED = 5_000


def sweep() -> int:
    """One batch: sent and deleted in one transaction, so that a crash in between sends it twice and never loses it."""
    with transaction(role="jobs") as tx:
        rows = repository.lock_stale(tx, BATCH)
        taken = publish(rows, timeout_seconds=5, attempts=2)
        forget(tx, taken)
        waiting = repository.count_waiting(tx)
    count("queue_depth", waiting, queue="outbox")
    _require_queues(rows, taken)
    if len(rows) < BATCH:
        _announce_again()
    return len(taken)


def _announce_again() -> None:
    """Tell the fan-out which tenants have events that wait. These stay: taken from the table they keep their order."""
    with transaction(role="jobs") as tx:
        rows = repository.oldest_announced(tx, _MOST_ANNOUNCED)
    _require_queues(rows, publish(rows, timeout_seconds=5, attempts=2))


def _require_queues(rows: list[OutboxRow], taken: list[OutboxRow]) -> None:
    if rows and not taken:
        raise ServiceUnavailable.retry_in(60, "No queue takes messages; they stay in the outbox.")
