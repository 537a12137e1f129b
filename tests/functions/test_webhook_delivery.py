"""From an event to the customer's endpoint: signed, at least once, tried again, logged."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import svix.webhooks
import time_machine
from standardwebhooks.webhooks import Webhook as StandardWebhook

from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails.db import transaction
from penguinmails.events import outbox
from penguinmails.events.catalogue import ContactBlock, ContactCreated
from penguinmails.events.emit import emit
from sweep_deliveries.app import handler as sweep_deliveries
from sweep_outbox.app import handler as sweep_outbox
from tests.support.http import call
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.stop()


@dataclass(frozen=True)
class Hook:
    id: str
    secret: str


def hook(key: TestKey, receiver: Receiver, **fields: Any) -> Hook:
    body = {"name": "hook", "endpoint_url": receiver.url, "event_types": ["contact.created"], **fields}
    answer = call(webhooks, "POST", "/api/v1/webhooks", token=key.plaintext, json=body)
    assert answer.status == 201, answer.body
    return Hook(answer.json["id"], answer.json["secret_key"])


def raise_event(tenant: TestTenant, mode: Any = "live") -> None:
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        contact = ContactBlock(id=uuid4(), email="zoë@example.com", first_name="Zoë")
        emit(tx, ContactCreated(contact=contact, source="api"))


def work_off(tenant: TestTenant) -> None:
    """What waits in the queues now; retries wait for their delay."""
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []


def deliveries(tenant: TestTenant) -> list[Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT row_to_json(d) FROM webhook_deliveries d ORDER BY id", {})


def attempts(tenant: TestTenant) -> list[Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT row_to_json(a) FROM webhook_attempts a ORDER BY attempted_at", {})


def webhook_row(tenant: TestTenant) -> Any:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.one("SELECT row_to_json(w) FROM webhooks w", {})


def make_due(tenant: TestTenant) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            "UPDATE webhook_deliveries SET next_retry_at = now(), next_sweep_at = now() WHERE next_sweep_at IS NOT NULL",
            {},
        )


def test_an_event_is_posted_with_both_signatures(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    subscribed = hook(key, receiver)
    raise_event(tenant)

    work_off(tenant)

    (post,) = receiver.posts
    StandardWebhook(subscribed.secret).verify(post.body, post.headers)
    svix.webhooks.Webhook(subscribed.secret).verify(
        post.body, {name.replace("webhook-", "svix-"): value for name, value in post.headers.items()}
    )
    assert post.headers["x-penguinmails-event"] == "contact.created"
    assert post.headers["x-penguinmails-attempt"] == "0"
    assert post.headers["x-penguinmails-delivery-id"].startswith("del_")
    assert post.headers["user-agent"] == "PenguinMails-Webhooks/1.0"
    envelope = json.loads(post.body)
    assert envelope["id"] == post.headers["webhook-id"]
    assert (envelope["type"], envelope["test"], envelope["api_version"]) == ("contact.created", False, "v1")
    assert envelope["tenant_id"] == str(tenant.id)
    assert envelope["data"]["contact"]["first_name"] == "Zoë"


def test_our_own_header_is_the_hex_hmac_of_the_raw_body_under_the_whole_secret(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    import hashlib
    import hmac

    subscribed = hook(key, receiver)
    raise_event(tenant)
    work_off(tenant)

    expected = hmac.new(subscribed.secret.encode(), receiver.posts[0].body, hashlib.sha256).hexdigest()
    assert receiver.posts[0].headers["x-penguinmails-signature"] == f"sha256={expected}"


def test_the_log_holds_the_attempt_but_never_the_secret(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    subscribed = hook(key, receiver)
    raise_event(tenant)
    work_off(tenant)

    (attempt,) = attempts(tenant)
    assert (attempt["status_code"], attempt["response_body"], attempt["attempt_number"]) == (200, "ok", 0)
    assert subscribed.secret not in json.dumps(attempt)
    assert deliveries(tenant)[0]["status"] == "success"


def test_every_message_may_come_twice_and_the_customer_gets_one_post(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    raise_event(tenant)

    events = messages_for("events", tenant.id)
    consume(fan_out, *events, *events)
    found = messages_for("deliveries", tenant.id)
    consume(dispatch, *found, *found)

    assert len(receiver.posts) == 1
    assert len(deliveries(tenant)) == 1


def test_only_subscribed_active_webhooks_of_the_same_mode_are_called(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, event_types=["campaign.paused"])
    hook(key, receiver, is_active=False)
    hook(tenant.key(mode="test"), receiver)
    raise_event(tenant)

    work_off(tenant)

    assert receiver.posts == []


@pytest.mark.parametrize(("retry", "seconds"), [(1, 60), (2, 300), (3, 900), (4, 3600), (5, 86_400)])
def test_a_failed_delivery_waits_its_documented_delay(
    tenant: TestTenant, key: TestKey, receiver: Receiver, retry: int, seconds: int
) -> None:
    hook(key, receiver)
    receiver.answers = [(500, {})] * retry
    raise_event(tenant)
    work_off(tenant)
    for _ in range(retry - 1):
        make_due(tenant)
        run_job(sweep_deliveries)
        consume(dispatch, *messages_for("deliveries", tenant.id))

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        delay = tx.one(
            "SELECT extract(epoch FROM next_retry_at - clock_timestamp())::float8 FROM webhook_deliveries", {}
        )
    assert seconds - 5 <= delay <= seconds * 1.1 + 1
    assert deliveries(tenant)[0]["status"] == "pending_retry"
    assert [attempt["attempt_number"] for attempt in attempts(tenant)] == list(range(retry))


def test_after_the_last_retry_the_delivery_has_failed(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, max_retries=1)
    receiver.answers = [(500, {}), (500, {})]
    raise_event(tenant)
    work_off(tenant)
    make_due(tenant)
    run_job(sweep_deliveries)
    consume(dispatch, *messages_for("deliveries", tenant.id))

    assert deliveries(tenant)[0]["status"] == "failed"
    assert deliveries(tenant)[0]["next_sweep_at"] is None


def test_without_retries_the_first_failure_is_final(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, retry_enabled=False)
    receiver.answers = [(404, {})]
    raise_event(tenant)

    work_off(tenant)

    assert deliveries(tenant)[0]["status"] == "failed"


def test_a_retry_that_comes_too_early_is_not_attempted(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    receiver.answers = [(500, {})]
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))
    found = messages_for("deliveries", tenant.id)
    consume(dispatch, *found)

    consume(dispatch, *found)

    assert len(receiver.posts) == 1


def test_retry_after_is_a_floor(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    receiver.answers = [(429, {"Retry-After": "700"})]
    raise_event(tenant)
    work_off(tenant)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        delay = tx.one(
            "SELECT extract(epoch FROM next_retry_at - clock_timestamp())::float8 FROM webhook_deliveries", {}
        )
    assert 690 <= delay <= 701


def test_a_redirect_is_a_failure_and_is_not_followed(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    receiver.answers = [(302, {"Location": f"{receiver.url}/elsewhere"})]
    raise_event(tenant)

    work_off(tenant)

    assert [post.path for post in receiver.posts] == ["/hooks"]
    assert deliveries(tenant)[0]["status"] == "pending_retry"


def test_gone_switches_the_webhook_off(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    receiver.answers = [(410, {})]
    raise_event(tenant)

    work_off(tenant)

    assert (webhook_row(tenant)["is_active"], webhook_row(tenant)["paused_reason"]) == (False, "gone")


def test_three_failures_in_a_row_flag_the_webhook_and_a_success_clears_it(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    receiver.answers = [(500, {})] * 3
    for _ in range(3):
        raise_event(tenant)
        work_off(tenant)
    assert (webhook_row(tenant)["is_failing"], webhook_row(tenant)["consecutive_failures"]) == (True, 3)

    raise_event(tenant)
    work_off(tenant)
    assert (webhook_row(tenant)["is_failing"], webhook_row(tenant)["consecutive_failures"]) == (False, 0)


def test_a_slow_answer_is_cut_off_at_the_timeout(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, timeout_seconds=1)
    receiver.delay_seconds = 1.5
    raise_event(tenant)

    work_off(tenant)

    assert attempts(tenant)[0]["error_message"] == "no complete answer within 1 s"


def test_an_endpoint_that_refuses_connections_is_logged_with_the_reason(tenant: TestTenant, key: TestKey) -> None:
    closed = Receiver()
    closed.stop()
    hook(key, closed)
    raise_event(tenant)

    work_off(tenant)

    assert attempts(tenant)[0]["status_code"] is None
    assert "no connection" in attempts(tenant)[0]["error_message"]


def test_a_delivery_whose_worker_died_is_taken_up_after_its_lease(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))
    lost = messages_for("deliveries", tenant.id)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET status = 'sending', attempts = 1, next_sweep_at = now() + '1 hour'", {})

    consume(dispatch, *lost)
    assert receiver.posts == []

    make_due(tenant)
    run_job(sweep_deliveries)
    consume(dispatch, *messages_for("deliveries", tenant.id))
    assert len(receiver.posts) == 1


def test_an_event_whose_queue_was_away_is_sent_by_the_sweep(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(key, receiver)

    def broken(*_args: object, **_kwargs: object) -> list[int]:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "send_messages", broken)
        raise_event(tenant)
    assert messages_for("events", tenant.id) == []
    with transaction(role="jobs") as tx:
        tx.run("UPDATE outbox SET created_at = now() - interval '1 minute'", {})

    assert run_job(sweep_outbox)["done"] >= 1
    work_off(tenant)

    assert len(receiver.posts) == 1


def test_vault_away_costs_no_attempt(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dispatch_webhooks import service

    hook(key, receiver)
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))
    found = messages_for("deliveries", tenant.id)

    def sealed(_path: str) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(service, "read_secret", sealed)
        assert len(consume(dispatch, *found)) == 1
    assert (deliveries(tenant)[0]["status"], deliveries(tenant)[0]["attempts"]) == ("queued", 0)

    consume(dispatch, *found)
    assert len(receiver.posts) == 1


def test_a_message_that_is_not_ours_is_reported_alone(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))

    failed = consume(dispatch, "not json", *messages_for("deliveries", tenant.id))

    assert len(failed) == 1
    assert len(receiver.posts) == 1


def test_a_paused_webhook_keeps_its_deliveries_until_it_is_resumed(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    paused = hook(key, receiver)
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))
    path = f"/api/v1/webhooks/{paused.id}"
    call(webhooks, "PUT", path, token=key.plaintext, json={"is_active": False})
    consume(dispatch, *messages_for("deliveries", tenant.id))
    assert receiver.posts == []

    call(webhooks, "PUT", path, token=key.plaintext, json={"is_active": True})
    make_due(tenant)
    run_job(sweep_deliveries)
    consume(dispatch, *messages_for("deliveries", tenant.id))
    assert len(receiver.posts) == 1


def test_a_deleted_webhook_ends_its_open_deliveries_without_a_post(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    deleted = hook(key, receiver)
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))
    call(webhooks, "DELETE", f"/api/v1/webhooks/{deleted.id}", token=key.plaintext)
    consume(dispatch, *messages_for("deliveries", tenant.id))
    make_due(tenant)
    run_job(sweep_deliveries)

    assert receiver.posts == []
    assert messages_for("deliveries", tenant.id) == []


def test_the_signature_carries_the_time_of_the_attempt(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))
    found = messages_for("deliveries", tenant.id)

    with time_machine.travel(timedelta(minutes=1), tick=True) as clock:
        consume(dispatch, *found)
        sent_at = int(receiver.posts[0].headers["webhook-timestamp"])
        del clock
    assert abs(sent_at - int(receiver_time())) >= 55


def receiver_time() -> float:
    import time

    return time.time()
