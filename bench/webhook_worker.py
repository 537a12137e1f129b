"""One process of the webhook bench: a consumer that takes messages off its queue as Lambda's mapping does, or a producer.

`python -m bench.webhook_worker fan_out|dispatch [PAUSE]`, `... sweep`, or `... produce RATE SECONDS SIZE FILE TENANT`:
events at an even rate, each in a transaction of its own, whose ids and moments of commit go to FILE.
"""

import contextlib
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench.queue_poller import QueuePoller
from penguinmails.db import transaction
from penguinmails.events.catalogue import ContactBlock, ContactCreated
from penguinmails.events.emit import emit
from penguinmails.ids import event_public_id

_CONSUMERS = {
    "fan_out": ("fan_out_events", "EVENTS_QUEUE_URL"),
    "dispatch": ("dispatch_webhooks", "DELIVERIES_QUEUE_URL"),
}
_OTHER_BYTES = 560
"""What an envelope holds besides the name that is padded."""
_POLL_SECONDS = 0.02
"""How long a consumer of an empty queue waits; the emulator's own long poll looks every 0.1 s only, where SQS answers at once."""


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        """Enough."""
        return 55_000


def sample(size: int) -> ContactCreated:
    """An event whose envelope has so many bytes."""
    name = "x" * max(1, size - _OTHER_BYTES)
    return ContactCreated(contact=ContactBlock(id=uuid4(), email="ada@example.com", first_name=name), source="api")


def consume(folder: str, queue: str, pause: float) -> None:
    """Batches of ten, until ended."""
    handler: Any = importlib.import_module(f"{folder}.app").handler
    poller = QueuePoller(queue)
    while True:
        if not poller.poll(handler, _Context(), most=10):
            time.sleep(pause)


def sweep() -> None:
    """What the schedules do each minute, without a pause."""
    from sweep_deliveries.app import handler as sweep_deliveries
    from sweep_outbox.app import handler as sweep_outbox

    while True:
        for job in (sweep_outbox, sweep_deliveries):
            # A server that is away is there again with the next round.
            with contextlib.suppress(Exception):
                job({}, _Context())
        time.sleep(1)


def produce(rate: float, seconds: float, size: int, file: str, tenant: str) -> None:
    """Open loop: what is late does not slow down what comes after; at rate 0 one after the other."""
    committed: list[tuple[str, float]] = []
    event, tenant_id = sample(size), UUID(tenant)
    began = time.monotonic()
    number = 0
    while time.monotonic() - began < seconds:
        if rate:
            due = began + number / rate
            if due - began >= seconds:
                break
            time.sleep(max(0.0, due - time.monotonic()))
        moment: list[float] = []
        with transaction(tenant_id=tenant_id, mode="live") as tx:
            tx.after_commit(lambda found=moment: found.append(time.time()))
            event_id = emit(tx, event)
        committed.append((event_public_id(event_id), moment[0]))
        number += 1
    Path(file).write_text(json.dumps(committed))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        if sys.argv[1] == "produce":
            produce(float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), sys.argv[5], sys.argv[6])
        elif sys.argv[1] == "sweep":
            sweep()
        else:
            consume(*_CONSUMERS[sys.argv[1]], pause=float(sys.argv[2]) if len(sys.argv) > 2 else _POLL_SECONDS)
