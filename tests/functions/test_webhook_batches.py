"""Webhooks that take several events in one post."""

import json
from typing import Any

import pytest
import svix.webhooks
from standardwebhooks.webhooks import Webhook as StandardWebhook

from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails.db import transaction
from penguinmails.domain.deliveries import wake_up
from penguinmails.events.catalogue import ContactBlock, ContactCreated
from penguinmails.events.emit import emit_many
from penguinmails.ids import new_uuid4
from penguinmails.webhook_posts.request import MAX_BYTES
from sweep_deliveries.app import handler as sweep_deliveries
from tests.functions.test_webhook_options import verifies
from tests.support.hooks import attempts, deliveries, hook, make_due, raise_event, webhook_row, work_off
from tests.support.http import call
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Post, Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks


def raise_events(tenant: TestTenant, number: int, *, name: str = "Ada") -> None:
    contact = ContactBlock(id=new_uuid4(), email="a@example.com", first_name=name)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        emit_many(tx, [ContactCreated(contact=contact, source="api")] * number)


def events_of(post: Post) -> list[dict[str, Any]]:
    return json.loads(post.body)["events"]


def numbers_of(post: Post) -> list[int]:
    return [event["delivery"]["sequence"] for event in events_of(post)]


def wake(tenant: TestTenant) -> None:
    """What a message brings that comes when the wait is over."""
    assert consume(dispatch, {"tenant_id": str(tenant.id), "mode": "live", **wake_up()}) == []


