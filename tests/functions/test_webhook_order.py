"""Webhooks that have their events in order: of one contact or campaign, each waits for all before it."""

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest

from dispatch_webhooks import repository
from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails import clock
from penguinmails.db import Tx, transaction
from penguinmails.domain.deliveries import references, wake_up
from penguinmails.events.catalogue import ApiKeyRevoked, ContactBlock, ContactCreated
from penguinmails.events.emit import emit_many
from penguinmails.ids import new_uuid4
from sweep_deliveries.app import handler as sweep_deliveries
from tests.support.hooks import attempts, deliveries, hook, make_due
from tests.support.http import call
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Post, Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks


def raise_of(tenant: TestTenant, contacts: Sequence[UUID]) -> None:
    """An event for each mention of a contact, and their deliveries; messages wait for the dispatcher."""
    events = [
        ContactCreated(contact=ContactBlock(id=contact, email="a@example.com"), source="api") for contact in contacts
    ]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        emit_many(tx, events)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []


def dispatch_what_waits(tenant: TestTenant) -> None:
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []


def dispatch_retries(tenant: TestTenant) -> None:
    """As if their time had come, and that of the sweep."""
    make_due(tenant)
    run_job(sweep_deliveries)
    dispatch_what_waits(tenant)


def numbers_by_contact(posts: Sequence[Post]) -> dict[str, list[int]]:
    """The numbers of the posts of each contact, in the order in which they came."""
    found: dict[str, list[int]] = defaultdict(list)
    for post in posts:
        body = json.loads(post.body)
        for event in body.get("events", [body]):
            number = event["delivery"]["sequence"] if "delivery" in event else post.headers["x-penguinmails-sequence"]
            found[event["data"]["contact"]["id"]].append(int(number))
    return found


def test_the_events_of_a_contact_arrive_in_their_order_at_a_receiver_that_is_well(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, ordering="contact")
    contacts = [new_uuid4() for _ in range(5)]
    raise_of(tenant, contacts * 30)
    dispatch_what_waits(tenant)

    assert len(receiver.posts) == 150
    for numbers in numbers_by_contact(receiver.posts).values():
        assert numbers == sorted(set(numbers))


def test_an_event_that_fails_holds_up_those_of_its_contact_and_no_others(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, ordering="contact")
    ill, well = new_uuid4(), new_uuid4()
    receiver.answers = [(500, {})]
    raise_of(tenant, [ill])
    dispatch_what_waits(tenant)
    raise_of(tenant, [ill, well, ill, well])
    dispatch_what_waits(tenant)

    assert numbers_by_contact(receiver.posts) == {str(ill): [1], str(well): [3, 5]}
    waiting = [d for d in deliveries(tenant) if d["status"] == "queued"]
    assert [d["attempts"] for d in waiting] == [0, 0]
    assert [d["parked_at"] for d in waiting] == [None, None], "in nobody's way where slots are waited for"
    retry = next(d for d in deliveries(tenant) if d["status"] == "pending_retry")
    assert all(d["next_sweep_at"] > retry["next_sweep_at"] for d in waiting)

    dispatch_retries(tenant)
    assert numbers_by_contact(receiver.posts)[str(ill)] == [1, 1, 2, 4]
    assert {d["status"] for d in deliveries(tenant)} == {"success"}


def test_what_was_claimed_behind_an_event_that_fails_is_given_back_without_an_attempt(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, ordering="contact")
    receiver.answers = [(200, {}), (500, {})]
    contact = new_uuid4()
    raise_of(tenant, [contact] * 20)
    dispatch_what_waits(tenant)

    assert numbers_by_contact(receiver.posts) == {str(contact): [1, 2]}
    assert len(attempts(tenant)) == 2
    dispatch_retries(tenant)
    assert numbers_by_contact(receiver.posts) == {str(contact): [1, 2, *range(2, 21)]}


def test_an_event_that_is_given_up_lets_the_next_go(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, ordering="contact", retry_enabled=False)
    receiver.answers = [(500, {}), (500, {})]
    contact = new_uuid4()
    raise_of(tenant, [contact] * 4)
    dispatch_what_waits(tenant)

    assert numbers_by_contact(receiver.posts) == {str(contact): [1, 2, 3, 4]}
    assert sorted(d["status"] for d in deliveries(tenant)) == ["failed", "failed", "success", "success"]


