"""An endpoint is tried with a test event: signed and guarded as every post, shown in the log, counted nowhere."""

import json
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook as StandardWebhook

from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from penguinmails.events.catalogue import EVENT_TYPES
from penguinmails.events.payloads import sample_data
from tests.support.hooks import attempts, deliveries, hook, raise_event, webhook_row, work_off
from tests.support.http import Answer, call
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant, make_tenant
from webhooks import test_post_service
from webhooks.app import handler


def try_out(key: TestKey, webhook_id: str, headers: dict[str, str] | None = None, **body: Any) -> Answer:
    path = f"/api/v1/webhooks/{webhook_id}/test"
    return call(handler, "POST", path, token=key.plaintext, json=body, headers=headers or {})


def ask(key: TestKey, path: str, **query: Any) -> Any:
    return call(handler, "GET", f"/api/v1/{path}", token=key.plaintext, query=query).json


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_the_sample_of_every_type_can_be_posted(key: TestKey, receiver: Receiver, event_type: str) -> None:
    answer = try_out(key, hook(key, receiver).id, event_type=event_type)

    assert (answer.status, answer.json["success"], answer.json["status_code"]) == (200, True, 200), answer.body
    (post,) = receiver.posts
    body = json.loads(post.body)
    assert (body["type"], body["test"], body["data"]) == (event_type, True, sample_data(event_type))
    assert body["id"] == answer.json["event_id"] == post.headers["webhook-id"]
    assert body["id"].startswith("evt_test_")
    assert answer.json["request_body"] == post.body.decode()
    assert answer.json["response_body"] == "ok"


def test_a_test_is_signed_as_every_post(key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver, custom_headers={"X-Gateway-Token": "t0k3n"})

    answer = try_out(key, webhook.id)

    (post,) = receiver.posts
    StandardWebhook(webhook.secret).verify(post.body.decode(), post.headers)
    assert post.headers["x-gateway-token"] == "t0k3n"
    assert answer.json["request_headers"]["X-Gateway-Token"] == "[redacted]"
    assert "x-penguinmails-sequence" not in post.headers


def test_fields_of_the_sample_can_be_replaced(key: TestKey, receiver: Receiver) -> None:
    answer = try_out(key, hook(key, receiver).id, event_type="contact.created", data={"source": "import"})

    assert answer.json["success"]
    assert json.loads(receiver.posts[0].body)["data"] == {**sample_data("contact.created"), "source": "import"}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"colour": "red"}, "data.colour"),
        ({"contact": {"id": "x"}}, "data.contact.id"),
        ({"source": None}, "data.source"),
        ({"source": "\ud800"}, "data.source"),
        ({"source": "a\x00b"}, "data.source"),
        (
            {"contact": {"id": str(UUID(int=1)), "email": "a@example.com", "first_name": "\udfff"}},
            "data.contact.first_name",
        ),
        ({"contact": {"\ud800": 1}}, "data.contact"),
    ],
    ids=["unknown", "deep", "null", "surrogate", "NUL", "deep surrogate", "surrogate in a name"],
)
def test_what_no_event_of_the_type_can_say_is_refused(
    key: TestKey, receiver: Receiver, data: dict[str, Any], field: str
) -> None:
    answer = try_out(key, hook(key, receiver).id, event_type="contact.created", data=data)

    assert answer.status == 400
    assert field in [error["field"] for error in answer.json["errors"]]
    assert receiver.posts == []


def test_the_data_of_an_event_that_happened_can_be_posted(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver)
    raise_event(tenant)
    (event,) = ask(key, "events")["data"]

    answer = try_out(key, webhook.id, event_id=event["event_id"])

    body = json.loads(receiver.posts[0].body)
    assert body["data"] == event["event_data"]
    assert body["id"] == answer.json["event_id"] != event["event_id"]


def test_posting_real_data_takes_the_scope_of_such_data(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver)
    raise_event(tenant)
    (event,) = ask(key, "events")["data"]

    answer = try_out(tenant.key(Scope.MANAGE_WEBHOOKS), webhook.id, event_id=event["event_id"])

    assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS")
    assert receiver.posts == []


