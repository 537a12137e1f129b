"""The platform's figures, counted across tenants by the rules that are published with them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from api_keys.app import handler as keys
from me.app import handler as me_handler
from measure_targets.app import handler as measure
from penguinmails import audit, clock
from penguinmails.auth import usage
from penguinmails.db import Mode, transaction
from penguinmails.domain.roadmap_metrics import TARGETS
from penguinmails.errors import ServiceUnavailable
from penguinmails.vault import VaultHealth, VaultUnavailable
from tests.support.http import call
from tests.support.people import signed_in
from tests.support.queues import run_job
from tests.support.staff import staff
from tests.support.tenants import TestKey, TestTenant

NAMES = {target.name: target for target in TARGETS}


def _measured(name: str, start: datetime, end: datetime) -> float | None:
    with transaction(role="jobs") as tx:
        return NAMES[name].measure(tx, start, end)


def _audit(event: str, times: int) -> None:
    with transaction(role="jobs") as tx:
        for _ in range(times):
            audit.record(tx, event=event, actor_type="system")


def _growth(name: str, work: Callable[[], object]) -> float:
    """By how much a number grows through some work; other tests may add to it at the same time, none takes away."""
    hour = timedelta(hours=1)
    before = _measured(name, clock.now() - hour, clock.now() + hour) or 0
    work()
    return (_measured(name, clock.now() - hour, clock.now() + hour) or 0) - before


def test_staff_see_every_figure_with_target_and_trend() -> None:
    answer = staff("support").call("GET", "/metrics")

    assert answer.status == 200, answer.body
    assert [metric["name"] for metric in answer.json["data"]] == list(NAMES)
    generated = next(m for m in answer.json["data"] if m["name"] == "api_keys_generated")
    assert generated["trend"] == generated["value"] - generated["previous"]
    crm = next(m for m in answer.json["data"] if m["name"] == "crm_sync_success")
    assert (crm["value"], crm["is_met"], crm["trend"]) == (None, None, None)


def test_a_month_is_reported_from_its_first_to_its_last_moment_in_utc() -> None:
    answer = staff("ops").call("GET", "/metrics", query={"month": "2025-12"})

    assert (answer.json["start"], answer.json["end"]) == ("2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z")


def test_a_month_that_has_not_begun_is_refused() -> None:
    answer = staff("ops").call("GET", "/metrics", query={"month": "2099-01"})

    assert answer.status == 400
    assert answer.json["errors"][0]["field"] == "month"
    assert "has not begun" in answer.json["errors"][0]["message"]


@pytest.mark.parametrize("month", ["2025-13", "2025-1", "december"])
def test_what_is_no_month_is_refused_by_name(month: str) -> None:
    answer = staff("ops").call("GET", "/metrics", query={"month": month})

    assert answer.status == 400
    assert answer.json["errors"][0]["field"].endswith("month")


def test_customers_do_not_see_the_platform_s_figures(tenant: TestTenant) -> None:
    from staff.app import handler

    assert signed_in(tenant).call(handler, "GET", "/api/v1/admin/metrics").status == 403


def test_creating_keys_succeeds_by_the_share_of_attempts_that_were_not_refused() -> None:
    start = clock.now()
    _audit("api_key_created", 3)
    _audit("api_key_creation_failed", 1)
    _audit("api_key_revoked", 5)

    assert _measured("api_key_creation_success", start, clock.now()) == 75


def test_a_key_that_could_not_be_made_leaves_a_trace_and_a_refusal_does_not(
    tenant: TestTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api_keys import service

    def unavailable(*_: object, **__: object) -> Any:
        raise ServiceUnavailable.retry_in(30, "The secret store cannot be reached right now.")

    person = signed_in(tenant)

    def create(name: str) -> int:
        body = {"name": name, "permissions": ["send_email"]}
        headers = person.step_up("api_keys")
        return person.call(keys, "POST", "/api/v1/platform/api-keys", json=body, headers=headers).status

    assert create("") == 400
    monkeypatch.setattr(service, "create_key", unavailable)
    assert create("first") == 503

    with transaction(tenant_id=tenant.id) as tx:
        failures = tx.one("SELECT count(*) FROM audit_log WHERE event = 'api_key_creation_failed'", {})
    assert failures == 1


def test_a_developer_is_who_made_a_key_that_worked(tenant: TestTenant, key: TestKey) -> None:
    from collect_usage.app import handler as collect

    def call_with_a_key() -> None:
        call(me_handler, "GET", "/api/v1/me", token=key.plaintext)
        usage.flush()
        run_job(collect)

    # What other tests did with keys of theirs is counted before.
    usage.flush()
    run_job(collect)

    assert _growth("developers", call_with_a_key) == 1


def test_every_key_counts_once_it_was_made(tenant: TestTenant) -> None:
    assert _growth("api_keys_generated", tenant.key) == 1


def _webhook(
    tenant: TestTenant, deliveries: int, status: str = "success", *, is_test: bool = False, mode: Mode = "live"
) -> None:
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        webhook = uuid4()
        tx.run(
            """
            INSERT INTO webhooks (id, tenant_id, mode, name, endpoint_url, secret_ref, secret_last3, event_types, created_by)
            VALUES (%(id)s, %(tenant)s, %(mode)s, 'hook', 'https://example.com', 'none', 'abc', '{contact.created}', %(owner)s)
            """,
            {"id": webhook, "tenant": tenant.id, "owner": tenant.owner_id, "mode": mode},
        )
        for _ in range(deliveries):
            event = uuid4()
            tx.run(
                """
                INSERT INTO events (id, tenant_id, mode, type, schema_version, data, created_at)
                VALUES (%(event)s, %(tenant)s, %(mode)s, 'contact.created', 1, '{}', %(now)s)
                """,
                {"event": event, "tenant": tenant.id, "now": clock.now(), "mode": mode},
            )
            tx.run(
                """
                INSERT INTO webhook_deliveries (id, tenant_id, mode, webhook_id, event_id, event_type, event_created_at,
                                                status, finished_at, is_test)
                SELECT gen_random_uuid(), e.tenant_id, e.mode, %(webhook)s, e.id, e.type, e.created_at, %(status)s,
                       clock_timestamp(), %(is_test)s
                FROM events e WHERE e.id = %(event)s
                """,
                {"webhook": webhook, "event": event, "status": status, "is_test": is_test},
            )


def test_webhooks_count_as_soon_as_they_are_there(tenant: TestTenant) -> None:
    assert _growth("webhooks_configured", lambda: _webhook(tenant, 0)) == 1


def test_deliveries_succeed_by_the_share_of_those_that_ended(tenant: TestTenant) -> None:
    start = clock.now()
    _webhook(tenant, 19)
    _webhook(tenant, 1, "failed")

    assert _measured("webhook_delivery_success", start, clock.now()) == 95
    assert NAMES["webhook_delivery_success"].is_met(95) is False


def test_what_has_not_ended_and_what_was_a_test_is_no_delivery_of_the_rate(tenant: TestTenant) -> None:
    start = clock.now()
    _webhook(tenant, 1)
    _webhook(tenant, 3, "pending_retry")
    _webhook(tenant, 3, "failed", is_test=True)
    _webhook(tenant, 3, "failed", mode="test")

    assert _measured("webhook_delivery_success", start, clock.now()) == 100


def test_deliveries_of_tests_make_no_integration(tenant: TestTenant) -> None:
    assert _growth("custom_integrations", lambda: _webhook(tenant, 100, is_test=True)) == 0
    assert _growth("custom_integrations", lambda: _webhook(tenant, 100, mode="test")) == 0


def _calls_of_a_day(tenant: TestTenant, key: TestKey, day: datetime, requests: int, *, errors: int = 0) -> None:
    with transaction(role="jobs") as tx:
        tx.run(
            """
            INSERT INTO api_key_usage_daily (tenant_id, api_key_id, day, endpoint, method, requests, errors, total_ms)
            VALUES (%(tenant)s, %(key)s, %(day)s, '/api/v1/me', 'GET', %(requests)s, %(errors)s, 1)
            """,
            {"tenant": tenant.id, "key": key.id, "day": day.date(), "requests": requests, "errors": errors},
        )


def test_a_thousand_calls_in_thirty_days_are_an_integration_those_of_the_days_around_are_not(
    tenant: TestTenant, key: TestKey
) -> None:
    end = datetime(2019, 7, 1, tzinfo=UTC)
    _calls_of_a_day(tenant, key, end, 1_000)  # begins with the end
    _calls_of_a_day(tenant, key, end - timedelta(days=31), 1_000)
    _calls_of_a_day(tenant, key, end - timedelta(days=1), 500)
    assert _measured("custom_integrations", end, end) == 0

    _calls_of_a_day(tenant, key, end - timedelta(days=30), 500)
    assert _measured("custom_integrations", end, end) == 1


def test_a_key_whose_calls_all_failed_makes_no_developer(tenant: TestTenant, key: TestKey) -> None:
    assert _growth("developers", lambda: _calls_of_a_day(tenant, key, clock.now(), 3, errors=3)) == 0


def test_a_hundred_deliveries_of_one_webhook_are_an_integration_and_ninety_nine_are_none(tenant: TestTenant) -> None:
    assert _growth("custom_integrations", lambda: _webhook(tenant, 99)) == 0
    assert _growth("custom_integrations", lambda: _webhook(tenant, 100)) == 1


def _call_at(tenant: TestTenant, key: TestKey, at: datetime, *milliseconds: int) -> None:
    with transaction(role="jobs") as tx:
        for took in milliseconds:
            tx.run(
                """
                INSERT INTO api_key_usage (id, tenant_id, api_key_id, endpoint, method, status_code, response_time_ms,
                                           created_at)
                VALUES (gen_random_uuid(), %(tenant)s, %(key)s, '/api/v1/me', 'GET', 200, %(ms)s, %(at)s)
                """,
                {"tenant": tenant.id, "key": key.id, "ms": took, "at": at},
            )


def test_response_times_are_kept_by_windows_of_five_minutes_and_again_for_calls_that_are_noted_late(
    tenant: TestTenant, key: TestKey
) -> None:
    from measure_targets import repository

    # Where no other test has calls.
    now = clock.now().replace(minute=2, second=0, microsecond=0) - timedelta(hours=3)
    first = now.replace(minute=55) - timedelta(hours=1)
    _call_at(tenant, key, first + timedelta(seconds=299), *range(1, 101))
    _call_at(tenant, key, first + timedelta(seconds=300), 5_000)

    def windows() -> list[tuple[datetime, int, int]]:
        with transaction(role="jobs") as tx:
            repository.keep_response_times(tx, now)
            return tx.all(
                "SELECT array[extract(epoch FROM starts_at)::bigint, calls, p95_ms] FROM response_time_windows"
                " WHERE starts_at >= %(first)s AND starts_at < %(now)s ORDER BY 1",
                {"first": first, "now": now},
            )

    assert windows() == [[first.timestamp(), 100, 95]]  # the window under way is not over yet
    assert _measured("api_response_time_p95", first, now) == 95

    _call_at(tenant, key, first, 300, 300, 300, 300, 300, 300)
    assert windows() == [[first.timestamp(), 106, 300]]
    assert _measured("api_response_time_p95", first - timedelta(hours=1), first) is None


def test_a_month_of_windows_meets_the_target_when_95_percent_of_them_do() -> None:
    start = datetime(2019, 1, 1, tzinfo=UTC)
    with transaction(role="jobs") as tx:
        for place in range(100):
            tx.run(
                "INSERT INTO response_time_windows (starts_at, calls, p95_ms) VALUES (%(at)s, 1, %(ms)s)",
                {"at": start + timedelta(minutes=5 * place), "ms": 900 if place >= 95 else 150},
            )

    assert _measured("api_response_time_p95", start, start + timedelta(days=1)) == 150
    assert _measured("api_response_time_p95", start + timedelta(minutes=5), start + timedelta(days=1)) == 900


def test_rates_are_published_for_the_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    from measure_targets import service

    _audit("api_key_created", 1)
    published: dict[str, float] = {}
    monkeypatch.setattr(service, "percent", lambda _metric, value, *, target: published.update({target: value}))

    assert run_job(measure) == {"steps": 1, "done": 0}

    assert 0 < published["api_key_creation_success"] <= 100
    assert "crm_sync_success" not in published


@pytest.mark.parametrize(
    ("state", "published"),
    [
        (VaultHealth(True, False, False, "1"), {"answers": 1, "unsealed": 1}),
        (VaultHealth(True, True, False, "1"), {"answers": 1, "unsealed": 0}),
        (VaultHealth(False, False, False, "1"), {"answers": 1, "unsealed": 0}),
        (None, {"answers": 0}),
    ],
    ids=["well", "sealed", "not initialised", "away"],
)
def test_the_state_of_vault_is_published_for_the_alarm(
    monkeypatch: pytest.MonkeyPatch, state: VaultHealth | None, published: dict[str, float]
) -> None:
    from measure_targets import service

    def health() -> VaultHealth:
        if state is None:
            raise VaultUnavailable("away")
        return state

    found: dict[str, float] = {}
    monkeypatch.setattr(service, "health", health)
    monkeypatch.setattr(service, "count", lambda _metric, value, check="", **_: found.update({check: value}))

    run_job(measure)

    found.pop("", None)
    assert found == published
