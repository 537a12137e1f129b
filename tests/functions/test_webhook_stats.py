"""How a webhook does: counts, response times and what fails most; and its log as a file."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from penguinmails.domain.contacts import erase_from_events
from tests.support.hooks import hook, raise_event, work_off
from tests.support.http import Answer, call
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks import stats_repository
from webhooks.app import handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.stop()


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
    webhook = delivered(tenant, key, receiver, 200, 500)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET created_at = now() - interval '2 days' WHERE status = 'failed'", {})

    stats = ask(key, webhook, "/stats").json

    assert (stats["last_24_hours"]["total"], stats["last_7_days"]["total"]) == (1, 2)


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


def test_times_are_of_the_newest_deliveries_and_counts_of_all(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = delivered(tenant, key, receiver, 500, 200, 200, 200)
    call(handler, "POST", f"/api/v1/webhooks/{webhook}/test", token=key.plaintext, json={})
    monkeypatch.setattr(stats_repository, "MOST_TIMED", 2)

    stats = ask(key, webhook, "/stats").json

    week = stats["last_7_days"]
    assert (week["total"], week["success"], week["failed"], week["attempts"]) == (4, 3, 1, 2)
    assert stats["common_errors"] == [{"error": "HTTP 500", "count": 1}], "failures are looked for beyond the newest"


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
