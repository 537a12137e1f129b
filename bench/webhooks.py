"""Webhooks end to end on one machine: from the commit of an event to the first byte at the customer's endpoint.

`python -m bench.webhooks [part ...]`; the parts are intake, latency, drain, forms, growth, fairness and kill, all unless named.
PostgreSQL is as durable as in production. A producer stores each event in a transaction of its own.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.platform import latency_line, machine, percentile
from bench.webhook_drains import measure_drain, measure_forms, measure_growth
from bench.webhook_stack import WebhookStack, webhook_stack

_SECONDS = 15
_RATES = ((100, 1), (300, 2), (1000, 2))
_SIZES = (1_000, 7_000)
_HANGING = 1_000
_DISPATCHERS = 8
"""Where receivers hang; the template lets twenty run at once."""


def latencies(stack: WebhookStack, files: list[Path]) -> tuple[list[float], int]:
    """Milliseconds from commit to first byte of what came, and how many did not."""
    arrived: dict[str, float] = {}
    for (_, event), moment in stack.arrivals().items():
        arrived[event] = min(moment, arrived.get(event, moment))
    committed = [(event, moment) for file in files for event, moment in json.loads(file.read_text())]
    found = [1000 * (arrived[event] - moment) for event, moment in committed if event in arrived]
    return found, len(committed) - len(found)


def open_loop(stack: WebhookStack, tenant: UUID, rate: float, size: int, producers: int) -> tuple[list[float], int]:
    """Load at an even rate, then time for what is still under way."""
    stack.forget()
    files = stack.produce(rate, _SECONDS, size, tenant, producers=producers)
    stack.wait_for_producers()
    sent = sum(len(json.loads(file.read_text())) for file in files)
    stack.wait_until_taken(sent, 30)
    return latencies(stack, files)


def measure_intake(stack: WebhookStack) -> None:
    """Events stored and announced by one process, one after the other, with nobody consuming."""
    tenant = stack.make_tenant(["/ok/intake"])
    for size in _SIZES:
        (file,) = stack.produce(0, 5, size, tenant)
        stack.wait_for_producers()
        print(f"intake, one process, {size:,} bytes: {len(json.loads(file.read_text())) / 5:,.0f} events/s")
    drain_queues(stack)


def drain_queues(stack: WebhookStack) -> None:
    """Forget what waits."""
    import boto3

    sqs = boto3.client("sqs", endpoint_url=stack.stack.aws.endpoint)
    for name in ("EventsQueue", "DeliveriesQueue"):
        sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])
    stack.run("TRUNCATE outbox")


def measure_latency(stack: WebhookStack) -> None:
    """Commit to first byte at several rates."""
    tenant = stack.make_tenant(["/ok/latency"])
    stack.launch_workers(1, 2)
    open_loop(stack, tenant, 20, 1_000, 1)
    for rate, producers in _RATES:
        for size in _SIZES:
            stack.run("SELECT pg_stat_statements_reset()")
            found, missing = open_loop(stack, tenant, rate, size, producers)
            name = f"{rate}/s wanted, {size:,} bytes"
            print(latency_line(name, found, _SECONDS), f"  not within 30 s: {missing}")
            counted = stack.statements()
            print(f"    statements per event: {counted['without control'] / max(1, len(found)):.1f}"
                  f" ({counted['all'] / max(1, len(found)):.1f} with transaction control)")  # fmt: skip
    stack.stop("fan_out", "dispatch")


def measure_fairness(stack: WebhookStack) -> None:
    """Tenants with hanging receivers beside one whose receiver is well: 200 deliveries per second to what hangs."""
    well = stack.make_tenant(["/ok/well"])
    stack.launch_workers(2, _DISPATCHERS)
    open_loop(stack, well, 20, 1_000, 1)
    alone, _ = open_loop(stack, well, 50, 1_000, 1)
    print(latency_line("50/s alone", alone, _SECONDS))
    for number in (1, _HANGING):
        ill = stack.make_tenant([f"/hang/{number}-{position}" for position in range(number)])
        beside, missing = _beside(stack, well, ill, 200 / number)
        print(latency_line(f"50/s beside {number:,} that hang", beside, _SECONDS), f"  not within 30 s: {missing}")
        ratio = percentile(beside, 0.95) / percentile(alone, 0.95)
        print(f"    p95 {ratio:.1f} times that alone")
    stack.stop("fan_out", "dispatch")


def _beside(stack: WebhookStack, well: UUID, ill: UUID, rate: float) -> tuple[list[float], int]:
    stack.forget()
    stack.produce(rate, _SECONDS + 10, 1_000, ill)
    time.sleep(8)
    files = stack.produce(50, _SECONDS, 1_000, well)
    stack.wait_for_producers()
    time.sleep(5)
    return latencies(stack, files)


def measure_kill(stack: WebhookStack) -> None:
    """A dispatcher killed in mid-load: when the last event came, and what came twice."""
    tenant = stack.make_tenant(["/ok/kill"])
    stack.launch_workers(1, 2)
    stack.forget()
    files = stack.produce(100, 2 * _SECONDS, 1_000, tenant)
    time.sleep(_SECONDS)
    killed_at = time.time()
    stack.kill("dispatch-0")
    stack.launch("dispatch-0")
    stack.wait_for_producers()
    sent = sum(len(json.loads(file.read_text())) for file in files)
    taken = stack.wait_until_taken(sent, 90)
    committed = {event: moment for file in files for event, moment in json.loads(file.read_text())}
    late = [
        moment - max(killed_at, committed[event])
        for (_, event), moment in stack.arrivals().items()
        if event in committed
    ]
    print(f"SIGKILL at 100/s: lost {sent - taken}, doubled {stack.report()['superfluous']}, the latest"
          f" {max(late):.1f} s after kill or commit")  # fmt: skip
    stack.stop("fan_out", "dispatch")


_PARTS: dict[str, Any] = {
    "intake": measure_intake,
    "latency": measure_latency,
    "drain": measure_drain,
    "forms": measure_forms,
    "growth": measure_growth,
    "fairness": measure_fairness,
    "kill": measure_kill,
}


def main() -> None:
    """Print what was asked for."""
    with webhook_stack() as stack:
        print(machine())
        for part in sys.argv[1:] or _PARTS:
            _PARTS[part](stack)


if __name__ == "__main__":
    main()
