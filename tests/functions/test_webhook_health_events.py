"""What becomes of a webhook is an event for the account's other webhooks, and never for itself."""

import json
import os
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from dispatch_webhooks import health
from penguinmails.db import transaction
from purge_expired.app import handler as purge
from tests.support.hooks import deliveries, hook, raise_event, work_off
from tests.support.http import call
from tests.support.queues import run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler

ABOUT_WEBHOOKS = ["webhook.failing", "webhook.recovered", "webhook.paused", "webhook.resumed"]


@pytest.fixture
def receivers() -> Iterator[tuple[Receiver, Receiver]]:
    both = Receiver(), Receiver()
    yield both
    for server in both:
        server.stop()


def told(watcher: Receiver) -> list[tuple[str, dict[str, Any]]]:
    bodies = [json.loads(post.body) for post in watcher.posts]
    return [(body["type"], body["data"]) for body in sorted(bodies, key=lambda body: body["created_at"])]


def fail(tenant: TestTenant, receiver: Receiver, times: int, status: int = 500) -> None:
    for _ in range(times):
        receiver.answers += [(status, {})]
        raise_event(tenant)
        work_off(tenant)


def test_a_webhook_that_fails_and_recovers_is_told_to_the_others(
    tenant: TestTenant, key: TestKey, receivers: tuple[Receiver, Receiver]
) -> None:
    failing, watcher = receivers
    watched = hook(key, failing, retry_enabled=False, event_types=["contact.created", *ABOUT_WEBHOOKS]).id
    hook(key, watcher, event_types=ABOUT_WEBHOOKS)

    fail(tenant, failing, 4)
    raise_event(tenant)
    work_off(tenant)
    work_off(tenant)

    named = {"webhook_id": watched, "name": "hook"}
    assert told(watcher) == [
        ("webhook.failing", {**named, "consecutive_failures": 3, "percent": 0}),
        ("webhook.recovered", named),
    ]
    assert all(json.loads(post.body)["type"] == "contact.created" for post in failing.posts)


def test_a_success_that_a_failure_followed_at_once_is_a_recovery_too(
    tenant: TestTenant, key: TestKey, receivers: tuple[Receiver, Receiver]
) -> None:
    failing, watcher = receivers
    watched = hook(key, failing, retry_enabled=False).id
    hook(key, watcher, event_types=["webhook.recovered"])
    fail(tenant, failing, 3)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        health.failed(tx, UUID(watched), failures=1, had_success=True, is_gone=False, gave_up=False)
    work_off(tenant)

    assert told(watcher) == [("webhook.recovered", {"webhook_id": watched, "name": "hook"})]


def test_pausing_and_resuming_by_a_change_is_told_as_by_its_own_routes(
    tenant: TestTenant, key: TestKey, receivers: tuple[Receiver, Receiver]
) -> None:
    changed, watcher = receivers
    webhook = hook(key, changed).id
    hook(key, watcher, event_types=ABOUT_WEBHOOKS)

    for is_active in (False, False, True, True):
        path = f"/api/v1/webhooks/{webhook}"
        answer = call(handler, "PATCH", path, token=key.plaintext, json={"is_active": is_active, "name": "renamed"})
        assert (answer.status, answer.json["is_active"]) == (200, is_active)
    work_off(tenant)

    assert [kind for kind, _ in told(watcher)] == ["webhook.paused", "webhook.resumed"]
    assert {data["name"] for _, data in told(watcher)} == {"renamed"}


def test_warnings_on_the_way_to_being_paused_are_told(
    tenant: TestTenant, key: TestKey, receivers: tuple[Receiver, Receiver]
) -> None:
    failing, watcher = receivers
    watched = hook(key, failing, retry_enabled=False).id
    hook(key, watcher, event_types=ABOUT_WEBHOOKS)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            "UPDATE webhooks SET consecutive_failures = 98, is_failing = true, failing_since = now() - interval '2 hours'"
            " WHERE id = %(id)s",
            {"id": watched},
        )

    fail(tenant, failing, 2)
    work_off(tenant)

    assert [(kind, data.get("percent"), data.get("reason")) for kind, data in told(watcher)] == [
        ("webhook.failing", 90, None),
        ("webhook.paused", None, "failures"),
    ]