def test_a_post_carries_as_many_events_as_the_webhook_takes_and_both_signatures(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    subscribed = hook(key, receiver, batch_size=10)
    raise_events(tenant, 25)
    work_off(tenant)

    assert sorted(len(events_of(post)) for post in receiver.posts) == [5, 10, 10]
    for post in receiver.posts:
        assert verifies(subscribed.secret, post)
        StandardWebhook(subscribed.secret).verify(post.body, post.headers)
        svix.webhooks.Webhook(subscribed.secret).verify(
            post.body, {name.replace("webhook-", "svix-"): value for name, value in post.headers.items()}
        )
        assert post.headers["x-penguinmails-event"] == "batch"
        assert post.headers["webhook-id"] == post.headers["x-penguinmails-batch-id"]
        assert post.headers["x-penguinmails-batch-size"] == str(len(events_of(post)))
        assert numbers_of(post) == sorted(numbers_of(post))
    stored = {f"evt_{delivery['event_id'].replace('-', '')}": delivery for delivery in deliveries(tenant)}
    sent = [event for post in receiver.posts for event in events_of(post)]
    assert {event["id"] for event in sent} == set(stored)
    for event in sent:
        row = stored[event["id"]]
        assert event["delivery"] == {
            "id": f"del_{row['id'].replace('-', '')}", "attempt": 0, "sequence": row["sequence"], "replay": False,
        }  # fmt: skip
        assert (event["type"], event["data"]["contact"]["first_name"]) == ("contact.created", "Ada")
    assert {row["status"] for row in stored.values()} == {"success"}


def test_a_single_event_has_the_form_of_many(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, batch_size=2)
    raise_event(tenant)
    work_off(tenant)

    (post,) = receiver.posts
    assert [event["type"] for event in events_of(post)] == ["contact.created"]


def test_the_log_shows_which_post_deliveries_shared(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hooked = hook(key, receiver, batch_size=3)
    raise_events(tenant, 3)
    work_off(tenant)

    path = f"/api/v1/webhooks/{hooked.id}/deliveries"
    shown = [
        call(webhooks, "GET", f"{path}/{delivery['id']}", token=key.plaintext).json for delivery in deliveries(tenant)
    ]
    assert {one["attempt_log"][0]["batch_id"] for one in shown} == {
        receiver.posts[0].headers["x-penguinmails-batch-id"]
    }
    assert {(one["last_status_code"], one["attempts"]) for one in shown} == {(200, 1)}
    assert len({one["event_id"] for one in shown}) == 3


def test_a_post_of_one_event_has_no_batch(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hooked = hook(key, receiver)
    raise_event(tenant)
    work_off(tenant)

    path = f"/api/v1/webhooks/{hooked.id}/deliveries/{deliveries(tenant)[0]['id']}"
    assert call(webhooks, "GET", path, token=key.plaintext).json["attempt_log"][0]["batch_id"] is None
    assert "x-penguinmails-batch-id" not in receiver.posts[0].headers


def test_a_failure_is_that_of_all_events_and_counts_once(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, batch_size=50)
    receiver.answers = [(500, {})]
    raise_events(tenant, 20)
    work_off(tenant)

    rows = deliveries(tenant)
    assert {(row["status"], row["attempts"]) for row in rows} == {("pending_retry", 1)}
    assert len({row["next_retry_at"][:19] for row in rows}) <= 2, "they come back together"
    assert webhook_row(tenant)["consecutive_failures"] == 1
    assert {(a["status_code"], a["attempt_number"]) for a in attempts(tenant)} == {(500, 0)}

    make_due(tenant)
    run_job(sweep_deliveries)
    consume(dispatch, *messages_for("deliveries", tenant.id))
    first, second = receiver.posts
    assert numbers_of(first) == numbers_of(second) == list(range(1, 21))
    assert {event["delivery"]["attempt"] for event in events_of(second)} == {1}
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    assert {row["status"] for row in deliveries(tenant)} == {"success"}
    assert webhook_row(tenant)["consecutive_failures"] == 0


def test_a_post_stays_below_256_kilobytes_and_nothing_is_left_out(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, batch_size=100)
    raise_events(tenant, 12, name="x" * 50_000)
    work_off(tenant)

    assert max(len(post.body) for post in receiver.posts) <= MAX_BYTES
    assert sorted(number for post in receiver.posts for number in numbers_of(post)) == list(range(1, 13))
    assert max(len(events_of(post)) for post in receiver.posts) == 5
    assert not any("truncated" in event for post in receiver.posts for event in events_of(post))


def test_an_event_that_is_too_large_for_any_post_loses_its_longest_texts(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, batch_size=100)
    raise_events(tenant, 1, name="x" * (MAX_BYTES - 400))
    raise_events(tenant, 2)
    work_off(tenant)

    events = [event for post in receiver.posts for event in events_of(post)]
    assert max(len(post.body) for post in receiver.posts) <= MAX_BYTES
    assert sorted(event.get("truncated", False) for event in events) == [False, False, True]


def test_events_wait_for_others_to_share_their_post_with(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, batch_size=10, batch_wait_seconds=30)
    for _ in range(3):
        raise_event(tenant)
        work_off(tenant)
        wake(tenant)
    assert receiver.posts == []
    assert {(row["status"], row["parked_at"] is None) for row in deliveries(tenant)} == {("queued", False)}

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET parked_at = parked_at - interval '30 seconds' WHERE sequence = 1", {})
    wake(tenant)
    assert [numbers_of(post) for post in receiver.posts] == [[1, 2, 3]]


def test_the_end_of_the_wait_comes_by_the_queue(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from penguinmails.events import outbox

    hook(key, receiver, batch_size=10, batch_wait_seconds=30)
    raise_event(tenant)
    found = messages_for("events", tenant.id)
    sent: list[tuple[Any, int]] = []

    def send(_url: str, messages: Any, **_options: Any) -> list[int]:
        sent.extend((message.body["deliveries"], message.delay_seconds) for message in messages)
        return []

    monkeypatch.setattr(outbox, "send_messages", send)
    assert consume(fan_out, *found) == []
    assert sent == [([], 30)]


def test_a_full_post_goes_at_once(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, batch_size=3, batch_wait_seconds=30)
    for _ in range(3):
        assert receiver.posts == []
        raise_event(tenant)
        work_off(tenant)

    assert [numbers_of(post) for post in receiver.posts] == [[1, 2, 3]]


def test_a_webhook_that_waits_holds_up_no_other(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    patient = Receiver()
    hook(key, patient, batch_size=3, batch_wait_seconds=60)
    hook(key, receiver)
    raise_event(tenant)
    work_off(tenant)
    patient.stop()

    assert (len(patient.posts), len(receiver.posts)) == (0, 1)


def test_a_lost_message_of_the_wait_is_made_good_by_the_sweep(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, batch_size=3, batch_wait_seconds=5)
    raise_event(tenant)
    work_off(tenant)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET parked_at = parked_at - interval '1 minute'", {})

    run_job(sweep_deliveries)
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []
    assert len(receiver.posts) == 1


def test_events_of_a_batch_are_in_order_and_one_that_fails_holds_up_its_contacts(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, batch_size=4, ordering="contact")
    receiver.answers = [(200, {}), (503, {})]
    raise_events(tenant, 10)
    work_off(tenant)
    assert [numbers_of(post) for post in receiver.posts] == [[1, 2, 3, 4], [5, 6, 7, 8]]

    make_due(tenant)
    run_job(sweep_deliveries)
    consume(dispatch, *messages_for("deliveries", tenant.id))
    again = [number for post in receiver.posts[2:] for number in numbers_of(post)]
    assert again == [5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 101}, "batch_size"),
        ({"batch_wait_seconds": -1}, "batch_wait_seconds"),
        ({"batch_wait_seconds": 61}, "batch_wait_seconds"),
        ({"ordering": "email"}, "ordering"),
    ],
)
def test_a_setting_that_is_not_possible_is_named(
    key: TestKey, receiver: Receiver, fields: dict[str, Any], field: str
) -> None:
    body = {"name": "hook", "endpoint_url": receiver.url, "event_types": ["contact.created"], **fields}
    answer = call(webhooks, "POST", "/api/v1/webhooks", token=key.plaintext, json=body)
    assert (answer.status, answer.json["errors"][0]["field"]) == (400, field)


def test_the_form_of_posts_is_changed_for_what_comes_from_then_on(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hooked = hook(key, receiver)
    raise_event(tenant)
    work_off(tenant)
    changed = call(
        webhooks, "PUT", f"/api/v1/webhooks/{hooked.id}", token=key.plaintext,
        json={"batch_size": 5, "ordering": "campaign", "batch_wait_seconds": 0},
    )  # fmt: skip
    assert (changed.json["batch_size"], changed.json["ordering"]) == (5, "campaign")
    raise_event(tenant)
    work_off(tenant)

    alone, batch = receiver.posts
    assert "events" not in json.loads(alone.body)
    assert numbers_of(batch) == [2]
