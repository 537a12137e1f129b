"""Whether everything arrived: counts of a span of time, and page by page the events that did not."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from fan_out_events.app import handler as fan_out
from penguinmails import clock
from penguinmails.db import transaction
from tests.support.hooks import (
    age,
    ask,
    deliveries,
    hook,
    hook_of_earlier,
    raise_and_work_off,
    store_event,
)
from tests.support.http import call
from tests.support.queues import consume, messages_for
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks import reconcile_repository, reconcile_service
from webhooks.app import handler


def test_reconciling_counts_what_arrived_and_names_what_did_not(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver, retry_enabled=False).id
    receiver.answers += [(200, {}), (500, {})]
    raise_and_work_off(tenant, 2)
    age(tenant, 120)
    lost = store_event(tenant, minutes_ago=30)

    found = ask(key, f"webhooks/{webhook}/reconcile").json

    counts = {name: found[name] for name in ("matched", "delivered", "pending", "held", "failed", "dropped", "missing")}
    assert counts == {
        "matched": 2, "delivered": 1, "pending": 0, "held": 0, "failed": 1, "dropped": 0, "missing": 1,
    }  # fmt: skip
    failed = next(row for row in deliveries(tenant) if row["status"] == "failed")
    assert [(gap["event_id"], gap["state"]) for gap in found["gaps"]] == [
        ("evt_" + lost.hex, "missing"),
        ("evt_" + UUID(failed["event_id"]).hex, "failed"),
    ]
    assert found["more_gaps"] is False


def test_reconciling_leaves_out_what_is_not_for_the_webhook(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver).id
    store_event(tenant, minutes_ago=60)
    age(tenant, 30)
    store_event(tenant, minutes_ago=10, type="email.sent")
    store_event(tenant, minutes_ago=0)

    found = ask(key, f"webhooks/{webhook}/reconcile").json

    assert (found["matched"], found["missing"], found["gaps"]) == (0, 0, [])


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "later than from"),
        ("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "at most 31 days"),
    ],
)
def test_reconciling_takes_a_span_of_31_days_at_most(
    key: TestKey, receiver: Receiver, start: str, end: str, said: str
) -> None:
    answer = ask(key, f"webhooks/{hook(key, receiver).id}/reconcile", **{"from": start, "to": end})

    assert answer.status == 400
    assert said in answer.body


def test_a_span_of_31_days_can_be_asked_for_again_as_it_was_widened(key: TestKey, receiver: Receiver) -> None:
    path = f"webhooks/{hook(key, receiver).id}/reconcile"

    first = ask(key, path, **{"from": "2026-01-01T10:07:00Z", "to": "2026-02-01T10:07:00Z"})
    again = ask(key, path, **{"from": first.json["start"], "to": first.json["end"]})

    assert (first.json["start"], first.json["end"]) == ("2026-01-01T10:00:00Z", "2026-02-01T10:15:00Z")
    assert (again.status, again.json["start"], again.json["end"]) == (200, first.json["start"], first.json["end"])
    assert ask(key, path, **{"from": "2026-01-01T10:00:00Z", "to": "2026-02-01T10:16:00Z"}).status == 400


def test_a_span_ends_now_at_the_latest(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = hook_of_earlier(tenant, key, receiver).id
    store_event(tenant, minutes_ago=30)

    found = ask(key, f"webhooks/{webhook}/reconcile", to="9999-12-31T23:59:59Z").json

    assert found["missing"] == 1
    assert datetime.fromisoformat(found["end"]) <= clock.now() + timedelta(minutes=15)
    assert datetime.fromisoformat(found["end"]) - datetime.fromisoformat(found["start"]) <= timedelta(
        days=1, minutes=15
    )


@pytest.mark.parametrize(
    "span",
    [
        {"to": "0001-01-01T00:00:00Z"},
        {"from": "0001-01-01T00:00:00Z", "to": "0001-01-01T00:00:00Z"},
        {"from": "0001-01-01T00:00:00Z"},
        {"from": "9999-12-31T23:59:59Z"},
        {"from": "9999-12-31T00:00:00Z", "to": "9999-12-31T23:59:59Z"},
    ],
)
def test_a_span_at_the_ends_of_time_is_refused(key: TestKey, receiver: Receiver, span: dict[str, str]) -> None:
    refused = ask(key, f"webhooks/{hook(key, receiver).id}/reconcile", **span)

    assert (refused.status, refused.code, refused.json["errors"][0]["field"]) == (400, "INVALID_TIME_RANGE", "to")


def test_a_span_in_the_first_hours_of_time_is_empty(key: TestKey, receiver: Receiver) -> None:
    found = ask(key, f"webhooks/{hook(key, receiver).id}/reconcile", to="0001-01-01T05:00:00Z")

    assert (found.status, found.json["matched"], found.json["start"]) == (200, 0, "0001-01-01T00:00:00Z")


def all_gaps(key: TestKey, webhook: str) -> tuple[list[list[str]], list[dict[str, Any]]]:
    """The ids of the gaps page by page, and the answers."""
    answers = [ask(key, f"webhooks/{webhook}/reconcile").json]
    while cursor := answers[-1]["next_cursor"]:
        span = {"from": answers[0]["start"], "to": answers[0]["end"]}
        answers.append(ask(key, f"webhooks/{webhook}/reconcile", cursor=cursor, **span).json)
    return [[gap["event_id"] for gap in answer["gaps"]] for answer in answers], answers


def test_all_gaps_are_had_page_by_page_each_once_and_in_the_order_of_the_events(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_service, "MOST_GAPS", 2)
    monkeypatch.setattr(reconcile_service, "EXAMINED_AT_ONCE", 2)
    webhook = hook_of_earlier(tenant, key, receiver, retry_enabled=False).id
    lost = [store_event(tenant, minutes_ago=minutes) for minutes in (50, 40, 30)]
    receiver.answers += [(500, {}), (200, {}), (500, {}), (500, {})]
    raise_and_work_off(tenant, 4)
    failed = [UUID(row["event_id"]) for row in deliveries(tenant) if row["status"] == "failed"]

    pages, answers = all_gaps(key, webhook)

    assert [event for page in pages for event in page] == [f"evt_{event.hex}" for event in (*lost, *failed)]
    assert max(map(len, pages)) == 2
    assert sum(answer["missing"] for answer in answers) == 3
    assert {(answer["matched"], answer["delivered"], answer["failed"]) for answer in answers} == {(4, 1, 3)}
    assert [answer["more_gaps"] for answer in answers] == [True] * (len(answers) - 1) + [False]


def test_events_of_one_moment_are_paged_through(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_service, "MOST_GAPS", 2)
    monkeypatch.setattr(reconcile_service, "EXAMINED_AT_ONCE", 3)
    webhook = hook_of_earlier(tenant, key, receiver).id
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        lost: set[UUID] = set(
            tx.all(
                """
                INSERT INTO events (id, tenant_id, mode, type, data, created_at)
                SELECT gen_random_uuid(), %(tenant_id)s, 'live', 'contact.created', '{}', now() - interval '30 minutes'
                FROM generate_series(1, 7) RETURNING id
                """,
                {"tenant_id": tenant.id},
            )
        )

    pages, _ = all_gaps(key, webhook)

    assert sorted(event for page in pages for event in page) == sorted(f"evt_{event.hex}" for event in lost)


@pytest.mark.parametrize("most", [10, 4])
def test_a_page_ends_early_when_it_has_looked_at_much_that_is_no_gap(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(reconcile_service, "EXAMINED_AT_ONCE", 2)
    monkeypatch.setattr(reconcile_service, "MOST_EXAMINED", most)
    webhook = hook_of_earlier(tenant, key, receiver).id
    for _ in range(5):
        store_event(tenant, minutes_ago=30)
    call(
        handler, "PATCH", f"/api/v1/webhooks/{webhook}", token=key.plaintext,
        json={"event_filters": {"filters": {"source": "import"}}},
    )  # fmt: skip
    lost = store_event(tenant, minutes_ago=20, data='{"source": "import"}')

    pages, _ = all_gaps(key, webhook)

    assert pages == ([["evt_" + lost.hex]] if most == 10 else [[], ["evt_" + lost.hex]])


def test_a_cursor_takes_its_span_along(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_service, "MOST_GAPS", 1)
    webhook = hook_of_earlier(tenant, key, receiver).id
    for _ in range(2):
        store_event(tenant, minutes_ago=30)
    cursor = ask(key, f"webhooks/{webhook}/reconcile").json["next_cursor"]

    refused = ask(key, f"webhooks/{webhook}/reconcile", cursor=cursor)

    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "cursor")
    assert "from and to" in refused.json["errors"][0]["message"]
    assert ask(key, f"webhooks/{webhook}/reconcile", cursor="AAAA").status == 400


def test_a_span_is_widened_to_quarters_of_an_hour(key: TestKey, receiver: Receiver) -> None:
    span = {"from": "2026-01-01T10:07:00Z", "to": "2026-01-01T10:45:00Z"}

    found = ask(key, f"webhooks/{hook(key, receiver).id}/reconcile", **span).json

    assert (found["start"], found["end"]) == ("2026-01-01T10:00:00Z", "2026-01-01T10:45:00Z")


def test_counts_say_when_replays_sent_more_than_they_take_into_account(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = hook_of_earlier(tenant, key, receiver).id
    for _ in range(2):
        store_event(tenant, minutes_ago=30)
    now = clock.now()
    body = {"from": (now - timedelta(days=1)).isoformat(), "to": now.isoformat()}
    asked = call(handler, "POST", f"/api/v1/webhooks/{webhook}/replay", token=key.plaintext, json=body)
    assert asked.status == 202, asked.body
    assert consume(fan_out, *messages_for("events", tenant.id)) == []

    assert (found := ask(key, f"webhooks/{webhook}/reconcile").json)["is_exact"] is True
    assert (found["matched"], found["pending"], found["missing"]) == (2, 2, 0)
    monkeypatch.setattr(reconcile_repository, "MOST_REPLAYED", 1)
    monkeypatch.setattr(reconcile_service, "MOST_REPLAYED", 1)
    assert ask(key, f"webhooks/{webhook}/reconcile").json["is_exact"] is False
