"""How a webhook does: counts, response times and what fails most; and its log as a file."""

import csv
import io
from math import ceil
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fan_out_events.app import handler as fan_out
from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from penguinmails.domain.contacts import erase_from_events
from roll_up_analytics.app import handler as roll_up
from sweep_deliveries.app import handler as sweep
from tests.support.hooks import hook, make_due, raise_event, store_event, work_off
from tests.support.http import Answer, call
from tests.support.queues import consume, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks import stats_repository
from webhooks.app import handler
from webhooks.quarters import QUARTER, quarter_of


def ask(key: TestKey, webhook: str, below: str = "", **request: Any) -> Answer:
    return call(handler, "GET", f"/api/v1/webhooks/{webhook}{below}", token=key.plaintext, **request)


def delivered(tenant: TestTenant, key: TestKey, receiver: Receiver, *statuses: int) -> str:
    """A webhook without retries that got one event for each answer."""
    webhook = hook(key, receiver, retry_enabled=False).id
    receiver.answers += [(status, {}) for status in statuses]
    for _ in statuses:
        raise_event(tenant)
        work_off(tenant)
    return webhook


def test_statistics_count_deliveries_by_outcome(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = delivered(tenant, key, receiver, 200, 200, 200, 500)

    day = ask(key, webhook, "/stats").json["last_24_hours"]

    assert {name: day[name] for name in ("total", "success", "failed", "pending", "attempts")} == {
        "total": 4,
        "success": 3,
        "failed": 1,
        "pending": 0,
        "attempts": 4,
    }
    assert day["success_rate"] == 0.75
    assert 0 <= day["p50_ms"] <= day["p95_ms"] <= day["p99_ms"]
    assert ask(key, webhook).json["last_24_hours"] == day


def test_statistics_of_a_day_leave_out_what_is_older(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = delivered(tenant, key, receiver, 200)
    two_days_ago = store_event(tenant, minutes_ago=2 * 24 * 60)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        (created_at,) = tx.all("SELECT created_at FROM events WHERE id = %(id)s", {"id": two_days_ago})
    body = {"event_id": str(two_days_ago), "created_at": created_at.isoformat()}
    assert consume(fan_out, {"tenant_id": str(tenant.id), "mode": "live", **body}) == []

    stats = ask(key, webhook, "/stats").json

    assert (stats["last_24_hours"]["total"], stats["last_7_days"]["total"]) == (1, 2)


def test_figures_are_the_same_before_and_after_the_roll_up(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = delivered(tenant, key, receiver, 200, 500)
    before = ask(key, webhook, "/stats").json
    run_job(roll_up)
    assert ask(key, webhook, "/stats").json == before

    receiver.answers += [(404, {})]
    raise_event(tenant)
    work_off(tenant)
    changed = ask(key, webhook, "/stats").json["last_24_hours"]
    run_job(roll_up)

    assert ask(key, webhook, "/stats").json["last_24_hours"] == changed
    assert (changed["total"], changed["success"], changed["failed"], changed["attempts"]) == (3, 1, 2, 3)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT count(*) FROM webhook_figure_changes", {}) == 0


def test_statistics_follow_a_delivery_through_pause_resumption_and_retry(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver).id

    def counted() -> dict[str, int]:
        day = ask(key, webhook, "/stats").json["last_24_hours"]
        return {name: day[name] for name in ("pending", "held", "success", "failed", "dropped") if day[name]}

    def change(doing: str, **body: Any) -> None:
        path = f"/api/v1/webhooks/{webhook}/{doing}"
        assert call(handler, "POST", path, token=key.plaintext, json=body).status == 200

    change("pause")
    raise_event(tenant)
    work_off(tenant)
    assert counted() == {"held": 1}
    change("resume", backlog="drop")
    assert counted() == {"dropped": 1}
    receiver.answers += [(500, {})]
    raise_event(tenant)
    work_off(tenant)
    assert counted() == {"dropped": 1, "pending": 1}
    make_due(tenant)
    work_off(tenant)
    run_job(sweep)
    work_off(tenant)
    assert counted() == {"dropped": 1, "success": 1}


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_percentiles_are_within_five_per_cent(tenant: TestTenant, durations: list[int]) -> None:
    webhook = uuid4()
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            """
            INSERT INTO webhook_figure_changes (tenant_id, mode, webhook_id, starts_at, is_replay, posts, posts_ms, buckets,
                                                bucket_posts)
            SELECT %(tenant_id)s, 'live', %(webhook)s, quarter_of(now()), false, 1, ms, ARRAY[response_time_bucket(ms)], '{1}'
            FROM unnest(%(durations)s::integer[]) AS d (ms)
            """,
            {"tenant_id": tenant.id, "webhook": webhook, "durations": durations},
        )
        now = clock.now()
        found = stats_repository.stats_between(tx, webhook, quarter_of(now) - QUARTER, quarter_of(now) + QUARTER)

    assert found.attempts == len(durations)
    for percentile, answered in ((0.5, found.p50_ms), (0.95, found.p95_ms), (0.99, found.p99_ms)):
        exact = sorted(durations)[ceil(percentile * len(durations)) - 1]
        assert answered == pytest.approx(exact, rel=0.05, abs=0.001)


def test_a_webhook_without_deliveries_has_no_rate(key: TestKey, receiver: Receiver) -> None:
    stats = ask(key, hook(key, receiver).id, "/stats").json

    assert stats["last_7_days"]["success_rate"] is None
    assert stats["last_7_days"]["p95_ms"] is None
    assert stats["common_errors"] == []


def test_statistics_name_what_fails_most(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = delivered(tenant, key, receiver, 500, 500, 404, 200)

    assert ask(key, webhook, "/stats").json["common_errors"] == [
        {"error": "HTTP 500", "count": 2},
        {"error": "HTTP 404", "count": 1},
    ]


def test_test_posts_are_not_counted_and_failures_are_looked_for_beyond_the_newest(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = delivered(tenant, key, receiver, 500, 200, 200, 200)
    call(handler, "POST", f"/api/v1/webhooks/{webhook}/test", token=key.plaintext, json={})
    monkeypatch.setattr(stats_repository, "MOST_LOOKED_AT", 2)

    stats = ask(key, webhook, "/stats").json

    week = stats["last_7_days"]
    assert (week["total"], week["success"], week["failed"], week["attempts"]) == (4, 3, 1, 4)
    assert stats["common_errors"] == [{"error": "HTTP 500", "count": 1}]


def test_a_failure_whose_reason_was_erased_is_not_named(tenant: TestTenant, key: TestKey) -> None:
    closed = Receiver()
    closed.stop()
    webhook = delivered(tenant, key, closed, 200)
    assert len(ask(key, webhook, "/stats").json["common_errors"]) == 1
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        erase_from_events(tx, tx.all("SELECT subject_id FROM events", {}))

    assert ask(key, webhook, "/stats").json["common_errors"] == []


def test_the_log_is_searched_by_the_address_that_events_are_about(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = delivered(tenant, key, receiver, 200)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            """
            INSERT INTO contacts (id, tenant_id, mode, email, source)
            SELECT subject_id, tenant_id, mode, 'zoë@example.com', 'api' FROM events WHERE type = 'contact.created'
            """,
            {},
        )

    def found(email: str) -> int:
        return len(ask(key, webhook, "/deliveries", query={"email": email}).json["data"])

    assert found("ZOË@example.com") == 1
    assert found("nobody@example.com") == 0


def test_only_who_may_read_contacts_searches_by_address(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = delivered(tenant, key, receiver, 200)
    narrow = tenant.key(Scope.MANAGE_WEBHOOKS)

    refused = ask(narrow, webhook, "/deliveries", query={"email": "zoë@example.com"})

    assert (refused.status, refused.code) == (403, "INSUFFICIENT_PERMISSIONS")


def test_the_log_comes_as_a_file_with_the_filters_of_the_list(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = delivered(tenant, key, receiver, 200, 500)

    answer = ask(key, webhook, "/deliveries/export", query={"status": "failed"})

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["x-has-more"] == "false"
    assert webhook in answer.headers["content-disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.body.removeprefix("\ufeff")))
    assert (row["status"], row["last_status_code"], row["event_type"]) == ("failed", "500", "contact.created")


def test_no_cell_of_the_file_is_a_formula(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    webhook = delivered(tenant, key, receiver, 500)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            """
            INSERT INTO webhook_attempts (tenant_id, mode, delivery_id, event_created_at, attempt_number, attempted_at,
                                          duration_ms, request_headers, error_message)
            SELECT tenant_id, mode, id, event_created_at, 1, now(), 1, '{}', '=HYPERLINK("https://evil.example")'
            FROM webhook_deliveries
            """,
            {},
        )
        tx.run("UPDATE webhook_deliveries SET attempts = 2", {})

    (row,) = csv.DictReader(io.StringIO(ask(key, webhook, "/deliveries/export").body.removeprefix("\ufeff")))

    assert row["last_error"].startswith("'=HYPERLINK")
