"""How fast a stored backlog goes out: as it is, in order, in batches, and with much stored already."""

import time
from statistics import median
from typing import Any
from uuid import UUID, uuid4

from bench.webhook_stack import WebhookStack
from bench.webhook_worker import sample

_BACKLOG = 10_000
_WEBHOOKS = 4
_RUNS = 3
_STORED_WEBHOOKS = 10_000
_STORED_DELIVERIES = (1_000_000, 10_000_000)
_STORED_AT_ONCE = 1_000_000
_OTHER_TENANTS = 500


def store_backlog(stack: WebhookStack, tenant: UUID, events: int) -> None:
    """Events of bulk changes that nobody has fanned out yet."""
    from penguinmails.db import transaction
    from penguinmails.events.emit import emit_many

    stack.forget()
    for _ in range(events // 500):
        with transaction(tenant_id=tenant, mode="live") as tx:
            emit_many(tx, [sample(1_000) for _ in range(500)])


def drain(stack: WebhookStack, tenant: UUID) -> tuple[int, float]:
    """How many deliveries of the tenant's webhooks were taken, and in how many seconds, the start of the workers included."""
    store_backlog(stack, tenant, _BACKLOG // _WEBHOOKS)
    stack.run("SELECT pg_stat_statements_reset()")
    began = time.monotonic()
    stack.launch_workers(1, 2)
    taken = stack.wait_until_taken(_BACKLOG, 120)
    seconds = time.monotonic() - began
    _wait_until_recorded(stack, tenant)
    stack.stop("fan_out", "dispatch")
    return taken, seconds


def _wait_until_recorded(stack: WebhookStack, tenant: UUID) -> None:
    """A worker that is stopped before holds its slots until their leases end, and the next drain would wait for them."""
    sending = "SELECT count(*) FROM webhook_deliveries WHERE tenant_id = %s AND status = 'sending'"
    deadline = time.monotonic() + 10
    while stack.ask(sending, tenant) and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(0.5)


def measure_drain(stack: WebhookStack) -> None:
    """Each event in a post of its own."""
    tenant = stack.make_tenant([f"/ok/drain-{number}" for number in range(_WEBHOOKS)])
    taken, seconds = drain(stack, tenant)
    counted = stack.statements()
    print(
        f"drain of {taken:,} deliveries to {_WEBHOOKS} webhooks: {taken / seconds:,.0f}/s (start of the workers included)"
    )
    print(f"    statements per delivery: {counted['without control'] / taken:.2f}"
          f" ({counted['all'] / taken:.2f} with transaction control)")  # fmt: skip


def measure_forms(stack: WebhookStack) -> None:
    """The same backlog in order, and in batches; each event is of another contact."""
    forms: dict[str, dict[str, Any]] = {
        "as it is": {},
        "in order": {"ordering": "contact"},
        "in batches of 100": {"batch_size": 100},
        "in order, in batches of 100": {"ordering": "contact", "batch_size": 100},
    }
    for name, fields in forms.items():
        paths = [f"/ok/{uuid4().hex}" for _ in range(_WEBHOOKS)]
        tenant = stack.make_tenant(paths, **fields)
        store_backlog(stack, tenant, _BACKLOG // _WEBHOOKS)
        began = time.monotonic()
        stack.launch_workers(1, 2)
        while (
            stack.ask("SELECT count(*) FROM webhook_deliveries WHERE tenant_id = %s AND status = 'success'", tenant)
            < _BACKLOG
            and time.monotonic() < began + 120
        ):
            time.sleep(0.2)
        seconds = time.monotonic() - began
        stack.stop("fan_out", "dispatch")
        print(f"drain {name}: {_BACKLOG / seconds:,.0f}/s in {stack.report()['posts']:,} posts")


def measure_growth(stack: WebhookStack) -> None:
    """The same backlog beside few webhooks, ten thousand, and millions of deliveries, a tenth of them the account's own."""
    tenant = stack.make_tenant([f"/ok/growth-{number}" for number in range(_WEBHOOKS)])
    drain(stack, tenant)
    first = _print_rate(stack, tenant, "few webhooks, few deliveries", None)
    others = [uuid4() for _ in range(_OTHER_TENANTS)]
    stack.run("INSERT INTO tenants (id, name) SELECT id, 'Bench' FROM unnest(%s::uuid[]) AS new (id)", others)
    stack.run(
        """
        INSERT INTO webhooks (id, tenant_id, mode, name, endpoint_url, secret_ref, secret_last3, event_types, created_by)
        SELECT gen_random_uuid(), t.id, w.mode, w.name, w.endpoint_url, w.secret_ref, w.secret_last3, w.event_types, w.created_by
        FROM unnest(%s::uuid[]) AS t (id)
        CROSS JOIN (SELECT * FROM webhooks WHERE tenant_id = %s LIMIT 1) w CROSS JOIN generate_series(1, %s)
        """,
        others,
        tenant,
        _STORED_WEBHOOKS // _OTHER_TENANTS,
    )
    _print_rate(stack, tenant, f"{_STORED_WEBHOOKS:,} webhooks", first)
    for total in _STORED_DELIVERIES:
        stored = _store_deliveries(stack, tenant, total)
        _print_rate(stack, tenant, f"{_STORED_WEBHOOKS:,} webhooks, {stored:,} deliveries", first)


def _store_deliveries(stack: WebhookStack, tenant: UUID, total: int) -> int:
    """Fill the table up with deliveries that have arrived, a tenth of them the tenant's own; how many there are then."""
    missing = total - stack.ask("SELECT count(*) FROM webhook_deliveries")
    while missing > 0:
        piece = min(missing, _STORED_AT_ONCE)
        stack.run(
            """
            INSERT INTO webhook_deliveries (id, tenant_id, mode, webhook_id, event_id, event_type, event_created_at, status,
                                            attempts, finished_at, created_at)
            SELECT uuidv7(d.ago), w.tenant_id, w.mode, w.id, uuidv7(d.ago), 'contact.created', now() + d.ago, 'success', 1,
                   now(), now() + d.ago
            FROM (SELECT *, tenant_id = %s AS is_own FROM webhooks) w
            CROSS JOIN LATERAL (
              SELECT (n - %s) * interval '10 milliseconds' AS ago
              FROM generate_series(1, CASE WHEN w.is_own THEN %s ELSE %s END) AS n
            ) d
            """,
            tenant,
            missing // _WEBHOOKS // 10,
            piece // _WEBHOOKS // 10,
            piece * 9 // _STORED_WEBHOOKS // 10,
        )
        missing -= piece
    stack.run("ANALYZE webhook_deliveries, webhooks, tenants")
    return stack.ask("SELECT count(*) FROM webhook_deliveries")


def _print_rate(stack: WebhookStack, tenant: UUID, name: str, first: float | None) -> float:
    rates: list[float] = []
    for _ in range(_RUNS):
        taken, seconds = drain(stack, tenant)
        rates.append(taken / seconds)
    rate = median(rates)
    compared = f"; {100 * (rate / first - 1):+.0f} %" if first else ""
    print(f"drain with {name}: {rate:,.0f}/s ({', '.join(f'{found:,.0f}' for found in rates)}){compared}", flush=True)
    return rate
