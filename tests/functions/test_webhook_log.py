"""The delivery log, trying again by hand, and pausing without losing anything."""

import os
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from dispatch_webhooks.app import handler as dispatch
from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from sweep_deliveries.app import handler as sweep
from tests.support.hooks import deliveries, hook, raise_event, work_off
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler


def ask(key: TestKey, method: str, webhook: str, below: str = "", **request: Any) -> Answer:
    return call(handler, method, f"/api/v1/webhooks/{webhook}{below}", token=key.plaintext, **request)


def failed(tenant: TestTenant, key: TestKey, receiver: Receiver) -> tuple[str, str]:
    """A webhook without retries and its failed delivery."""
    webhook = hook(key, receiver, retry_enabled=False).id
    receiver.answers.append((500, {}))
    raise_event(tenant)
    work_off(tenant)
    return webhook, deliveries(tenant)[0]["id"]


def test_the_log_shows_what_was_posted_and_answered(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver)
    raise_event(tenant)
    work_off(tenant)

    (listed,) = ask(key, "GET", webhook.id, "/deliveries").json["data"]
    shown = ask(key, "GET", webhook.id, f"/deliveries/{listed['id']}").json

    assert (listed["status"], listed["attempts"], listed["last_status_code"]) == ("success", 1, 200)
    assert listed["delivery_id"] == receiver.posts[0].headers["x-penguinmails-delivery-id"]
    assert listed["event_id"] == receiver.posts[0].headers["webhook-id"]
    assert [(a["attempt"], a["status_code"]) for a in shown["attempt_log"]] == [(0, 200)]
    assert shown["event_data"]["contact"]["first_name"] == "Zoë"
    assert webhook.secret not in str(shown)