def test_a_receiver_that_is_gone_is_told(
    tenant: TestTenant, key: TestKey, receivers: tuple[Receiver, Receiver]
) -> None:
    gone, watcher = receivers
    hook(key, gone)
    hook(key, watcher, event_types=ABOUT_WEBHOOKS)

    fail(tenant, gone, 1, status=410)
    work_off(tenant)

    ((kind, data),) = told(watcher)
    assert (kind, data["reason"], data["paused_by"]) == ("webhook.paused", "gone", None)


def test_pausing_and_resuming_by_hand_say_who_did_it_and_only_when_something_changed(
    tenant: TestTenant, key: TestKey, receivers: tuple[Receiver, Receiver]
) -> None:
    quiet, watcher = receivers
    webhook = hook(key, quiet).id
    hook(key, watcher, event_types=ABOUT_WEBHOOKS)

    for action in ("pause", "pause", "resume", "resume"):
        path = f"/api/v1/webhooks/{webhook}/{action}"
        body = {} if action == "resume" else None
        assert call(handler, "POST", path, token=key.plaintext, json=body).status == 200
    work_off(tenant)

    assert [(kind, data.get("paused_by") or data.get("resumed_by")) for kind, data in told(watcher)] == [
        ("webhook.paused", str(key.id)),
        ("webhook.resumed", str(key.id)),
    ]


def test_two_webhooks_that_watch_each_other_and_both_fail_do_not_go_on_for_ever(
    tenant: TestTenant, key: TestKey, receivers: tuple[Receiver, Receiver]
) -> None:
    one, other = receivers
    for receiver in receivers:
        hook(key, receiver, retry_enabled=False, event_types=["contact.created", *ABOUT_WEBHOOKS])
        receiver.answers += [(500, {})] * 100

    for _ in range(3):
        raise_event(tenant)
        work_off(tenant)
    for _ in range(10):
        work_off(tenant)

    # Three of the contacts, and one that says that the other fails.
    assert (len(one.posts), len(other.posts)) == (4, 4)


def test_a_webhook_does_not_hear_of_itself_and_can_ask_why(
    tenant: TestTenant, key: TestKey, receivers: tuple[Receiver, Receiver]
) -> None:
    webhook = hook(key, receivers[0], event_types=ABOUT_WEBHOOKS).id
    call(handler, "POST", f"/api/v1/webhooks/{webhook}/pause", token=key.plaintext)
    work_off(tenant)
    (event,) = call(handler, "GET", "/api/v1/events", token=key.plaintext).json["data"]

    path = f"/api/v1/events/{event['event_id']}/explain"
    explained = call(handler, "GET", path, token=key.plaintext, query={"webhook_id": webhook}).json

    assert (explained["outcome"], explained["reason"]) == ("not_sent", "about_itself")
    assert deliveries(tenant) == []


def test_what_was_held_for_thirty_days_is_given_up_and_says_so(
    tenant: TestTenant, key: TestKey, receivers: tuple[Receiver, Receiver]
) -> None:
    webhook = hook(key, receivers[0], is_active=False).id
    for _ in range(2):
        raise_event(tenant)
    work_off(tenant)
    old, young = deliveries(tenant)
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        connection.execute(
            "UPDATE events SET created_at = created_at - interval '31 days' WHERE id = %s", [old["event_id"]]
        )
        connection.execute(
            "UPDATE webhook_deliveries SET event_created_at = event_created_at - interval '31 days',"
            " created_at = created_at - interval '31 days' WHERE event_id = %s",
            [old["event_id"]],
        )

    run_job(purge)

    assert {row["id"]: row["status"] for row in deliveries(tenant)} == {old["id"]: "dropped", young["id"]: "held"}
    path = f"/api/v1/events/{old['event_id']}/explain"
    explained = call(handler, "GET", path, token=key.plaintext, query={"webhook_id": webhook}).json
    assert (explained["outcome"], explained["reason"]) == ("dropped", "expired")
    assert "30 days" in explained["detail"]