def test_an_event_without_a_contact_waits_for_nobody(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, ordering="contact", event_types=["api_key.revoked"])
    receiver.answers = [(500, {})]
    revoked = ApiKeyRevoked(
        key_id=new_uuid4(), name="k", masked_key="pm_live_...abc", actor_id=new_uuid4(), revoked_at=clock.now()
    )
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        emit_many(tx, [revoked] * 3)
    consume(fan_out, *messages_for("events", tenant.id))
    dispatch_what_waits(tenant)

    assert sorted(d["status"] for d in deliveries(tenant)) == ["pending_retry", "success", "success"]


def test_one_webhook_s_failure_holds_up_no_other_webhook(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    failing = Receiver(answers=[(500, {})] * 9)
    hook(key, failing, ordering="contact")
    hook(key, receiver, ordering="contact")
    raise_of(tenant, [new_uuid4()] * 5)
    dispatch_what_waits(tenant)
    failing.stop()

    assert (len(failing.posts), len(receiver.posts)) == (1, 5)


def test_what_was_held_by_a_pause_goes_out_in_its_order(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hooked = hook(key, receiver, ordering="contact")
    contact = new_uuid4()
    receiver.answers = [(500, {})]
    raise_of(tenant, [contact] * 3)
    dispatch_what_waits(tenant)
    path = f"/api/v1/webhooks/{hooked.id}"
    assert call(webhooks, "POST", f"{path}/pause", token=key.plaintext, json={}).status == 200
    raise_of(tenant, [contact] * 3)
    dispatch_retries(tenant)
    assert len(receiver.posts) == 1

    assert call(webhooks, "POST", f"{path}/resume", token=key.plaintext, json={}).status == 200
    for _ in range(4):
        dispatch_retries(tenant)
    assert numbers_by_contact(receiver.posts) == {str(contact): [1, 1, 2, 3, 4, 5, 6]}


def test_what_a_killed_worker_had_goes_out_in_its_order(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, ordering="contact")
    contact = new_uuid4()
    raise_of(tenant, [contact] * 6)
    found = messages_for("deliveries", tenant.id)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        claimed = repository.claim(tx, references(found[0]))
    assert len(claimed) == 6
    # The leases of later ones end before that of the first.
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET next_sweep_at = now() WHERE sequence > 3", {})
    assert consume(dispatch, {"tenant_id": str(tenant.id), "mode": "live", **wake_up()}) == []
    assert receiver.posts == []

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET next_sweep_at = now() WHERE sequence <= 3", {})
    assert consume(dispatch, {"tenant_id": str(tenant.id), "mode": "live", **wake_up()}) == []
    assert numbers_by_contact(receiver.posts) == {str(contact): [1, 2, 3, 4, 5, 6]}


def test_another_worker_gets_nothing_of_a_contact_while_a_post_of_it_is_under_way(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, ordering="contact")
    contact = new_uuid4()
    raise_of(tenant, [contact])
    (first,) = messages_for("deliveries", tenant.id)
    raise_of(tenant, [contact, contact])
    (rest,) = messages_for("deliveries", tenant.id)
    taken_by_another: list[int | None] = []

    def claim(change: int) -> None:
        if change < 0 or len(receiver.posts) > 1:
            return
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            taken_by_another.extend(claim.sequence for claim in repository.claim(tx, references(rest)))

    receiver.while_waiting = claim
    assert consume(dispatch, first) == []

    assert taken_by_another == []
    assert numbers_by_contact(receiver.posts) == {str(contact): [1, 2, 3]}, "the worker that ends one goes on"


def test_what_ends_while_the_next_is_being_held_back_does_not_leave_it_behind(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(key, receiver, ordering="contact")
    contact = new_uuid4()
    raise_of(tenant, [contact])
    (first,) = messages_for("deliveries", tenant.id)
    raise_of(tenant, [contact])
    (second,) = messages_for("deliveries", tenant.id)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert len(repository.claim(tx, references(first))) == 1
    real = repository.ordering_repository.hold_back

    def late(tx: Tx, found: Any) -> set[UUID]:
        with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as another:
            another.execute(
                "UPDATE webhook_deliveries SET status = 'success' WHERE sequence = 1 AND tenant_id = %s", [tenant.id]
            )
        return real(tx, found)

    monkeypatch.setattr(repository.ordering_repository, "hold_back", late)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert [claim.sequence for claim in repository.claim(tx, references(second))] == [2]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("batch_size", [1, 7])
def test_whatever_fails_no_event_passes_one_of_its_contact(
    tenant: TestTenant, key: TestKey, receiver: Receiver, seed: int, batch_size: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same each time
    hook(key, receiver, ordering="contact", max_retries=2, batch_size=batch_size)
    contacts = [new_uuid4() for _ in range(4)]
    for _ in range(4):
        receiver.answers = [(chance.choice([200, 200, 500]), {}) for _ in range(60)]
        raise_of(tenant, chance.choices(contacts, k=15))
        dispatch_what_waits(tenant)
    for _ in range(60):
        if all(d["status"] in {"success", "failed"} for d in deliveries(tenant)):
            break
        dispatch_retries(tenant)

    assert {d["status"] for d in deliveries(tenant)} <= {"success", "failed"}
    came = numbers_by_contact(receiver.posts)
    assert sum(len(set(numbers)) for numbers in came.values()) == 60
    for numbers in came.values():
        first, last = list(dict.fromkeys(numbers)), list(dict.fromkeys(reversed(numbers)))[::-1]
        assert first == last == sorted(numbers_once := set(numbers)), numbers_once
        if batch_size == 1:
            assert numbers == sorted(numbers), "an event comes again before the next one, and never after it"


_DISPATCHER = """
import json, sys, time
from uuid import UUID
from dispatch_webhooks.app import handler
from penguinmails.db import transaction
from tests.support.queues import consume
first, wake_up, seconds = json.loads(sys.argv[1]), json.loads(sys.argv[2]), float(sys.argv[3])
def is_done():
    with transaction(tenant_id=UUID(wake_up["tenant_id"]), mode="live") as tx:
        return not tx.one("SELECT count(*) FROM webhook_deliveries WHERE status NOT IN ('success', 'failed')", {})
consume(handler, *first)
end = time.monotonic() + seconds
while time.monotonic() < end and not is_done():
    consume(handler, wake_up)
    time.sleep(0.02)
"""


def test_dispatchers_side_by_side_keep_the_order(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, ordering="contact", retry_enabled=False)
    receiver.answers = [(200, {})] * 10 + [(500, {})] * 10
    receiver.delay_seconds = 0.002
    contacts = [new_uuid4() for _ in range(7)]
    for _ in range(4):
        raise_of(tenant, contacts * 10)
    found = messages_for("deliveries", tenant.id)
    wake = {"tenant_id": str(tenant.id), "mode": "live", **wake_up()}
    environment = {**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _DISPATCHER, json.dumps(found[number::3]), json.dumps(wake), "45"], env=environment
        )
        for number in range(3)
    ]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0]

    # One may come twice when a worker was held up for longer than its lease.
    came = [list(dict.fromkeys(numbers)) for numbers in numbers_by_contact(receiver.posts).values()]
    assert sum(map(len, came)) == 280
    for numbers in came:
        assert numbers == sorted(numbers)


def test_an_event_behind_another_is_explained(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hooked = hook(key, receiver, ordering="contact")
    receiver.answers = [(500, {})]
    raise_of(tenant, [new_uuid4()] * 2)
    dispatch_what_waits(tenant)

    behind = max(deliveries(tenant), key=lambda delivery: delivery["sequence"])
    event_id = "evt_" + UUID(behind["event_id"]).hex
    answer = call(
        webhooks, "GET", f"/api/v1/events/{event_id}/explain", query={"webhook_id": hooked.id}, token=key.plaintext
    )
    assert (answer.json["outcome"], answer.json["reason"]) == ("pending", "behind_another")
