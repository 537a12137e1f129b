"""A tenant whose receivers hold all its slots: what is raised meanwhile goes in line without being read, and is not forgotten."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from dispatch_webhooks import repository, tenant_work
from dispatch_webhooks.app import handler as dispatch
from fan_out_events import repository as fan_out_repository
from fan_out_events import service as fan_out_service
from fan_out_events.app import handler as fan_out
from penguinmails.db import Mode, Tx, transaction
from penguinmails.domain.deliveries import PER_TENANT, PER_WEBHOOK, wake_up
from penguinmails.domain.webhook_slots import LEASE_MS, LOOK_AGAIN_SECONDS, Slot, Slots, room_for_newcomer
from penguinmails.ids import new_uuid4
from tests.support.connections import as_owner
from tests.support.hooks import deliveries, hook, raise_event
from tests.support.queues import consume, messages_for
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant


def take_all(tenant: TestTenant) -> tuple[Slots, list[Slot]]:
    others = Slots(tenant.id, "live")
    return others, others.take({new_uuid4(): PER_WEBHOOK for _ in range(PER_TENANT // PER_WEBHOOK)})


def woken(tenant: TestTenant) -> dict[str, object]:
    return {"tenant_id": str(tenant.id), "mode": "live", **wake_up()}


def is_crowded(tenant: TestTenant, mode: Mode = "live") -> bool:
    return room_for_newcomer(tenant.id, mode).webhooks == 0


def test_an_account_has_no_room_when_all_its_slots_are_taken(tenant: TestTenant, other_tenant: TestTenant) -> None:
    assert not is_crowded(tenant)
    others, held = take_all(tenant)

    assert is_crowded(tenant)
    assert not is_crowded(tenant, "test")
    assert not is_crowded(other_tenant)
    assert others.room().webhooks == 0
    others.give(held[:1], [])
    assert not is_crowded(tenant)
    assert others.room().webhooks > 0


def test_an_account_has_no_room_when_a_worker_posts_to_a_receiver_that_hangs_as_it_alone_may(
    tenant: TestTenant,
) -> None:
    worker, webhook = Slots(tenant.id, "live"), new_uuid4()
    worker.give(worker.take({webhook: 1}), [webhook])
    assert not is_crowded(tenant), "nobody posts"

    worker.take({webhook: 1})

    assert is_crowded(tenant)
    assert worker.room().webhooks == PER_TENANT - 1, "the one that posts may, to as many webhooks as there are slots"
    assert Slots(tenant.id, "live").room().webhooks == 0


def test_two_workers_that_post_to_quick_receivers_are_no_crowd_but_a_third_finds_no_room(tenant: TestTenant) -> None:
    for worker in (Slots(tenant.id, "live"), Slots(tenant.id, "live")):
        worker.take({new_uuid4(): 1})

    assert not is_crowded(tenant)
    assert Slots(tenant.id, "live").room().webhooks == 0


def test_a_webhook_has_no_room_for_others_while_one_worker_has_its_slots_or_the_only_one_of_a_trial(
    tenant: TestTenant,
) -> None:
    worker, webhook, on_trial = Slots(tenant.id, "live"), new_uuid4(), new_uuid4()
    held = worker.take({webhook: PER_WEBHOOK, on_trial: 1}, single={on_trial})

    room = room_for_newcomer(tenant.id, "live")

    assert room.full == {webhook, on_trial}
    assert not room.has(webhook)
    assert room.has(new_uuid4())
    assert worker.room().full == frozenset(), "its own are no reason to leave what waits for them in line"
    worker.give(held[:1], [])
    assert room_for_newcomer(tenant.id, "live").has(webhook)


def test_what_is_raised_in_a_crowd_is_in_line_from_the_start_and_goes_out_when_a_slot_is_free(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    others, held = take_all(tenant)
    raise_event(tenant)

    assert consume(fan_out, *messages_for("events", tenant.id)) == []

    assert [(d["status"], d["parked_at"] is None, d["next_sweep_at"]) for d in deliveries(tenant)] == [
        ("queued", False, None)
    ]
    assert messages_for("deliveries", tenant.id) == [], "whoever has the slots looks when one frees"
    others.give(held, [])
    assert consume(dispatch, woken(tenant)) == []
    assert [d["status"] for d in deliveries(tenant)] == ["success"]


def test_what_is_for_a_webhook_whose_slots_are_taken_is_in_line_and_what_is_for_others_goes_out(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    busy, free = hook(key, receiver), hook(key, receiver)
    Slots(tenant.id, "live").take({UUID(busy.id): PER_WEBHOOK})
    raise_event(tenant)

    assert consume(fan_out, *messages_for("events", tenant.id)) == []

    by_webhook = {str(d["webhook_id"]): d for d in deliveries(tenant)}
    assert by_webhook[busy.id]["parked_at"] is not None
    assert by_webhook[free.id]["parked_at"] is None
    (message,) = messages_for("deliveries", tenant.id)
    assert [id_ for id_, _ in message["deliveries"]] == [str(by_webhook[free.id]["id"])]


def test_somebody_is_woken_at_once_when_a_slot_frees_while_deliveries_are_put_in_line(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(key, receiver)
    others, held = take_all(tenant)
    raise_event(tenant)
    stored = fan_out_repository.insert_deliveries

    def slot_frees(*given: Any) -> Any:
        others.give(held, [])
        return stored(*given)

    monkeypatch.setattr(fan_out_repository, "insert_deliveries", slot_frees)

    assert consume(fan_out, *messages_for("events", tenant.id)) == []

    (message,) = messages_for("deliveries", tenant.id)
    assert message["deliveries"] == [], "one message that names nothing, however many there are"
    assert consume(dispatch, message) == []
    assert [d["status"] for d in deliveries(tenant)] == ["success"]


def test_while_slots_are_taken_a_later_look_is_seen_to_once_a_second_as_who_has_them_may_be_killed(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(key, receiver)
    take_all(tenant)
    looks: list[tuple[Any, Any]] = []
    monkeypatch.setattr(
        fan_out_service, "send", lambda *given, **options: looks.append((given[3], options["delay_seconds"]))
    )

    for _ in range(3):
        raise_event(tenant)
        assert consume(fan_out, *messages_for("events", tenant.id)) == []

    assert looks == [(wake_up(), LOOK_AGAIN_SECONDS)]
    assert LOOK_AGAIN_SECONDS * 1000 > LEASE_MS


def test_a_worker_leaves_the_line_of_a_webhook_whose_slots_another_has(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    busy = hook(key, receiver)
    other = Slots(tenant.id, "live")
    held = other.take({UUID(busy.id): PER_WEBHOOK})
    raise_event(tenant)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    (before,) = deliveries(tenant)

    assert consume(dispatch, woken(tenant)) == []

    assert deliveries(tenant) == [before], "not even claimed"
    other.give(held, [])
    assert consume(dispatch, woken(tenant)) == []
    assert len(receiver.posts) == 1


def test_in_a_crowd_nothing_is_claimed_that_could_not_be_posted(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(key, receiver)
    raise_event(tenant)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    named = messages_for("deliveries", tenant.id)
    others, held = take_all(tenant)
    claims: list[object] = []
    monkeypatch.setattr(repository, "claim", lambda *given, **_: claims.append(given) or [])
    monkeypatch.setattr(repository, "claim_waiting", lambda *given, **_: claims.append(given) or [])

    assert consume(dispatch, *named, woken(tenant)) == []

    assert claims == []
    assert [d["parked_at"] is None for d in deliveries(tenant)] == [False]
    monkeypatch.undo()
    others.give(held, [])
    assert consume(dispatch, woken(tenant)) == []
    assert len(receiver.posts) == 1


@pytest.mark.parametrize(
    ("webhooks", "per_webhook", "most"),
    [(9, 100, 3), (9, 100, 9), (9, 2, 5), (9, 1, 100), (9, 100, 100), (1, 100, 100), (2, 4, 7)],
)
def test_the_longest_waiting_are_claimed_whichever_webhooks_they_are_of_up_to_so_many_of_each(
    tenant: TestTenant, key: TestKey, receiver: Receiver, webhooks: int, per_webhook: int, most: int
) -> None:
    for _ in range(4):
        hook(key, receiver)
    take_all(tenant)
    for _ in range(6):
        raise_event(tenant)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET parked_at = now() - random() * interval '1 hour'", {})
        in_line = sorted(deliveries_of(tx), key=lambda found: found.parked_at)

        claims = repository.claim_waiting(tx, busy=[], webhooks=webhooks, per_webhook=per_webhook, most=most)

    first = list(dict.fromkeys(found.webhook_id for found in in_line))[:webhooks]
    taken: Counter[UUID] = Counter()
    wanted: list[UUID] = []
    for found in in_line:
        if found.webhook_id not in first:
            continue
        taken[found.webhook_id] += 1
        if taken[found.webhook_id] <= per_webhook and len(wanted) < most:
            wanted.append(found.id)
    assert {claim.id for claim in claims} == set(wanted)


@dataclass(frozen=True)
class Waiting:
    id: UUID
    webhook_id: UUID
    parked_at: datetime


def deliveries_of(tx: Tx) -> list[Waiting]:
    return tx.all("SELECT id, webhook_id, parked_at FROM webhook_deliveries", {}, Waiting)


def in_line(tenant: TestTenant, webhook_id: str, number: int) -> None:
    """Have so many deliveries of a webhook wait for a slot."""
    other = Slots(tenant.id, "live")
    held = other.take({UUID(webhook_id): PER_WEBHOOK})
    for _ in range(number):
        raise_event(tenant)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    other.give(held, [])


def test_while_more_is_found_for_a_webhook_its_slots_are_nobody_elses_between_posts(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribed = hook(key, receiver)
    in_line(tenant, subscribed.id, 3 * PER_WEBHOOK)
    other, real, free = Slots(tenant.id, "live"), repository.claim_waiting, list[int]()

    def look(*given: Any, **options: Any) -> Any:
        taken = other.take({UUID(subscribed.id): PER_WEBHOOK})
        other.give(taken, [])
        free.append(len(taken))
        return real(*given, **options)

    monkeypatch.setattr(tenant_work, "_MOST_PULLED", PER_WEBHOOK)
    monkeypatch.setattr(repository, "claim_waiting", look)

    assert consume(dispatch, woken(tenant)) == []

    assert len(receiver.posts) == 3 * PER_WEBHOOK
    assert free[0] == free[-1] == PER_WEBHOOK, "before the first and at the last look it has none"
    assert set(free[1:-2]) == {0}


def test_what_is_put_in_line_while_slots_are_kept_is_found_once_they_are_given_back(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribed = hook(key, receiver)
    raise_event(tenant)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    (late,) = deliveries(tenant)
    in_line(tenant, subscribed.id, 1)
    real, looks = repository.claim_waiting, list[int]()

    def look(*given: Any, **options: Any) -> Any:
        found = real(*given, **options)
        looks.append(len(found))
        if len(looks) == 2:
            put_in_line(late["id"])
        return found

    monkeypatch.setattr(repository, "claim_waiting", look)

    assert consume(dispatch, woken(tenant)) == []

    assert looks[:3] == [1, 0, 1]
    assert len(receiver.posts) == 2


def put_in_line(delivery_id: str) -> None:
    """As another worker does that finds no slot."""
    as_owner().execute("UPDATE webhook_deliveries SET parked_at = now() WHERE id = %s", [delivery_id])


def test_a_worker_that_has_all_slots_of_its_tenant_goes_on_with_what_waits(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(PER_TENANT // PER_WEBHOOK):
        hook(key, receiver)
    others, held = take_all(tenant)
    for _ in range(3 * PER_WEBHOOK):
        raise_event(tenant)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    others.give(held, [])
    monkeypatch.setattr(tenant_work, "_MOST_PULLED", PER_WEBHOOK)
    monkeypatch.setattr(tenant_work, "_TICK_SECONDS", 60)

    assert consume(dispatch, woken(tenant)) == []

    assert len(receiver.posts) == PER_TENANT // PER_WEBHOOK * 3 * PER_WEBHOOK
