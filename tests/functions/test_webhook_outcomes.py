"""Of an event with several deliveries, explanations, counts and gaps say the same: what became of it, whatever a replay tried."""

from datetime import timedelta
from typing import Any

from fan_out_events.app import handler as fan_out
from penguinmails import clock
from tests.support.hooks import ask, deliveries, hook, make_due, raise_event, work_off
from tests.support.http import call
from tests.support.queues import consume, messages_for
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler


def post(key: TestKey, path: str, **body: Any) -> Any:
    answer = call(handler, "POST", f"/api/v1/webhooks/{path}", token=key.plaintext, json=body)
    assert answer.status < 300, answer.body
    return answer.json


def replay(tenant: TestTenant, key: TestKey, webhook: str) -> str:
    """A replay whose deliveries have been made and not been posted."""
    now = clock.now()
    span = {"from": (now - timedelta(hours=1)).isoformat(), "to": now.isoformat()}
    replay_id = post(key, f"{webhook}/replay", **span)["id"]
    assert consume(fan_out, *[m for m in messages_for("events", tenant.id) if "replay_id" in m]) == []
    return replay_id


def cancelled_replay(tenant: TestTenant, key: TestKey, webhook: str) -> None:
    post(key, f"{webhook}/replay/{replay(tenant, key, webhook)}/cancel")


def said(tenant: TestTenant, key: TestKey, webhook: str) -> tuple[tuple[str, str], dict[str, int], list[str]]:
    """Outcome and reason; counts that are not 0; states of the gaps. Of a webhook and the one event that there is."""
    (event_id,) = {row["event_id"] for row in deliveries(tenant)}
    explained = ask(key, f"events/{event_id}/explain", webhook_id=webhook).json
    found = ask(key, f"webhooks/{webhook}/reconcile").json
    counts = {name: found[name] for name in ("delivered", "pending", "held", "failed", "dropped") if found[name]}
    assert found["matched"] == sum(counts.values())
    return (explained["outcome"], explained["reason"]), counts, [gap["state"] for gap in found["gaps"]]


def test_a_cancelled_replay_changes_nothing_about_an_event_that_is_tried_again(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    receiver.answers += [(500, {})]
    webhook = hook(key, receiver).id
    raise_event(tenant)
    work_off(tenant)
    before = said(tenant, key, webhook)

    cancelled_replay(tenant, key, webhook)

    assert before == said(tenant, key, webhook) == (("pending", "retrying"), {"pending": 1}, [])


def test_a_cancelled_replay_changes_nothing_about_an_event_that_was_given_up(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    receiver.answers += [(500, {})]
    webhook = hook(key, receiver, retry_enabled=False).id
    raise_event(tenant)
    work_off(tenant)
    before = said(tenant, key, webhook)

    cancelled_replay(tenant, key, webhook)

    assert before == said(tenant, key, webhook) == (("failed", "retries_exhausted"), {"failed": 1}, ["failed"])


def test_a_replay_that_is_under_way_opens_an_event_again(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    receiver.answers += [(500, {})]
    webhook = hook(key, receiver, retry_enabled=False).id
    raise_event(tenant)
    work_off(tenant)

    replay(tenant, key, webhook)

    assert said(tenant, key, webhook) == (("pending", "waiting"), {"pending": 1}, [])


def test_what_a_replay_has_tried_counts_more_than_what_was_given_up_before(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver, is_active=False, retry_enabled=False).id
    raise_event(tenant)
    work_off(tenant)
    post(key, f"{webhook}/resume", backlog="drop")
    assert said(tenant, key, webhook) == (("dropped", "given_up_on_resume"), {"dropped": 1}, ["dropped"])
    receiver.answers = [(500, {})]

    replay(tenant, key, webhook)
    make_due(tenant)
    work_off(tenant)

    assert said(tenant, key, webhook) == (("failed", "retries_exhausted"), {"failed": 1}, ["failed"])


def test_an_event_that_arrived_by_a_replay_has_arrived_though_its_first_delivery_is_tried_again(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    receiver.answers += [(500, {}), (200, {})]
    webhook = hook(key, receiver).id
    raise_event(tenant)
    work_off(tenant)

    replay(tenant, key, webhook)
    work_off(tenant)

    assert {row["status"] for row in deliveries(tenant)} == {"pending_retry", "success"}
    assert said(tenant, key, webhook) == (("delivered", "accepted"), {"delivered": 1}, [])


def test_an_event_that_only_a_cancelled_replay_was_to_send_says_so(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    raise_event(tenant)
    work_off(tenant)
    webhook = hook(key, receiver).id

    cancelled_replay(tenant, key, webhook)

    assert said(tenant, key, webhook) == (("dropped", "replay_cancelled"), {"dropped": 1}, ["dropped"])


def test_what_a_resumption_gave_up_of_a_replay_is_not_the_work_of_its_cancellation(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    raise_event(tenant)
    work_off(tenant)
    webhook = hook(key, receiver).id
    replay_id = replay(tenant, key, webhook)
    post(key, f"{webhook}/pause")
    post(key, f"{webhook}/resume", backlog="drop")

    post(key, f"{webhook}/replay/{replay_id}/cancel")

    assert said(tenant, key, webhook) == (("dropped", "given_up_on_resume"), {"dropped": 1}, ["dropped"])
