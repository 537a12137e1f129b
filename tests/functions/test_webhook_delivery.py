"""From an event to the customer's endpoint: signed, at least once, logged."""

import json
from datetime import timedelta

import pytest
import svix.webhooks
import time_machine
from standardwebhooks.webhooks import Webhook as StandardWebhook

from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails.cache import CacheUnavailable
from penguinmails.db import transaction
from penguinmails.events import outbox
from sweep_deliveries.app import handler as sweep_deliveries
from sweep_outbox.app import handler as sweep_outbox
from tests.support.hooks import attempts, deliveries, hook, make_due, raise_event, work_off
from tests.support.http import call
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks


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

    run_job(sweep_outbox)
    work_off(tenant)

    assert len(receiver.posts) == 1


def test_while_a_message_is_on_its_way_further_events_send_none_and_are_taken_with_it(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    for _ in range(5):
        raise_event(tenant)

    (announcement,) = messages_for("events", tenant.id)
    assert consume(fan_out, announcement) == []
    consume(dispatch, *messages_for("deliveries", tenant.id))
    assert len(receiver.posts) == 5

    raise_event(tenant)
    work_off(tenant)
    assert len(receiver.posts) == 6


def test_an_event_of_an_announcement_that_never_arrives_is_sent_by_the_sweep(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    raise_event(tenant)
    raise_event(tenant)
    messages_for("events", tenant.id)
    with transaction(role="jobs") as tx:
        tx.run("UPDATE outbox SET created_at = now() - interval '1 minute'", {})

    run_job(sweep_outbox)
    work_off(tenant)
    assert len(receiver.posts) == 2


def test_events_send_their_messages_without_redis(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_parts: object) -> None:
        raise CacheUnavailable

    hook(key, receiver)
    monkeypatch.setattr(outbox, "command", away)
    raise_event(tenant)
    raise_event(tenant)
    assert len(messages := messages_for("events", tenant.id)) == 2
    assert consume(fan_out, *messages) == []
    monkeypatch.undo()
    consume(dispatch, *messages_for("deliveries", tenant.id))
    assert len(receiver.posts) == 2


def test_vault_away_costs_no_attempt_and_holds_nobody_else_up(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from penguinmails.webhook_posts import credentials as signing

    hook(key, receiver)
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))

    def sealed(_path: str, **_options: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(signing, "read_secret", sealed)
        assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []
    assert (deliveries(tenant)[0]["status"], deliveries(tenant)[0]["attempts"]) == ("queued", 0)

    make_due(tenant)
    run_job(sweep_deliveries)
    consume(dispatch, *messages_for("deliveries", tenant.id))
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
