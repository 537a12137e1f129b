"""Events on their way to receivers that fail, while workers are killed and servers restarted: what is lost, what comes twice.

`python -m bench.soak_webhooks [events]`, 100,000 unless named. Of the first attempts one in five fails and one in ten is
slow. Retries are made due at once, or the run would take a day. The last line is the result as JSON.
"""

import contextlib
import json
import sys
import time
from typing import Any
from uuid import UUID

import psycopg

from bench.webhook_stack import WebhookStack, webhook_stack
from bench.webhook_worker import sample

_TENANTS = 10
_EVENTS_PER_CHANGE = 500
_SECONDS_PER_THOUSAND = 20
_SECONDS_AT_LEAST = 90


def store_events(tenants: list[UUID], number: int) -> None:
    """Bulk changes, a few hundred events each."""
    from penguinmails.db import transaction
    from penguinmails.events.emit import emit_many

    left = {tenant: number // len(tenants) for tenant in tenants}
    while any(left.values()):
        for tenant, waiting in left.items():
            some = min(waiting, _EVENTS_PER_CHANGE)
            with transaction(tenant_id=tenant, mode="live") as tx:
                emit_many(tx, [sample(1_000)] * some)
            left[tenant] -= some


def break_things(stack: WebhookStack) -> dict[float, Any]:
    """What happens after which share of the events was taken."""

    def kill(name: str) -> None:
        stack.kill(name)
        stack.launch(name)

    def restart(server: Any) -> None:
        server.stop()
        server.start()

    return {
        0.05: lambda: kill("dispatch-0"),
        0.15: lambda: restart(stack.stack.postgres),
        0.25: lambda: restart(stack.stack.valkey),
        0.4: lambda: kill("dispatch-1"),
    }


def make_retries_due(stack: WebhookStack) -> None:
    """Let nobody wait a minute for the first retry."""
    with contextlib.suppress(psycopg.OperationalError):
        stack.run(
            "UPDATE webhook_deliveries SET next_retry_at = now(), next_sweep_at = now() WHERE status = 'pending_retry'"
            " AND next_retry_at > now()"
        )


def carry_out(stack: WebhookStack, events: int) -> dict[str, Any]:
    """The whole run; what came of it."""
    tenants = [stack.make_tenant([f"/mix/soak-{number}"]) for number in range(_TENANTS)]
    store_events(tenants, events)
    began = time.monotonic()
    deadline = began + max(_SECONDS_AT_LEAST, events / 1_000 * _SECONDS_PER_THOUSAND)
    stack.launch_workers(1, 2)
    stack.launch("sweep-0")
    faults = break_things(stack)
    while (report := stack.report())["taken"] < events and time.monotonic() < deadline:
        due = [share for share in faults if report["taken"] >= share * events]
        for share in due:
            faults.pop(share)()
            print(f"  {time.monotonic() - began:6.1f} s: {report['taken']:,} taken, something breaks", flush=True)
        make_retries_due(stack)
        time.sleep(0.1)
    seconds = time.monotonic() - began
    stack.stop("fan_out", "dispatch", "sweep")
    report = stack.report()
    return {
        "events": events,
        "lost": events - report["taken"],
        "doubled": report["superfluous"],
        "refused first": report["refused"],
        "faults left out": len(faults),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Print the result."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with webhook_stack() as stack:
        print(json.dumps(carry_out(stack, events)))


if __name__ == "__main__":
    main()