def test_an_event_comes_without_other_fields_and_must_be_the_accounts_own(key: TestKey, receiver: Receiver) -> None:
    webhook, other = hook(key, receiver), make_tenant()
    raise_event(other)
    (event,) = ask(other.key(), "events")["data"]

    assert try_out(key, webhook.id, event_id=event["event_id"]).status == 404
    assert try_out(key, webhook.id, event_id=event["event_id"], data={}).json["errors"][0]["field"] == "event_id"


def test_a_failure_says_what_the_endpoint_answered(key: TestKey, receiver: Receiver) -> None:
    receiver.answers += [(500, {"X-Why": "maintenance"})]

    result = try_out(key, hook(key, receiver).id).json

    assert (result["success"], result["status_code"], result["error"]) == (False, 500, None)
    assert result["response_headers"]["X-Why"] == "maintenance"


def test_a_time_out_names_its_seconds(key: TestKey, receiver: Receiver) -> None:
    receiver.delay_seconds = 1.5

    result = try_out(key, hook(key, receiver, timeout_seconds=1).id).json

    assert (result["status_code"], result["error"]) == (None, "no complete answer within 1 s")


def test_no_test_waits_longer_than_the_gateway_does() -> None:
    assert test_post_service.LONGEST_SECONDS < 29


def test_an_endpoint_that_listens_no_more_is_told_apart(key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id
    receiver.stop()

    assert "no connection" in try_out(key, webhook).json["error"]


def test_a_test_counts_nowhere_and_is_not_tried_again(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    receiver.answers += [(410, {})]
    webhook = hook(key, receiver).id
    result = try_out(key, webhook).json
    work_off(tenant)

    assert len(receiver.posts) == 1
    row = webhook_row(tenant)
    assert (row["is_active"], row["consecutive_failures"], row["last_failure_at"]) == (True, 0, None)
    assert ask(key, f"webhooks/{webhook}/stats")["last_24_hours"]["total"] == 0
    assert ask(key, f"webhooks/{webhook}/reconcile")["matched"] == 0
    retried = call(handler, "POST", f"/api/v1/webhooks/{webhook}/deliveries/{result['id']}/retry", token=key.plaintext)
    assert (retried.status, retried.code) == (409, "INVALID_STATE_TRANSITION")
    everything = call(handler, "POST", f"/api/v1/webhooks/{webhook}/deliveries/retry-failed", token=key.plaintext)
    assert everything.json["retried"] == 0


def test_a_test_is_in_the_log(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id
    result = try_out(key, webhook).json

    (logged,) = ask(key, f"webhooks/{webhook}/deliveries")["data"]
    details = ask(key, f"webhooks/{webhook}/deliveries/{logged['id']}")

    assert (logged["id"], logged["is_test"], logged["event_id"]) == (result["id"], True, result["event_id"])
    assert details["attempt_log"][0]["response_body"] == "ok"
    assert (len(deliveries(tenant)), len(attempts(tenant))) == (1, 1)


def test_a_paused_webhook_can_be_tested(key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver, is_active=False).id

    assert try_out(key, webhook).json["success"]


def test_tests_have_a_limit_per_account(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_post_service, "PER_MINUTE", 2)
    webhook = hook(key, receiver).id

    statuses = [try_out(key, webhook).status for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert len(receiver.posts) == 2
    assert try_out(make_tenant().key(), webhook).status == 404


def test_a_request_that_is_sent_again_posts_nothing(key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id
    headers = {"Idempotency-Key": "once"}

    first, second = try_out(key, webhook, headers), try_out(key, webhook, headers)

    assert first.json == second.json
    assert second.headers["idempotency-replayed"] == "true"
    assert len(receiver.posts) == 1
    assert try_out(key, webhook, headers, event_type="email.sent").status == 409


def test_no_transaction_is_open_while_the_endpoint_takes_its_time(key: TestKey, receiver: Receiver) -> None:
    found: list[Any] = []

    def look(change: int) -> None:
        if change == 1:
            with transaction(role="jobs") as tx:
                found.extend(
                    tx.all(
                        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'penguinmails_app'"
                        " AND state LIKE 'idle in transaction%%' AND datname = current_database()",
                        {},
                    )
                )

    webhook = hook(key, receiver).id
    receiver.while_waiting = look
    try_out(key, webhook)

    assert found == [0]
