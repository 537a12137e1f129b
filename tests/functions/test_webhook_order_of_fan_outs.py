"""Events get their numbers in the order in which they were raised, where a webhook wants them in order, whoever fans them out."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from fan_out_events.app import handler as fan_out
from fan_out_events.repository import EventRef, await_turn, insert_deliveries
from penguinmails.db import transaction
from penguinmails.domain.deliveries import PER_TENANT
from penguinmails.domain.webhook_slots import Room
from penguinmails.events.catalogue import ContactBlock, ContactCreated, ContactUpdated
from penguinmails.events.emit import emit, emit_many
from penguinmails.events.outbox import take_events
from penguinmails.ids import new_uuid4
from sweep_outbox.app import handler as sweep_outbox
from tests.support.connections import connected, wait_for_a_waiter
from tests.support.hooks import deliveries, hook, make_due, work_off
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant

TYPES = ["contact.created", "contact.updated"]


def person() -> ContactBlock:
    return ContactBlock(id=new_uuid4(), email="a@example.com")


def created(tenant: TestTenant, contacts: Sequence[ContactBlock], *, in_bulk: bool) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        events = [ContactCreated(contact=contact, source="api") for contact in contacts]
        if in_bulk:
            emit_many(tx, events)
        else:
            for event in events:
                emit(tx, event)


def updated(tenant: TestTenant, contact: ContactBlock) -> UUID:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return emit(tx, ContactUpdated(contact=contact, changed_fields=["email"]))


def in_order_of_numbers(tenant: TestTenant) -> list[str]:
    return [row["event_type"] for row in sorted(deliveries(tenant), key=lambda row: row["sequence"])]


def test_whoever_comes_second_waits_until_the_first_has_numbered_what_it_took(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, ordering="contact", event_types=TYPES)
    contact = person()
    created(tenant, [contact], in_bulk=False)
    messages_for("events", tenant.id)
    with connected("DATABASE_URL", tenant) as first, ThreadPoolExecutor(1) as pool:
        assert await_turn(first)
        (taken,) = take_events(first, 500)
        updated(tenant, contact)
        second = pool.submit(consume, fan_out, *messages_for("events", tenant.id), taken_message(tenant))
        wait_for_a_waiter("advisory")
        with connected("MIGRATIONS_DATABASE_URL", tenant) as reader:
            (event,) = reader.all("SELECT id, created_at FROM events WHERE type = 'contact.created' AND id = %(id)s",
                                  {"id": taken["event_id"]}, EventRef)  # fmt: skip
        insert_deliveries(first, [event], {}, Room(PER_TENANT))
        first.connection.commit()
        assert second.result(timeout=20) == []

    assert in_order_of_numbers(tenant) == TYPES


def taken_message(tenant: TestTenant) -> dict[str, object]:
    """One that has nothing of its own left to fan out."""
    return {"tenant_id": str(tenant.id), "mode": "live", "event_ids": [], "created_at": "2026-01-01T00:00:00+00:00"}


def test_events_of_a_bulk_change_come_before_what_happened_after_it_whichever_message_comes_first(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, ordering="contact", event_types=TYPES)
    contact = person()
    created(tenant, [contact], in_bulk=True)
    earlier = messages_for("events", tenant.id)
    updated(tenant, contact)
    later = messages_for("events", tenant.id)

    assert consume(fan_out, *later, taken_message(tenant)) == []
    assert consume(fan_out, *earlier) == []

    assert in_order_of_numbers(tenant) == TYPES


def test_the_event_that_a_message_names_comes_after_the_older_ones_that_wait_however_many(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, ordering="contact", event_types=TYPES)
    contacts = [person() for _ in range(700)]
    created(tenant, contacts, in_bulk=True)
    event_id = updated(tenant, contacts[-1])
    messages_for("events", tenant.id)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        moment = tx.one("SELECT created_at FROM events WHERE id = %(id)s", {"id": event_id})
    named = {"event_id": str(event_id), "created_at": moment.isoformat()}

    assert consume(fan_out, {"tenant_id": str(tenant.id), "mode": "live", **named}) == []

    assert in_order_of_numbers(tenant) == [TYPES[0]] * 700 + [TYPES[1]]


def test_what_the_sweep_finds_keeps_its_place_until_it_is_fanned_out(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, ordering="contact", event_types=TYPES)
    contact = person()
    created(tenant, [contact], in_bulk=True)
    updated(tenant, contact)
    messages_for("events", tenant.id)
    with transaction(role="jobs") as tx:
        tx.run("UPDATE outbox SET created_at = created_at - interval '1 minute'", {})

    run_job(sweep_outbox)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT count(*) FROM outbox", {}) == 2
    work_off(tenant)
    make_due(tenant)

    assert in_order_of_numbers(tenant) == TYPES
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT count(*) FROM outbox", {}) == 0


def test_where_no_webhook_wants_them_in_order_nobody_waits_and_bulk_events_are_many_workers_work(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, event_types=TYPES)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert not await_turn(tx)
    created(tenant, [person() for _ in range(300)], in_bulk=True)

    assert [len(message["event_ids"]) for message in messages_for("events", tenant.id)] == [100, 100, 100]
