"""Deliveries that outlive their events: nothing is left to post, so they end and say why."""

import os
from typing import Any

import psycopg

from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails.db import transaction
from penguinmails.domain.deliveries import wake_up
from penguinmails.events.catalogue import ContactBlock, ContactCreated
from penguinmails.events.emit import emit_many
from penguinmails.ids import new_uuid4
from sweep_deliveries.app import handler as sweep
from tests.support import hooks
from tests.support.hooks import attempts, hook, make_due, raise_event, webhook_row, work_off
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks


def events_are_deleted(tenant: TestTenant, first: int = 100) -> None:
    """As when the partition of their month is dropped; the deliveries are of the same age."""
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        gone = connection.execute(
            "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE tenant_id = %s ORDER BY created_at, id LIMIT %s)"
            " RETURNING id",
            [tenant.id, first],
        ).fetchall()
        connection.execute(
            "UPDATE webhook_deliveries SET event_created_at = event_created_at - interval '31 days' WHERE event_id = ANY(%s)",
            [[event_id for (event_id,) in gone]],
        )
        connection.execute(
            "UPDATE webhook_attempts a SET event_created_at = d.event_created_at FROM webhook_deliveries d"
            " WHERE a.delivery_id = d.id AND d.tenant_id = %s",
            [tenant.id],
        )


def deliveries(tenant: TestTenant) -> list[Any]:
    """In the order of their events."""
    return sorted(hooks.deliveries(tenant), key=lambda delivery: delivery["sequence"])


def explained(tenant: TestTenant, key: TestKey, webhook_id: str) -> tuple[str, str, str]:
    path = f"/api/v1/events/{deliveries(tenant)[0]['event_id']}/explain"
    answer = call(webhooks, "GET", path, token=key.plaintext, query={"webhook_id": webhook_id})
    assert answer.status == 200, answer.body
    return answer.json["outcome"], answer.json["reason"], answer.json["detail"]


def test_a_retry_that_is_due_after_its_event_was_deleted_ends_and_is_explained(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook_id = hook(key, receiver).id
    receiver.answers = [(500, {})]
    raise_event(tenant)
    work_off(tenant)
    events_are_deleted(tenant)
    make_due(tenant)
    run_job(sweep)
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []

    (delivery,) = deliveries(tenant)
    assert (delivery["status"], delivery["next_retry_at"], delivery["next_sweep_at"]) == ("dropped", None, None)
    assert len(receiver.posts) == len(attempts(tenant)) == 1
    assert explained(tenant, key, webhook_id)[:2] == ("dropped", "expired")
    assert "cannot be sent again" in explained(tenant, key, webhook_id)[2]


def test_what_is_parked_and_has_no_event_holds_nothing_up(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    for _ in range(2):
        raise_event(tenant)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    messages_for("deliveries", tenant.id)
    events_are_deleted(tenant, first=1)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET parked_at = created_at, next_sweep_at = NULL", {})

    assert consume(dispatch, {"tenant_id": str(tenant.id), "mode": "live", **wake_up()}) == []

    assert [delivery["status"] for delivery in deliveries(tenant)] == ["dropped", "success"]
    assert [delivery["parked_at"] for delivery in deliveries(tenant)] == [None, None]


def test_in_an_ordered_webhook_what_is_behind_an_event_that_was_deleted_goes_out(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, ordering="contact")
    receiver.answers = [(500, {})]
    block = ContactBlock(id=new_uuid4(), email="a@example.com")
    for _ in range(3):
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            emit_many(tx, [ContactCreated(contact=block, source="api")])
    work_off(tenant)
    assert [delivery["status"] for delivery in deliveries(tenant)] == ["pending_retry", "queued", "queued"]
    events_are_deleted(tenant, first=1)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            "UPDATE webhook_deliveries SET next_retry_at = now(), next_sweep_at = now() WHERE status = 'pending_retry'",
            {},
        )
    run_job(sweep)

    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []

    assert [delivery["status"] for delivery in deliveries(tenant)] == ["dropped", "success", "success"]
    assert [post.headers["x-penguinmails-sequence"] for post in receiver.posts] == ["1", "2", "3"]


def retry(key: TestKey, webhook_id: str, below: str) -> Answer:
    return call(webhooks, "POST", f"/api/v1/webhooks/{webhook_id}/deliveries/{below}", token=key.plaintext)


def test_a_failed_delivery_whose_event_was_deleted_is_not_tried_again(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook_id = hook(key, receiver, retry_enabled=False).id
    receiver.answers = [(500, {})] * 2
    for _ in range(2):
        raise_event(tenant)
    work_off(tenant)
    events_are_deleted(tenant, first=1)
    old, young = deliveries(tenant)

    refused = retry(key, webhook_id, f"{old['id']}/retry")
    assert (refused.status, refused.code) == (409, "INVALID_STATE_TRANSITION")
    assert "older than events are kept" in refused.json["detail"]
    assert retry(key, webhook_id, "retry-failed").json == {"retried": 1, "more": False}
    assert [delivery["status"] for delivery in deliveries(tenant)] == ["failed", "queued"]
    assert deliveries(tenant)[1]["id"] == young["id"]
    assert explained(tenant, key, webhook_id)[:2] == ("failed", "retries_exhausted")


def test_an_event_that_was_delivered_is_explained_as_long_as_the_log_is_kept(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook_id = hook(key, receiver).id
    raise_event(tenant)
    work_off(tenant)
    events_are_deleted(tenant)

    assert explained(tenant, key, webhook_id)[:2] == ("delivered", "accepted")
    assert webhook_row(tenant)["is_active"]
