"""What happened, and why it arrived or did not."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from penguinmails.domain import held_deliveries
from tests.support.hooks import age, ask, deliveries, hook, hook_of_earlier, raise_event, store_event, work_off
from tests.support.http import Answer, call
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant, make_tenant
from webhooks.app import handler


def raised(tenant: TestTenant) -> UUID:
    """The event that a tenant raised last."""
    raise_event(tenant)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.one("SELECT id FROM events ORDER BY created_at DESC LIMIT 1", {})


def reason(key: TestKey, event_id: UUID, webhook_id: str) -> tuple[str, str]:
    answer = ask(key, f"events/{event_id}/explain", webhook_id=webhook_id)
    assert answer.status == 200, answer.body
    return answer.json["outcome"], answer.json["reason"]


def test_events_are_listed_whether_or_not_a_webhook_asked_for_them(tenant: TestTenant, key: TestKey) -> None:
    event_id = raised(tenant)

    (listed,) = ask(key, "events", event="contact.created").json["data"]

    assert listed["event_id"] == "evt_" + event_id.hex
    assert listed["event_data"]["contact"]["first_name"] == "Zoë"
    assert ask(key, "events", event="email.sent").json["data"] == []
    assert ask(key, f"events/{listed['event_id']}").json == ask(key, f"events/{event_id}").json == listed


def test_events_show_their_data_only_to_who_may_read_it(tenant: TestTenant) -> None:
    event_id = raised(tenant)

    shown = ask(tenant.key(Scope.MANAGE_WEBHOOKS), f"events/{event_id}")

    assert (shown.status, shown.json["event_data"]) == (200, None)


def test_an_event_that_was_never_raised_is_not_found(key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id

    assert ask(key, f"events/{uuid4()}").code == "RESOURCE_NOT_FOUND"
    assert ask(key, f"events/{uuid4()}/explain", webhook_id=webhook).code == "RESOURCE_NOT_FOUND"


def test_a_delivered_event_is_explained_by_the_answer(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id
    event_id = raised(tenant)
    work_off(tenant)

    explained = ask(key, f"events/{event_id}/explain", webhook_id=webhook).json

    assert (explained["outcome"], explained["reason"]) == ("delivered", "accepted")
    assert explained["delivery_id"] == deliveries(tenant)[0]["id"]


def test_an_event_is_explained_by_its_retries(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    receiver.answers += [(503, {}), (404, {})]
    retried, given_up = hook(key, receiver).id, None
    first = raised(tenant)
    work_off(tenant)
    assert reason(key, first, retried) == ("pending", "retrying")

    given_up = hook(key, receiver, retry_enabled=False, event_types=["contact.created"]).id
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhooks SET is_active = false WHERE id = %(id)s", {"id": retried})
    second = raised(tenant)
    work_off(tenant)

    assert reason(key, second, given_up) == ("failed", "retries_exhausted")
    assert "HTTP 404" in ask(key, f"events/{second}/explain", webhook_id=given_up).json["detail"]
    assert reason(key, second, retried) == ("held", "paused")


def test_a_retry_of_a_paused_webhook_waits_for_its_resumption(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    receiver.answers += [(503, {})]
    webhook = hook(key, receiver).id
    event_id = raised(tenant)
    work_off(tenant)
    call(handler, "POST", f"/api/v1/webhooks/{webhook}/pause", token=key.plaintext)

    assert deliveries(tenant)[0]["status"] == "pending_retry"
    assert reason(key, event_id, webhook) == ("held", "paused")
    detail = ask(key, f"events/{event_id}/explain", webhook_id=webhook).json["detail"]
    assert "after one try. The last answer was: HTTP 503. Resume it" in detail
    call(handler, "POST", f"/api/v1/webhooks/{webhook}/resume", token=key.plaintext, json={})
    assert reason(key, event_id, webhook) == ("pending", "retrying")


def test_what_a_resumption_has_not_come_to_yet_is_not_said_to_be_paused(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_deliveries, "RELEASED_PER_SECOND", 1)
    monkeypatch.setattr(held_deliveries, "PIECE_SECONDS", 1)
    webhook = hook(key, receiver, is_active=False).id
    first, second = raised(tenant), raised(tenant)
    work_off(tenant)
    assert reason(key, second, webhook) == ("held", "paused")
    call(handler, "POST", f"/api/v1/webhooks/{webhook}/resume", token=key.plaintext, json={})

    assert {reason(key, first, webhook), reason(key, second, webhook)} == {("pending", "waiting"), ("held", "waiting")}


def test_an_event_that_was_refused_for_good_says_so(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    receiver.answers += [(410, {})]
    webhook = hook(key, receiver).id
    event_id = raised(tenant)
    work_off(tenant)

    assert reason(key, event_id, webhook) == ("failed", "refused_for_good")
    detail = ask(key, f"events/{event_id}/explain", webhook_id=webhook).json["detail"]
    assert "answered 410" in detail
    assert "retry the delivery" in detail


def test_an_event_that_was_given_up_on_resuming_says_so(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id
    call(handler, "POST", f"/api/v1/webhooks/{webhook}/pause", token=key.plaintext)
    event_id = raised(tenant)
    work_off(tenant)
    call(handler, "POST", f"/api/v1/webhooks/{webhook}/resume", token=key.plaintext, json={"backlog": "drop"})

    assert reason(key, event_id, webhook) == ("dropped", "given_up_on_resume")


def test_an_event_that_no_delivery_was_made_of_is_explained(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver).id
    other_type, older = store_event(tenant, minutes_ago=0, type="email.sent"), store_event(tenant, minutes_ago=60)
    young = store_event(tenant, minutes_ago=0)

    assert reason(key, other_type, webhook) == ("not_sent", "type_not_subscribed")
    assert reason(key, older, webhook) == ("not_sent", "webhook_is_newer")
    assert reason(key, young, webhook) == ("pending", "just_raised")
    age(tenant, 120)
    assert reason(key, older, webhook) == ("not_sent", "not_matched_at_the_time")


def test_a_webhook_of_nobody_explains_nothing(tenant: TestTenant, key: TestKey) -> None:
    assert ask(key, f"events/{raised(tenant)}/explain", webhook_id=str(uuid4())).code == "RESOURCE_NOT_FOUND"


def test_an_event_that_the_filter_leaves_out_is_explained_and_is_no_gap(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook_of_earlier(tenant, key, receiver, event_filters={"filters": {"source": "import"}}).id
    event_id = store_event(tenant, minutes_ago=30)

    assert reason(key, event_id, webhook) == ("not_sent", "filtered")
    assert "filters.source" in ask(key, f"events/{event_id}/explain", webhook_id=webhook).json["detail"]
    assert ask(key, f"webhooks/{webhook}/reconcile").json["missing"] == 0


def test_what_a_filter_makes_of_an_event_is_told_to_who_may_read_it(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    filtered = hook_of_earlier(tenant, key, receiver, event_filters={"filters": {"source": "import"}}).id
    matching = hook_of_earlier(tenant, key, receiver, event_filters={"filters": {"source": {"$exists": False}}}).id
    plain = hook_of_earlier(tenant, key, receiver).id
    event_id = store_event(tenant, minutes_ago=30)
    weak = tenant.key(Scope.MANAGE_WEBHOOKS)

    assert reason(weak, event_id, filtered) == reason(weak, event_id, matching) == ("not_sent", "scope_needed")
    assert "manage_contacts" in ask(weak, f"events/{event_id}/explain", webhook_id=filtered).json["detail"]
    assert reason(weak, event_id, plain) == ("not_sent", "not_matched_at_the_time")
    assert reason(key, event_id, filtered) == ("not_sent", "filtered")
    assert reason(key, event_id, matching) == ("not_sent", "not_matched_at_the_time")


def rehearse(key: TestKey, **body: Any) -> Answer:
    return call(handler, "POST", "/api/v1/webhooks/rehearse", token=key.plaintext, json=body)


def test_a_filter_is_tried_on_what_has_happened(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id
    store_event(tenant, minutes_ago=5)
    wanted = raised(tenant)

    found = rehearse(key, event_types=["contact.created"], event_filters={"filters": {"source": "api"}}).json

    assert (found["examined"], found["matched"]) == (2, 1)
    assert [(event["event_id"] == "evt_" + wanted.hex, event["matched"]) for event in found["events"]] == [
        (True, True),
        (False, False),
    ]
    assert found["events"][1]["refused_by"].startswith("filters.source")
    assert rehearse(key, event_types=["contact.created"], events=1).json["matched"] == 1
    assert ask(key, f"webhooks/{webhook}/deliveries").json["data"] == []


def test_a_filter_is_tried_on_nobody_else_s_events(tenant: TestTenant) -> None:
    store_event(tenant, minutes_ago=5)

    found = rehearse(make_tenant().key(), event_types=["contact.created"]).json

    assert (found["examined"], found["matched"]) == (0, 0)


def test_a_filter_that_cannot_be_understood_is_refused_part_by_part(key: TestKey) -> None:
    refused = rehearse(key, event_types=["contact.created"], event_filters={"filters": {"source": {"$like": "a"}}})

    assert refused.status in {400, 422}
    assert "$like" in refused.body


def test_only_who_may_receive_events_tries_filters_on_them(tenant: TestTenant) -> None:
    refused = rehearse(tenant.key(Scope.MANAGE_WEBHOOKS), event_types=["contact.created"])

    assert (refused.status, refused.code) == (403, "INSUFFICIENT_PERMISSIONS")
