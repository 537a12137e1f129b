"""A webhook's deliveries are numbered without a gap, so that a receiver sees what it did not get."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from fan_out_events.app import handler as fan_out
from fan_out_events.repository import EventRef, insert_deliveries
from penguinmails.db import transaction
from penguinmails.domain.deliveries import PER_TENANT
from penguinmails.domain.webhook_slots import Room
from penguinmails.events.catalogue import ContactBlock, ContactCreated
from penguinmails.events.emit import emit_many
from penguinmails.ids import new_uuid4
from tests.support.connections import connected
from tests.support.hooks import ask, deliveries, hook, make_due, raise_and_work_off, raise_event, work_off
from tests.support.http import call
from tests.support.queues import consume, messages_for
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler


def raise_events(tenant: TestTenant, number: int) -> list[EventRef]:
    contacts = [ContactBlock(id=new_uuid4(), email="a@example.com") for _ in range(number)]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        emit_many(tx, [ContactCreated(contact=contact, source="api") for contact in contacts])
        return tx.all("SELECT id, created_at FROM events ORDER BY created_at, id", {}, EventRef)


def numbers(tenant: TestTenant, webhook_id: str) -> list[int]:
    return sorted(row["sequence"] for row in deliveries(tenant) if row["webhook_id"] == webhook_id)


def test_each_webhook_counts_its_own_deliveries_in_the_order_of_the_events(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    first = hook(key, receiver)
    raise_event(tenant)
    work_off(tenant)
    second = hook(key, receiver)
    raise_event(tenant)
    work_off(tenant)
    raise_event(tenant)
    work_off(tenant)

    in_order = sorted(deliveries(tenant), key=lambda row: row["event_created_at"])
    assert [row["sequence"] for row in in_order if row["webhook_id"] == first.id] == [1, 2, 3]
    assert [row["sequence"] for row in in_order if row["webhook_id"] == second.id] == [1, 2]


def test_a_post_carries_its_number_and_so_do_its_retries(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    receiver.answers += [(200, {}), (503, {})]
    webhook = hook(key, receiver)
    raise_and_work_off(tenant, 2)
    make_due(tenant)
    messages_for("deliveries", tenant.id)
    raise_event(tenant)
    work_off(tenant)

    posted = {
        (post.headers["x-penguinmails-sequence"], post.headers["x-penguinmails-attempt"]) for post in receiver.posts
    }
    assert posted == {("1", "0"), ("2", "0"), ("2", "1"), ("3", "0")}
    assert numbers(tenant, webhook.id) == [1, 2, 3]


def test_an_event_that_is_fanned_out_again_uses_up_no_number(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver)
    raise_events(tenant, 3)
    messages = messages_for("events", tenant.id)
    assert consume(fan_out, *messages) == []

    assert consume(fan_out, *messages) == []
    raise_event(tenant)
    work_off(tenant)

    assert numbers(tenant, webhook.id) == [1, 2, 3, 4]


def test_what_a_filter_leaves_out_has_no_number(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver, event_filters={"filters": {"source": "import"}})
    raise_event(tenant)
    work_off(tenant)

    assert numbers(tenant, webhook.id) == []


def test_what_a_paused_webhook_holds_is_numbered_as_the_rest(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver)
    call(handler, "POST", f"/api/v1/webhooks/{webhook.id}/pause", token=key.plaintext)
    raise_events(tenant, 2)
    work_off(tenant)

    assert numbers(tenant, webhook.id) == [1, 2]


def test_numbers_have_no_gap_when_many_fan_out_at_once_and_some_fail(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhooks = [hook(key, receiver).id for _ in range(3)]
    events = raise_events(tenant, 60)
    workers = 6
    together = Barrier(workers)

    def work(place: int) -> None:
        """Fan-outs of events that overlap with those of the next worker; each second one fails."""
        with connected("DATABASE_URL", tenant) as tx:
            together.wait()
            for start in range(place * 10, place * 10 + 10, 2):
                insert_deliveries(tx, events[start : start + 8], {}, Room(PER_TENANT))
                if start % 4 == 0:
                    tx.connection.rollback()
                else:
                    tx.connection.commit()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        insert_deliveries(tx, events, {}, Room(PER_TENANT))

    assert [numbers(tenant, webhook) for webhook in webhooks] == [list(range(1, 61))] * 3


def test_a_number_finds_its_delivery(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver)
    raise_events(tenant, 3)
    work_off(tenant)

    (found,) = ask(key, f"webhooks/{webhook.id}/deliveries", sequence="2").json["data"]

    assert found["sequence"] == 2
    assert ask(key, f"webhooks/{webhook.id}/deliveries/{found['id']}").json["sequence"] == 2
    assert ask(key, f"webhooks/{webhook.id}/deliveries", sequence="4").json["data"] == []
    refused = ask(key, f"webhooks/{webhook.id}/deliveries", sequence="0")
    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "sequence")


def test_the_downloaded_log_has_the_numbers(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver)
    raise_events(tenant, 2)
    work_off(tenant)

    file = ask(key, f"webhooks/{webhook.id}/deliveries/export").body
    assert sorted(row["sequence"] for row in csv.DictReader(io.StringIO(file.lstrip("\ufeff")))) == ["1", "2"]


def test_a_reconciliation_says_which_numbers_a_span_has_and_which_did_not_arrive(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver, retry_enabled=False)
    receiver.answers += [(200, {}), (500, {}), (200, {})]
    raise_and_work_off(tenant, 3)

    found = ask(key, f"webhooks/{webhook.id}/reconcile").json

    assert (found["first_sequence"], found["last_sequence"]) == (1, 3)
    assert [(gap["sequence"], gap["state"]) for gap in found["gaps"]] == [(2, "failed")]


def test_a_reconciliation_of_nothing_has_no_numbers(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    found = ask(key, f"webhooks/{hook(key, receiver).id}/reconcile").json

    assert (found["first_sequence"], found["last_sequence"]) == (None, None)
