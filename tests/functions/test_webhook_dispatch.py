"""Many deliveries at once: set-based, within the limits per webhook and tenant, and nobody waits for a slow receiver."""

import threading
import time
from typing import Any

import pytest

from dispatch_webhooks import tenant_work
from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails.cache import CacheUnavailable
from penguinmails.db import Tx, transaction
from penguinmails.domain import webhook_slots
from penguinmails.domain.deliveries import PER_TENANT, PER_WEBHOOK, wake_up
from penguinmails.domain.webhook_slots import PER_TENANT_OF_SLOW, Slots
from penguinmails.events.catalogue import ContactBlock, ContactCreated
from penguinmails.events.emit import emit_many
from penguinmails.ids import new_uuid4
from sweep_deliveries.app import handler as sweep_deliveries
from tests.support.hooks import attempts, deliveries, hook, raise_event, webhook_row
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant, make_tenant


def raise_events(tenant: TestTenant, number: int) -> None:
    events = [ContactCreated(contact=ContactBlock(id=new_uuid4(), email="a@example.com"), source="api")] * number
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        emit_many(tx, events)


def fanned_out(tenant: TestTenant) -> list[dict[str, Any]]:
    """The messages of the dispatcher."""
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    return messages_for("deliveries", tenant.id)


def test_one_message_carries_the_deliveries_of_a_hundred_events(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    raise_events(tenant, 150)

    messages = fanned_out(tenant)
    assert sorted(len(message["deliveries"]) for message in messages) == [50, 100]
    assert consume(dispatch, *messages) == []

    assert len({post.headers["webhook-id"] for post in receiver.posts}) == len(receiver.posts) == 150
    assert {delivery["status"] for delivery in deliveries(tenant)} == {"success"}
    assert len(attempts(tenant)) == 150


def test_a_batch_needs_no_more_statements_than_one_delivery_times_a_few(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(key, receiver)
    raise_events(tenant, 100)
    counted: list[str] = []
    real = Tx._execute

    def spy(self: Tx, statement: Any, *arguments: Any) -> Any:
        counted.append(statement)
        return real(self, statement, *arguments)

    events = messages_for("events", tenant.id)
    with monkeypatch.context() as patched:
        patched.setattr(Tx, "_execute", spy)
        assert consume(fan_out, *events) == []
        found = messages_for("deliveries", tenant.id)
        assert consume(dispatch, *found) == []

    assert len(receiver.posts) == 100
    assert len(counted) <= 50, f"{len(counted)} statements for 100 events"


class Gauge:
    """How many posts are at a receiver at once, and how many there were at most."""

    def __init__(self, receivers: list[Receiver]) -> None:
        self.most = self.now = 0
        self._lock = threading.Lock()
        for receiver in receivers:
            receiver.while_waiting = self.count

    def count(self, change: int) -> None:
        with self._lock:
            self.now += change
            self.most = max(self.most, self.now)


def test_a_webhook_has_no_more_than_its_slots_of_posts_in_flight(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    receiver.delay_seconds = 0.05
    gauge = Gauge([receiver])
    raise_events(tenant, 30)

    assert consume(dispatch, *fanned_out(tenant)) == []

    assert 1 < gauge.most <= PER_WEBHOOK
    assert len(receiver.posts) == 30


def test_a_tenant_has_no_more_than_its_slots_of_posts_in_flight(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    for _ in range(6):
        hook(key, receiver)
    receiver.delay_seconds = 0.1
    gauge = Gauge([receiver])
    raise_events(tenant, 6)

    assert consume(dispatch, *fanned_out(tenant)) == []

    assert PER_WEBHOOK < gauge.most <= PER_TENANT
    assert len(receiver.posts) == 36


def test_what_finds_no_slot_is_parked_and_goes_out_with_the_next_that_frees_one(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    subscribed = hook(key, receiver)
    raise_events(tenant, 3)
    found = fanned_out(tenant)
    others = Slots(tenant.id, "live")
    held = others.take({new_id(subscribed.id): PER_WEBHOOK})
    assert consume(dispatch, *found) == []
    assert receiver.posts == []
    assert {(d["status"], d["attempts"], d["parked_at"] is None) for d in deliveries(tenant)} == {("queued", 0, False)}

    others.give(held, [])
    raise_event(tenant)
    assert consume(dispatch, *fanned_out(tenant)) == []

    assert len(receiver.posts) == 4
    assert {d["status"] for d in deliveries(tenant)} == {"success"}


def test_a_slot_that_frees_while_a_delivery_is_being_parked_is_not_missed(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribed = hook(key, receiver)
    raise_event(tenant)
    found = fanned_out(tenant)
    others = Slots(tenant.id, "live")
    held = others.take({new_id(subscribed.id): PER_WEBHOOK})
    real = tenant_work.recording.record

    def record(tx: Tx, *arguments: Any) -> None:
        others.give(held, [])
        real(tx, *arguments)

    monkeypatch.setattr(tenant_work.recording, "record", record)
    assert consume(dispatch, *found) == []

    assert len(receiver.posts) == 1


def test_the_sweep_wakes_a_tenant_whose_slots_were_held_by_a_worker_that_is_gone(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    subscribed = hook(key, receiver)
    others = Slots(tenant.id, "live")
    held = others.take({new_id(subscribed.id): PER_WEBHOOK})
    raise_event(tenant)
    assert consume(dispatch, *fanned_out(tenant)) == []
    others.give(held, [])
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET parked_at = parked_at - interval '1 minute'", {})

    run_job(sweep_deliveries)
    messages = messages_for("deliveries", tenant.id)
    assert [message["deliveries"] for message in messages] == [[]]
    assert consume(dispatch, *messages) == []

    assert len(receiver.posts) == 1


def test_the_slots_of_a_killed_worker_free_themselves(tenant: TestTenant, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook_id = new_uuid4()
    monkeypatch.setattr(webhook_slots, "LEASE_MS", 1)
    assert len(Slots(tenant.id, "live").take({webhook_id: PER_WEBHOOK})) == PER_WEBHOOK
    monkeypatch.undo()
    time.sleep(0.02)

    assert len(Slots(tenant.id, "live").take({webhook_id: PER_WEBHOOK})) == PER_WEBHOOK


def test_slow_receivers_leave_slots_to_the_others_and_keep_one_worker_busy_only(tenant: TestTenant) -> None:
    worker, slow, quick = Slots(tenant.id, "live"), [new_uuid4() for _ in range(4)], new_uuid4()
    worker.give([], slow)

    assert len(worker.take(dict.fromkeys(slow, PER_WEBHOOK))) == PER_TENANT_OF_SLOW
    assert len(worker.take({quick: PER_WEBHOOK})) == PER_WEBHOOK
    assert Slots(tenant.id, "live").take({quick: 1, new_uuid4(): 1}) == []


def test_without_redis_one_worker_keeps_to_the_limits_by_itself(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(key, receiver)
    raise_events(tenant, 12)
    messages = fanned_out(tenant)

    def away(*_arguments: Any, **_options: Any) -> Any:
        raise CacheUnavailable

    monkeypatch.setattr(webhook_slots.Script, "run", away)
    assert consume(dispatch, *messages) == []

    assert len(receiver.posts) == 12


def test_a_first_attempt_goes_before_the_retries_that_are_parked(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    subscribed = hook(key, receiver)
    raise_events(tenant, 2)
    found = fanned_out(tenant)
    others = Slots(tenant.id, "live")
    held = others.take({new_id(subscribed.id): PER_WEBHOOK})
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            "UPDATE webhook_deliveries SET attempts = 1, status = 'pending_retry', next_retry_at = now()"
            " WHERE id = %(id)s",
            {"id": found[0]["deliveries"][0][0]},
        )
    assert consume(dispatch, *found) == []
    retried = min(deliveries(tenant), key=lambda delivery: delivery["parked_at"])
    assert retried["attempts"] == 0

    others.give(held[4:], [])
    assert consume(dispatch, {"tenant_id": str(tenant.id), "mode": "live", **wake_up()}) == []
    assert [post.headers["x-penguinmails-attempt"] for post in receiver.posts] == ["0", "1"]
    others.give(held[:4], [])


def test_a_tenant_whose_receivers_hang_does_not_hold_another_up(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hanging = Receiver(delay_seconds=1.5)
    for _ in range(3):
        hook(key, hanging, timeout_seconds=1)
    hook(other_tenant.key(), receiver)
    raise_events(tenant, 2)
    first = fanned_out(tenant)
    raise_events(other_tenant, 2)
    second = fanned_out(other_tenant)
    recorded: list[int] = []
    real = tenant_work.recording.record

    def record(tx: Tx, found: Any, *arguments: Any) -> None:
        real(tx, found, *arguments)
        recorded.extend(attempt.outcome.duration_ms for attempt in found)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tenant_work.recording, "record", record)
        assert consume(dispatch, *first, *second) == []

    assert len(receiver.posts) == 2
    assert sorted(recorded[:2]) == sorted(recorded)[:2], "the quick ones are stored before the hanging ones have ended"
    assert {a["error_message"] for a in attempts(tenant)} == {"no complete answer within 1 s"}
    hanging.stop()


def test_a_hundred_failures_of_a_batch_are_counted_in_their_order(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    receiver.answers = [(500, {})] * 10
    raise_events(tenant, 10)
    assert consume(dispatch, *fanned_out(tenant)) == []
    assert webhook_row(tenant)["consecutive_failures"] == 10

    raise_event(make_tenant())
    raise_event(tenant)
    assert consume(dispatch, *fanned_out(tenant)) == []
    assert (webhook_row(tenant)["consecutive_failures"], webhook_row(tenant)["is_failing"]) == (0, False)


def new_id(text: str) -> Any:
    from uuid import UUID

    return UUID(text)
