"""Publishes what is left in the outbox."""

from penguinmails.db import transaction
from penguinmails.errors import ServiceUnavailable
from penguinmails.events.outbox import forget, publish
from penguinmails.logging import count
from sweep_outbox import repository

BATCH = 200


def sweep() -> int:
    """One batch: sent and deleted in one transaction, so that a crash in between sends it twice and never loses it."""
    with transaction(role="jobs") as tx:
        rows = repository.lock_stale(tx, BATCH)
        taken = publish(rows, timeout_seconds=5, attempts=2)
        forget(tx, taken)
        waiting = repository.count_waiting(tx)
    count("queue_depth", waiting, queue="outbox")
    if rows and not taken:
        raise ServiceUnavailable.retry_in(60, "No queue takes messages; they stay in the outbox.")
    return len(taken)
