"""Stored events are sent to a webhook again: by time, type and filter, paced, exact, and not twice."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from fan_out_events import replays
from fan_out_events.app import handler as fan_out
from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from penguinmails.domain import webhook_replays
from sweep_deliveries.app import handler as sweep
from tests.support.hooks import deliveries, hook, raise_event, work_off
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler

WEBHOOKS = "/api/v1/webhooks"


def span(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"from": (now - timedelta(hours=1)).isoformat(), "to": (now + timedelta(hours=1)).isoformat(), **changes}


def post(key: TestKey, path: str, body: dict[str, Any] | None = None) -> Answer:
    return call(handler, "POST", f"{WEBHOOKS}/{path}", token=key.plaintext, json=body)


def show(key: TestKey, webhook_id: str, replay_id: str) -> Any:
    return call(handler, "GET", f"{WEBHOOKS}/{webhook_id}/replay/{replay_id}", token=key.plaintext).json


def started(key: TestKey, webhook_id: str, **changes: Any) -> str:
    answer = post(key, f"{webhook_id}/replay", span(**changes))
    assert answer.status == 202, answer.body
    return answer.json["id"]


def go_on(tenant: TestTenant) -> None:
    """The queues until nothing is left, as if no time had to pass between pieces."""
    for _ in range(20):
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            tx.run("UPDATE webhook_replays SET next_run_at = now() WHERE next_run_at IS NOT NULL", {})
            running = tx.all("SELECT id FROM webhook_replays WHERE status = 'running'", {})
        if not running:
            break
        messages = [{"replay_id": str(found), "tenant_id": str(tenant.id), "mode": "live"} for found in running]
        assert consume(fan_out, *messages) == []
    work_off(tenant)


def raise_events(tenant: TestTenant, number: int) -> None:
    for _ in range(number):
        raise_event(tenant)
    work_off(tenant)


def test_events_are_posted_again_under_their_ids_and_say_so(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver).id
    raise_events(tenant, 3)
    first = {post.headers["webhook-id"]: post for post in receiver.posts}
    receiver.posts.clear()

    replay = started(key, webhook)
    go_on(tenant)

    assert {post.headers["webhook-id"] for post in receiver.posts} == set(first)
    assert len(receiver.posts) == 3
    for again in receiver.posts:
        before = first[again.headers["webhook-id"]]
        assert again.headers["x-penguinmails-replay"] == "true"
        assert "x-penguinmails-replay" not in before.headers
        assert again.headers["x-penguinmails-delivery-id"] != before.headers["x-penguinmails-delivery-id"]
        assert again.body == before.body
        assert "x-penguinmails-sequence" not in again.headers
    shown = show(key, webhook, replay)
    assert (shown["status"], shown["total"], shown["done"], shown["delivered"]) == ("completed", 3, 3, 3)
    assert shown["finished_at"]


def test_a_dry_run_counts_and_sends_nothing(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id
    raise_events(tenant, 2)

    answer = post(key, f"{webhook}/replay", span(dry_run=True))

    assert (answer.status, answer.json) == (200, {"total": 2})
    go_on(tenant)
    assert len(receiver.posts) == 2
    assert call(handler, "GET", f"{WEBHOOKS}/{webhook}/replay", token=key.plaintext).json["data"] == []


def test_only_the_span_and_types_that_were_asked_for_are_sent(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver, event_types=["contact.created", "contact.updated"]).id
    raise_events(tenant, 1)
    receiver.posts.clear()
    past = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}

    for changes in (past, {"event_types": ["contact.updated"]}):
        assert show(key, webhook, started(key, webhook, **changes))["total"] == 0
        go_on(tenant)

    assert receiver.posts == []


def test_the_webhooks_own_filter_holds_unless_another_is_given(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver, event_filters={"filters": {"source": "import"}}).id
    raise_events(tenant, 2)

    totals = [
        post(key, f"{webhook}/replay", span(dry_run=True, **changes)).json["total"]
        for changes in ({}, {"event_filters": {}}, {"event_filters": {"filters": {"source": "api"}}})
    ]
    started(key, webhook, event_filters={"filters": {"source": "api"}})
    go_on(tenant)

    assert totals == [0, 2, 2]
    assert len(receiver.posts) == 2


def test_what_arrived_can_be_left_out(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    receiver.answers += [(200, {}), (500, {}), (200, {})]
    webhook = hook(key, receiver, retry_enabled=False).id
    for _ in range(3):
        raise_events(tenant, 1)
    failed = receiver.posts[1].headers["webhook-id"]
    receiver.posts.clear()

    replay = started(key, webhook, only_undelivered=True)
    go_on(tenant)

    assert [post.headers["webhook-id"] for post in receiver.posts] == [failed]
    assert show(key, webhook, replay)["total"] == 1


def test_what_was_never_delivered_is_sent_too(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    raise_events(tenant, 2)
    webhook = hook(key, receiver).id

    started(key, webhook)
    go_on(tenant)

    assert len(receiver.posts) == 2


def test_a_failed_event_that_arrives_by_a_replay_is_no_gap(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    receiver.answers += [(500, {})]
    webhook = hook(key, receiver, retry_enabled=False).id
    raise_events(tenant, 1)
    before = call(handler, "GET", f"{WEBHOOKS}/{webhook}/reconcile", token=key.plaintext).json

    started(key, webhook)
    go_on(tenant)

    after = call(handler, "GET", f"{WEBHOOKS}/{webhook}/reconcile", token=key.plaintext).json
    assert (before["matched"], before["failed"], len(before["gaps"])) == (1, 1, 1)
    assert (after["matched"], after["delivered"], after["failed"], after["gaps"]) == (1, 1, 0, [])
    explained = call(
        handler, "GET", f"/api/v1/events/{before['gaps'][0]['event_id']}/explain",
        token=key.plaintext, query={"webhook_id": webhook},
    ).json  # fmt: skip
    assert explained["outcome"] == "delivered"


def test_an_event_that_only_replays_have_sent_is_counted_once_and_is_a_gap_until_it_arrives(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    raise_events(tenant, 1)
    webhook = hook(key, receiver, retry_enabled=False).id
    messages_for("events", tenant.id)
    receiver.answers = [(500, {}), (500, {})]

    found: list[Any] = []
    for _ in range(3):
        started(key, webhook)
        go_on(tenant)
        found.append(call(handler, "GET", f"{WEBHOOKS}/{webhook}/reconcile", token=key.plaintext).json)

    assert [(f["matched"], f["failed"], f["delivered"]) for f in found] == [(1, 1, 0), (1, 1, 0), (1, 0, 1)]
    assert [[gap["state"] for gap in f["gaps"]] for f in found] == [["failed"], ["failed"], []]


def test_a_replay_goes_on_piece_by_piece_at_its_pace(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "PIECE_SECONDS", 2)
    webhook = hook(key, receiver).id
    raise_events(tenant, 5)
    receiver.posts.clear()
    replay = started(key, webhook, per_second=1)

    pieces = [show(key, webhook, replay)["done"]]
    for _ in range(4):
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            tx.run("UPDATE webhook_replays SET next_run_at = now() WHERE next_run_at IS NOT NULL", {})
        assert consume(fan_out, {"replay_id": replay, "tenant_id": str(tenant.id), "mode": "live"}) == []
        pieces.append(show(key, webhook, replay)["done"])

    assert pieces == [0, 2, 4, 5, 5]
    assert show(key, webhook, replay)["status"] == "completed"
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        waits = tx.all(
            "SELECT round(extract(epoch FROM next_sweep_at - created_at)) FROM webhook_deliveries"
            " WHERE replay_id IS NOT NULL ORDER BY created_at, next_sweep_at",
            {},
        )
    assert [int(wait) - min(map(int, waits)) for wait in waits[:4]] == [0, 1, 0, 1]


def test_a_message_that_comes_twice_or_too_early_sends_nothing(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver).id
    raise_events(tenant, 2)
    receiver.posts.clear()
    replay = started(key, webhook)
    message = {"replay_id": replay, "tenant_id": str(tenant.id), "mode": "live"}

    assert consume(fan_out, message, message, message) == []
    go_on(tenant)

    assert len(receiver.posts) == 2


def test_a_replay_whose_message_was_lost_goes_on_by_the_sweep(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver).id
    raise_events(tenant, 1)
    receiver.posts.clear()
    started(key, webhook)
    messages_for("events", tenant.id)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_replays SET next_run_at = now() - interval '2 minutes'", {})

    run_job(sweep)
    go_on(tenant)

    assert len(receiver.posts) == 1


def test_a_cancelled_replay_posts_nothing_more(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id
    raise_events(tenant, 3)
    receiver.posts.clear()
    replay = started(key, webhook)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []

    cancelled = post(key, f"{webhook}/replay/{replay}/cancel")
    go_on(tenant)

    assert (cancelled.status, cancelled.json["status"], cancelled.json["failed"]) == (200, "cancelled", 3)
    assert receiver.posts == []
    assert {row["status"] for row in deliveries(tenant) if row["replay_id"]} == {"dropped"}
    assert post(key, f"{webhook}/replay/{replay}/cancel").code == "INVALID_STATE_TRANSITION"


def test_one_replay_of_a_webhook_runs_at_a_time(key: TestKey, receiver: Receiver) -> None:
    webhook, other = hook(key, receiver).id, hook(key, receiver).id
    started(key, webhook)

    assert post(key, f"{webhook}/replay", span()).code == "INVALID_STATE_TRANSITION"
    assert post(key, f"{other}/replay", span()).status == 202


def test_a_paused_webhook_is_resumed_first(key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver, is_active=False).id

    answer = post(key, f"{webhook}/replay", span())

    assert (answer.status, answer.code) == (409, "INVALID_STATE_TRANSITION")
    assert "Resume" in answer.json["detail"]


def test_a_replay_waits_while_its_webhook_is_paused(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id
    raise_events(tenant, 1)
    replay = started(key, webhook)
    post(key, f"{webhook}/pause")
    receiver.posts.clear()

    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    assert show(key, webhook, replay)["done"] == 0
    post(key, f"{webhook}/resume", {})
    go_on(tenant)

    assert len(receiver.posts) == 1


def test_a_deleted_webhook_ends_its_replay(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id
    started(key, webhook)

    call(handler, "DELETE", f"{WEBHOOKS}/{webhook}", token=key.plaintext)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.all("SELECT status FROM webhook_replays", {}) == ["cancelled"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": "2025-01-01T00:00:00Z"}, "to"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "to"),
        ({"event_types": ["email.sent"]}, "event_types"),
        ({"event_filters": {"colour": "red"}}, "event_filters.colour"),
        ({"per_second": 51}, "per_second"),
    ],
    ids=["backwards", "too long", "not subscribed", "not a filter", "too fast"],
)
def test_a_replay_that_makes_no_sense_is_refused(
    key: TestKey, receiver: Receiver, changes: dict[str, Any], field: str
) -> None:
    answer = post(key, f"{hook(key, receiver).id}/replay", span(**changes))

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, field), answer.body


def test_too_many_events_are_refused_before_any_is_sent(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webhooks import replay_service

    monkeypatch.setattr(replay_service, "MOST_EVENTS", 2)
    webhook = hook(key, receiver).id
    raise_events(tenant, 3)

    answer = post(key, f"{webhook}/replay", span())

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "to")
    assert webhook_replays.MOST_EVENTS == 100_000


def test_sending_again_takes_the_scopes_of_the_data(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id

    assert post(tenant.key(Scope.MANAGE_WEBHOOKS), f"{webhook}/replay", span()).status == 403


def test_an_unknown_replay_is_404(key: TestKey, receiver: Receiver) -> None:
    webhook = hook(key, receiver).id

    assert show(key, webhook, str(uuid4()))["code"] == "RESOURCE_NOT_FOUND"
    assert post(key, f"{webhook}/replay/{uuid4()}/cancel").status == 404
    assert json.loads(post(key, f"{uuid4()}/replay", span()).body)["code"] == "RESOURCE_NOT_FOUND"
