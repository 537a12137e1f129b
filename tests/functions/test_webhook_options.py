"""Secrets that are replaced, headers of the customer's own, a pace, and bodies that would be too large."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook as StandardWebhook
from standardwebhooks.webhooks import WebhookVerificationError

from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails import clock
from penguinmails.aws import Message
from penguinmails.db import transaction
from penguinmails.domain.deliveries import wake_up
from penguinmails.events import outbox
from penguinmails.events.catalogue import ContactBlock, ContactCreated
from penguinmails.events.emit import emit, emit_many
from penguinmails.settings import get_settings
from penguinmails.vault import read_secret, write_secret
from penguinmails.webhook_posts.request import MAX_BYTES
from tests.support.hooks import Hook, attempts, deliveries, hook, raise_event, webhook_row, work_off
from tests.support.http import call
from tests.support.people import signed_in
from tests.support.queues import consume, messages_for
from tests.support.receiver import Post, Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks


def rotate(key: TestKey, hooked: Hook, **body: Any) -> Any:
    answer = call(webhooks, "POST", f"/api/v1/webhooks/{hooked.id}/rotate-secret", token=key.plaintext, json=body)
    assert answer.status == 200, answer.body
    return answer.json


def verifies(secret: str, post: Post) -> bool:
    """By both forms."""
    expected = "sha256=" + hmac.new(secret.encode(), post.body, hashlib.sha256).hexdigest()
    is_ours = expected in post.headers["x-penguinmails-signature"].split(",")
    try:
        StandardWebhook(secret).verify(post.body, post.headers)
    except WebhookVerificationError:
        assert not is_ours
        return False
    assert is_ours
    return True


def posted(tenant: TestTenant, receiver: Receiver) -> Post:
    raise_event(tenant)
    work_off(tenant)
    return receiver.posts[-1]


def test_a_rotated_secret_signs_from_the_next_post_on_and_the_old_one_no_more(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    old = hook(key, receiver)
    assert verifies(old.secret, posted(tenant, receiver))

    new = rotate(key, old)
    post = posted(tenant, receiver)

    assert new["masked_secret"] == f"whsec_...{new['secret_key'][-3:]}"
    assert verifies(new["secret_key"], post)
    assert not verifies(old.secret, post)
    assert new["previous_secret_until"] is None


def test_during_an_overlap_both_secrets_verify_and_afterwards_the_new_one_alone(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    old = hook(key, receiver)
    new = rotate(key, old, overlap_hours=2)
    post = posted(tenant, receiver)
    assert verifies(old.secret, post)
    assert verifies(new["secret_key"], post)
    assert post.headers["x-penguinmails-signature"].startswith(
        "sha256=" + hmac.new(new["secret_key"].encode(), post.body, hashlib.sha256).hexdigest()
    )

    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))
    found = messages_for("deliveries", tenant.id)
    with time_machine.travel(clock.now() + timedelta(hours=2, minutes=1), tick=True):
        consume(dispatch, *found)
    signature = receiver.posts[-1].headers["x-penguinmails-signature"]
    assert signature.count("sha256=") == 1


@pytest.mark.parametrize("hours", [-1, 25])
def test_an_overlap_lasts_a_day_at_most(key: TestKey, receiver: Receiver, hours: int) -> None:
    path = f"/api/v1/webhooks/{hook(key, receiver).id}/rotate-secret"
    assert call(webhooks, "POST", path, token=key.plaintext, json={"overlap_hours": hours}).status == 400


def test_a_session_confirms_its_password_before_a_rotation(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    path = f"/api/v1/platform/webhooks/{hook(key, receiver).id}/rotate-secret"
    owner = signed_in(tenant)

    refused = call(webhooks, "POST", path, token=owner.access_token, json={})
    assert (refused.status, refused.json["code"]) == (403, "REAUTHENTICATION_REQUIRED")
    assert (
        call(webhooks, "POST", path, token=owner.access_token, json={}, headers=owner.step_up("webhooks")).status == 200
    )


def test_a_rotation_is_audited_and_its_secret_is_in_no_table(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    new = rotate(key, hook(key, receiver), overlap_hours=3)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        (row,) = tx.all("SELECT row_to_json(a) FROM audit_log a WHERE event = 'webhook_secret_rotated'", {})
    assert row["details"] == {"overlap_hours": 3}
    assert new["secret_key"] not in json.dumps([row, webhook_row(tenant)])


def test_a_version_that_a_failed_rotation_left_behind_is_not_used(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    subscribed = hook(key, receiver)
    path = webhook_row(tenant)["secret_ref"]
    write_secret(path, {"secret": "whsec_bGVmdCBiZWhpbmQ="}, expected_version=1)
    assert verifies(subscribed.secret, posted(tenant, receiver))

    new = rotate(key, subscribed, overlap_hours=1)
    post = posted(tenant, receiver)
    assert verifies(new["secret_key"], post)
    assert verifies(subscribed.secret, post)


def test_a_webhook_whose_secret_is_gone_says_what_to_do(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    from penguinmails.vault import delete_secret

    subscribed = hook(key, receiver)
    delete_secret(webhook_row(tenant)["secret_ref"])
    path = f"/api/v1/webhooks/{subscribed.id}/rotate-secret"
    answer = call(webhooks, "POST", path, token=key.plaintext, json={})

    assert answer.status == 409
    assert "add it anew" in answer.json["detail"]


def test_custom_headers_are_sent_kept_in_vault_and_shown_to_nobody(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    value = f"gateway-{uuid4().hex}"
    subscribed = hook(key, receiver, custom_headers={"X-Gateway-Token": value})
    post = posted(tenant, receiver)

    assert post.headers["x-gateway-token"] == value
    shown = call(webhooks, "GET", f"/api/v1/webhooks/{subscribed.id}", token=key.plaintext)
    assert shown.json["custom_header_names"] == ["X-Gateway-Token"]
    log = json.dumps([webhook_row(tenant), attempts(tenant)])
    assert value not in log + shown.body
    assert attempts(tenant)[0]["request_headers"]["X-Gateway-Token"] == "[redacted]"
    record = read_secret(webhook_row(tenant)["secret_ref"])
    assert record is not None
    assert record.data["headers"] == {"X-Gateway-Token": value}


def test_custom_headers_are_replaced_and_survive_a_rotation(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    subscribed = hook(key, receiver, custom_headers={"X-One": "1"})
    path = f"/api/v1/webhooks/{subscribed.id}"
    changed = call(webhooks, "PUT", path, token=key.plaintext, json={"custom_headers": {"X-Two": "2"}})
    assert changed.json["custom_header_names"] == ["X-Two"]
    new = rotate(key, subscribed)
    post = posted(tenant, receiver)
    assert ("x-one" in post.headers, post.headers["x-two"]) == (False, "2")
    assert verifies(new["secret_key"], post)

    call(webhooks, "PATCH", path, token=key.plaintext, json={"custom_headers": None})
    assert "x-two" not in posted(tenant, receiver).headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "x"},
        {"webhook-id": "x"},
        {"X-PenguinMails-Event": "x"},
        {"Transfer-Encoding": "chunked"},
        {"bad name": "x"},
        {"X-A": "two\r\nlines"},
        {"X-A": ""},
        {"X-A": "x" * 1025},
        {"X-A": "1", "x-a": "2"},
        {f"X-{n}": "1" for n in range(11)},
    ],
)
def test_headers_that_cannot_be_sent_are_refused(key: TestKey, receiver: Receiver, headers: dict[str, str]) -> None:
    body = {"name": "h", "endpoint_url": receiver.url, "event_types": ["contact.created"], "custom_headers": headers}
    answer = call(webhooks, "POST", "/api/v1/webhooks", token=key.plaintext, json=body)

    assert answer.status == 400
    assert all(error["field"].startswith("custom_headers") for error in answer.json["errors"])


def raise_many(tenant: TestTenant, number: int) -> None:
    event = ContactCreated(contact=ContactBlock(id=uuid4(), email="ada@example.com"), source="api")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        emit_many(tx, [event] * number)


def a_second_is_over(tenant: TestTenant) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhooks SET paced_until = now()", {})


def test_a_pace_parks_what_is_above_it_without_spending_an_attempt(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, max_per_second=2)
    raise_many(tenant, 8)
    work_off(tenant)

    sent = len(receiver.posts)
    assert 2 <= sent < 8
    late = [delivery for delivery in deliveries(tenant) if delivery["status"] == "queued"]
    assert len(late) == 8 - sent
    assert {delivery["attempts"] for delivery in late} == {0}
    assert all(delivery["parked_at"] for delivery in late)


def test_what_is_above_the_pace_goes_out_later_with_one_message_at_a_time(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(key, receiver, max_per_second=20)
    for _ in range(3):
        raise_many(tenant, 20)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    found = messages_for("deliveries", tenant.id)
    sent: list[Message] = []

    def send(_url: str, messages: Sequence[Message], **_options: Any) -> list[int]:
        sent.extend(messages)
        return []

    monkeypatch.setattr(outbox, "send_messages", send)
    assert consume(dispatch, *found) == []
    assert 20 <= len(receiver.posts) < 60

    while sent:
        assert [(message.body["deliveries"], message.delay_seconds) for message in sent] == [([], 1)]
        sent.clear()
        a_second_is_over(tenant)
        assert consume(dispatch, {"tenant_id": str(tenant.id), "mode": "live", **wake_up()}) == []

    assert len({post.headers["webhook-id"] for post in receiver.posts}) == len(receiver.posts) == 60
    assert {(delivery["status"], delivery["attempts"]) for delivery in deliveries(tenant)} == {("success", 1)}


def test_what_comes_while_others_wait_for_the_pace_goes_behind_them(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    subscribed = hook(key, receiver, max_per_second=1)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhooks SET paced_until = now() + interval '1 minute'", {})
    raise_event(tenant)
    work_off(tenant)
    assert receiver.posts == []
    path = f"/api/v1/events/{deliveries(tenant)[0]['event_id']}/explain"
    explained = call(webhooks, "GET", path, token=key.plaintext, query={"webhook_id": subscribed.id}).json
    assert (explained["outcome"], explained["reason"]) == ("pending", "capped")
    assert "takes up to 1 per second" in explained["detail"]

    a_second_is_over(tenant)
    assert consume(dispatch, {"tenant_id": str(tenant.id), "mode": "live", **wake_up()}) == []
    assert len(receiver.posts) == 1


def test_a_body_that_is_too_large_loses_its_longest_texts_and_says_so(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        contact = ContactBlock(id=uuid4(), email="ada@example.com", first_name="é" * 300_000)
        emit(tx, ContactCreated(contact=contact, source="api"))
    work_off(tenant)

    body = receiver.posts[0].body
    document = json.loads(body)
    assert len(body) <= MAX_BYTES
    assert document["truncated"] is True
    assert document["data"]["contact"]["email"] == "ada@example.com"
    assert set(document["data"]["contact"]["first_name"]) == {"é"}


def test_a_body_that_fits_says_nothing_of_truncation(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)

    assert "truncated" not in json.loads(posted(tenant, receiver).body)


def test_the_addresses_that_posts_leave_from_are_listed(key: TestKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SOURCE_IPS", "192.0.2.10/32, 192.0.2.11/32")
    get_settings.cache_clear()
    answer = call(webhooks, "GET", "/api/v1/webhooks/source-ips", token=key.plaintext)
    monkeypatch.undo()
    get_settings.cache_clear()

    assert answer.json == {"source_ips": ["192.0.2.10/32", "192.0.2.11/32"]}
