"""Usage of API keys: counted once, by route template, at no cost to the request."""

from uuid import UUID

from api_keys.app import handler as keys_handler
from collect_usage.app import handler as collect
from contacts.app import handler as contacts
from me.app import handler as me_handler
from penguinmails.auth import usage
from penguinmails.db import transaction
from roll_up_usage.app import handler as roll_up
from tests.support.http import call
from tests.support.people import signed_in
from tests.support.queues import run_job
from tests.support.tenants import TestKey, TestTenant


def work_off() -> None:
    usage.flush()
    run_job(collect)


def test_requests_are_counted_per_day_endpoint_and_outcome(tenant: TestTenant, key: TestKey) -> None:
    for _ in range(3):
        call(me_handler, "GET", "/api/v1/me", token=key.plaintext)
    call(contacts, "GET", f"/api/v1/contacts/{UUID(int=0)}", token=key.plaintext)
    work_off()

    shown = signed_in(tenant).call(keys_handler, "GET", f"/api/v1/platform/api-keys/{key.id}").json

    assert (shown["request_count"], shown["error_count"]) == (4, 1)
    assert [(day["requests"], day["errors"]) for day in shown["usage_by_day"]] == [(4, 1)]
    assert {e["endpoint"]: e["count"] for e in shown["top_endpoints"]} == {
        "GET /api/v1/me": 3,
        "GET /api/v1/contacts/{contact_id}": 1,
    }
    assert shown["last_used"] is not None


def test_a_batch_that_is_collected_twice_counts_once(tenant: TestTenant, key: TestKey) -> None:
    from collect_usage import repository, service

    call(me_handler, "GET", "/api/v1/me", token=key.plaintext)
    row = service._row(usage.take_pending()[-1].encode())
    assert row is not None
    for expected in (1, 0):
        with transaction(role="jobs") as tx:
            assert repository.insert_usage(tx, [row]) == expected

    with transaction(tenant_id=tenant.id) as tx:
        assert tx.one("SELECT sum(requests)::bigint FROM api_key_usage_daily", {}) == 1


def test_the_tenants_usage_adds_all_keys_up(tenant: TestTenant, key: TestKey) -> None:
    other = tenant.key()
    for used in (key, other):
        call(me_handler, "GET", "/api/v1/me", token=used.plaintext)
    work_off()

    answer = signed_in(tenant).call(keys_handler, "GET", "/api/v1/tenant/analytics/api-usage")

    assert (answer.status, answer.json["requests"]) == (200, 2)


def test_figures_of_past_days_get_their_percentile_and_old_addresses_are_shortened(
    tenant: TestTenant, key: TestKey
) -> None:
    call(me_handler, "GET", "/api/v1/me", token=key.plaintext, ip="203.0.113.77")
    work_off()
    with transaction(role="jobs") as tx:
        params = {"tenant": tenant.id}
        tx.run("UPDATE api_key_usage_daily SET day = day - 1 WHERE tenant_id = %(tenant)s", params)

    run_job(roll_up)

    with transaction(role="jobs") as tx:
        assert tx.one("SELECT p95_ms FROM api_key_usage_daily WHERE tenant_id = %(tenant)s", params) == 0


def test_a_monthly_quota_stops_the_key_until_the_next_month(tenant: TestTenant) -> None:
    limited = tenant.key(monthly_quota=2)

    answers = [call(me_handler, "GET", "/api/v1/me", token=limited.plaintext) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 403]
    assert answers[-1].code == "QUOTA_EXCEEDED"
