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
from penguinmails.db import transaction
from penguinmails.domain.roadmap_metrics import TARGETS
from penguinmails.errors import ServiceUnavailable
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
    run_job(collect)

    assert _growth("developers", call_with_a_key) == 1


def test_every_key_counts_once_it_was_made(tenant: TestTenant) -> None:
    assert _growth("api_keys_generated", tenant.key) == 1


def _webhook(tenant: TestTenant, deliveries: int, status: str = "success") -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        webhook = uuid4()
        tx.run(
            """
            INSERT INTO webhooks (id, tenant_id, mode, name, endpoint_url, secret_ref, secret_last3, event_types, created_by)
            VALUES (%(id)s, %(tenant)s, 'live', 'hook', 'https://example.com', 'none', 'abc', '{contact.created}', %(owner)s)
            """,
            {"id": webhook, "tenant": tenant.id, "owner": tenant.owner_id},
        )
        for _ in range(deliveries):
            event = uuid4()
            tx.run(
                """
                INSERT INTO events (id, tenant_id, mode, type, schema_version, data, created_at)
                VALUES (%(event)s, %(tenant)s, 'live', 'contact.created', 1, '{}', %(now)s)
                """,
                {"event": event, "tenant": tenant.id, "now": clock.now()},
            )
            tx.run(
                """
                INSERT INTO webhook_deliveries (id, tenant_id, mode, webhook_id, event_id, event_type, event_created_at,
                                                status, finished_at)
                SELECT gen_random_uuid(), e.tenant_id, e.mode, %(webhook)s, e.id, e.type, e.created_at, %(status)s,
                       clock_timestamp()
                FROM events e WHERE e.id = %(event)s
                """,
                {"webhook": webhook, "event": event, "status": status},
            )


def test_webhooks_count_as_soon_as_they_are_there(tenant: TestTenant) -> None:
    assert _growth("webhooks_configured", lambda: _webhook(tenant, 0)) == 1


def test_deliveries_succeed_by_the_share_of_those_that_ended(tenant: TestTenant) -> None:
    start = clock.now()
    _webhook(tenant, 19)
    _webhook(tenant, 1, "failed")

    assert _measured("webhook_delivery_success", start, clock.now()) == 95
    assert NAMES["webhook_delivery_success"].is_met(95) is False


def test_a_hundred_deliveries_of_one_webhook_are_an_integration_and_ninety_nine_are_none(tenant: TestTenant) -> None:
    assert _growth("custom_integrations", lambda: _webhook(tenant, 99)) == 0
    assert _growth("custom_integrations", lambda: _webhook(tenant, 100)) == 1


def test_the_response_time_is_the_one_that_five_of_a_hundred_calls_exceed(tenant: TestTenant, key: TestKey) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moment = clock.now() + timedelta(seconds=1)
    with transaction(role="jobs") as tx:
        for milliseconds in range(1, 101):
            tx.run(
                """
                INSERT INTO api_key_usage (id, tenant_id, api_key_id, endpoint, method, status_code, response_time_ms,
                                           created_at)
                VALUES (gen_random_uuid(), %(tenant)s, %(key)s, '/api/v1/me', 'GET', 200, %(ms)s, %(at)s)
                """,
                {"tenant": tenant.id, "key": key.id, "ms": milliseconds, "at": moment},
            )

    assert _measured("api_response_time_p95", moment, moment + timedelta(milliseconds=1)) == 95
    assert _measured("api_response_time_p95", start, start) is None


def test_rates_are_published_for_the_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    from measure_targets import service

    _audit("api_key_created", 1)
    published: dict[str, float] = {}
    monkeypatch.setattr(service, "percent", lambda _metric, value, *, target: published.update({target: value}))

    assert run_job(measure) == {"steps": 1, "done": 0}

    assert 0 < published["api_key_creation_success"] <= 100
    assert "crm_sync_success" not in published