def test_a_delivery_is_found_by_the_id_that_receivers_get(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook, delivery = failed(tenant, key, receiver)
    public_id = receiver.posts[0].headers["x-penguinmails-delivery-id"]
    assert public_id == "del_" + UUID(delivery).hex

    assert ask(key, "GET", webhook, f"/deliveries/{public_id}").json["id"] == delivery
    assert ask(key, "POST", webhook, f"/deliveries/{public_id}/retry").status == 202
    for unknown, status in (("del_" + "0" * 32, 404), ("evt_" + UUID(delivery).hex, 400), ("del_1", 400)):
        assert ask(key, "GET", webhook, f"/deliveries/{unknown}").status == status


def test_the_log_is_narrowed_by_state_type_event_and_time(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook, delivery = failed(tenant, key, receiver)
    event_id = "evt_" + UUID(deliveries(tenant)[0]["event_id"]).hex

    def ids(**query: str) -> list[str]:
        return [row["id"] for row in ask(key, "GET", webhook, "/deliveries", query=query).json["data"]]

    assert ids(status="failed") == ids(event="contact.created") == ids(event_id=event_id) == [delivery]
    assert ids(status="success") == ids(event="email.sent") == ids(event_id="evt_" + "0" * 32) == []
    assert ids(created_before="2020-01-01T00:00:00Z") == ids(created_after="2100-01-01T00:00:00Z") == []


def test_the_log_shows_data_only_to_who_may_read_such_data(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver)
    raise_event(tenant)
    work_off(tenant)
    delivery = deliveries(tenant)[0]["id"]

    shown = ask(tenant.key(Scope.MANAGE_WEBHOOKS), "GET", webhook.id, f"/deliveries/{delivery}")

    assert (shown.status, shown.json["event_data"]) == (200, None)


def test_a_failed_delivery_is_tried_again_by_hand(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook, delivery = failed(tenant, key, receiver)

    assert ask(key, "POST", webhook, f"/deliveries/{delivery}/retry").status == 202
    work_off(tenant)

    assert [post.headers["x-penguinmails-delivery-id"] for post in receiver.posts] == ["del_" + UUID(delivery).hex] * 2
    shown = ask(key, "GET", webhook, f"/deliveries/{delivery}").json
    assert (shown["status"], [a["status_code"] for a in shown["attempt_log"]]) == ("success", [500, 200])
    again = ask(key, "POST", webhook, f"/deliveries/{delivery}/retry")
    assert (again.status, again.code) == (409, "INVALID_STATE_TRANSITION")


def test_all_failed_deliveries_are_tried_again_at_once(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook, _ = failed(tenant, key, receiver)

    assert ask(key, "POST", webhook, "/deliveries/retry-failed").json == {"retried": 1, "more": False}
    work_off(tenant)

    assert [row["status"] for row in deliveries(tenant)] == ["success"]
    assert ask(key, "POST", webhook, "/deliveries/retry-failed").json["retried"] == 0


def test_a_paused_webhook_holds_its_events_and_resuming_delivers_them(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver).id
    assert ask(key, "POST", webhook, "/pause").json["status"] == "paused"
    for _ in range(3):
        raise_event(tenant)
    work_off(tenant)
    assert receiver.posts == []
    assert [row["status"] for row in deliveries(tenant)] == ["held"] * 3

    assert ask(key, "POST", webhook, "/resume", json={}).json["status"] == "active"
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET next_sweep_at = now()", {})
    run_job(sweep)
    consume(dispatch, *messages_for("deliveries", tenant.id))

    assert len({post.headers["webhook-id"] for post in receiver.posts}) == 3
    assert [row["status"] for row in deliveries(tenant)] == ["success"] * 3


def test_resuming_may_drop_what_was_held_or_what_is_older_than_a_moment(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver).id
    for what in ("backlog", "since"):
        ask(key, "POST", webhook, "/pause")
        raise_event(tenant)
        work_off(tenant)
        body = {"backlog": "drop"} if what == "backlog" else {"since": clock.now().isoformat()}
        assert ask(key, "POST", webhook, "/resume", json=body).status == 200
    assert [row["status"] for row in deliveries(tenant)] == ["dropped"] * 2
    assert receiver.posts == []


def test_switching_a_webhook_on_by_a_change_delivers_what_was_held(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver, is_active=False).id
    raise_event(tenant)
    work_off(tenant)
    assert [row["status"] for row in deliveries(tenant)] == ["held"]

    ask(key, "PATCH", webhook, json={"is_active": True})

    assert [row["status"] for row in deliveries(tenant)] == ["queued"]


def test_an_event_that_is_fanned_out_while_its_webhook_is_resumed_is_not_left_behind(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fan_out_events import repository

    webhook = hook(key, receiver).id
    ask(key, "POST", webhook, "/pause")
    raise_event(tenant)
    paused = repository._paused

    def resumed_meanwhile(tx: Any, ids: set[UUID]) -> set[UUID]:
        with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as another:
            another.execute("UPDATE webhooks SET is_active = true WHERE id = %s", [webhook])
        return paused(tx, ids)

    with monkeypatch.context() as patch:
        patch.setattr(repository, "_paused", resumed_meanwhile)
        work_off(tenant)

    assert [row["status"] for row in deliveries(tenant)] == ["success"]


@pytest.mark.parametrize("below", ["/deliveries", "/pause", "/resume", "/deliveries/retry-failed"])
def test_a_webhook_that_is_not_there_has_no_log(key: TestKey, below: str) -> None:
    method, body = ("GET", None) if below == "/deliveries" else ("POST", {})

    assert ask(key, method, str(uuid4()), below, json=body).status == 404


def test_a_log_holds_the_deliveries_of_its_own_webhook_alone(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    first, second = hook(key, receiver).id, hook(key, receiver).id
    raise_event(tenant)
    work_off(tenant)

    logs = [ask(key, "GET", webhook, "/deliveries").json["data"] for webhook in (first, second)]

    assert [len(log) for log in logs] == [1, 1]
    assert logs[0][0]["id"] != logs[1][0]["id"]
    assert ask(key, "GET", first, f"/deliveries/{logs[1][0]['id']}").status == 404
