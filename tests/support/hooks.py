"""Webhooks of a test: subscribing, raising an event, working the queues off, and what the tables say."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails.db import transaction
from penguinmails.events.catalogue import ContactBlock, ContactCreated
from penguinmails.events.emit import emit
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks


@dataclass(frozen=True)
class Hook:
    id: str
    secret: str


def hook(key: TestKey, receiver: Receiver, **fields: Any) -> Hook:
    body = {"name": "hook", "endpoint_url": receiver.url, "event_types": ["contact.created"], **fields}
    answer = call(webhooks, "POST", "/api/v1/webhooks", token=key.plaintext, json=body)
    assert answer.status == 201, answer.body
    return Hook(answer.json["id"], answer.json["secret_key"])


def ask(key: TestKey, path: str, **query: Any) -> Answer:
    """Read something at a path below `/api/v1/` that the functions of webhooks answer."""
    return call(webhooks, "GET", f"/api/v1/{path}", token=key.plaintext, query=query)


def raise_event(tenant: TestTenant, mode: Any = "live") -> None:
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        contact = ContactBlock(id=uuid4(), email="zoë@example.com", first_name="Zoë")
        emit(tx, ContactCreated(contact=contact, source="api"))


def work_off(tenant: TestTenant) -> None:
    """What waits in the queues now; retries wait for their delay."""
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []


def raise_and_work_off(tenant: TestTenant, number: int) -> None:
    """Events one after the other, each of which is posted before the next one is raised."""
    for _ in range(number):
        raise_event(tenant)
        work_off(tenant)


def deliveries(tenant: TestTenant) -> list[Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT row_to_json(d) FROM webhook_deliveries d ORDER BY id", {})


def attempts(tenant: TestTenant) -> list[Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT row_to_json(a) FROM webhook_attempts a ORDER BY attempted_at", {})


def webhook_row(tenant: TestTenant) -> Any:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.one("SELECT row_to_json(w) FROM webhooks w", {})


def make_due(tenant: TestTenant) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            "UPDATE webhook_deliveries SET next_retry_at = now(), next_sweep_at = now() WHERE next_sweep_at IS NOT NULL",
            {},
        )


def age(tenant: TestTenant, minutes: int) -> None:
    """Have everything of a tenant happened earlier, its webhooks included."""
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhooks SET created_at = created_at - make_interval(mins => %(m)s)", {"m": minutes})


def hook_of_earlier(tenant: TestTenant, key: TestKey, receiver: Receiver, **fields: Any) -> Hook:
    """A webhook that has been there for two hours, so that what happened within them is for it."""
    made = hook(key, receiver, **fields)
    age(tenant, 120)
    return made


def store_event(tenant: TestTenant, *, minutes_ago: int, type: str = "contact.created", data: str = "{}") -> UUID:
    """An event that no fan-out has seen."""
    event_id = uuid4()
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            """
            INSERT INTO events (id, tenant_id, mode, type, data, created_at)
            VALUES (%(id)s, %(tenant_id)s, 'live', %(type)s, %(data)s, now() - make_interval(mins => %(minutes)s))
            """,
            {"id": event_id, "tenant_id": tenant.id, "type": type, "data": data, "minutes": minutes_ago},
        )
    return event_id
