"""Statistics and reconciliations read little, however many deliveries there are."""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from penguinmails import clock
from penguinmails.db import transaction
from roll_up_analytics.app import handler as roll_up
from tests.support.hooks import age, hook, raise_and_work_off
from tests.support.http import call
from tests.support.plans import analyze, counted_reads
from tests.support.queues import run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks import reconcile_service
from webhooks.app import handler

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("events", "webhook_deliveries", "webhook_attempts", "webhook_quarters", "webhook_figure_changes")
DELIVERIES = 100_000
PIECE = 5_000
QUARTERS_OF_A_WEEK = 7 * 24 * 4 + 1
PAGE = 100


def fill(tenant: TestTenant, webhook_id: UUID) -> None:
    """Deliveries of six days, each posted once; every hundredth was given up."""
    for first in range(1, DELIVERIES, PIECE):
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            tx.run(
                """
                WITH made AS (
                  INSERT INTO events (id, tenant_id, mode, type, data, created_at)
                  SELECT gen_random_uuid(), %(tenant_id)s, 'live', 'contact.created', '{}',
                         date_trunc('minute', now()) - interval '6 days' + n * interval '5 seconds'
                  FROM generate_series(%(first)s::integer, %(last)s::integer) n
                  RETURNING id, created_at
                ), numbered AS (
                  SELECT *, row_number() OVER (ORDER BY created_at) + %(first)s::integer - 1 AS n FROM made
                ), delivered AS (
                  INSERT INTO webhook_deliveries (id, tenant_id, mode, webhook_id, event_id, event_type, event_created_at,
                                                  status, attempts, created_at, finished_at, sequence)
                  SELECT gen_random_uuid(), %(tenant_id)s, 'live', %(webhook_id)s, id, 'contact.created', created_at,
                         CASE WHEN n %% 100 = 0 THEN 'failed' ELSE 'success' END, 1, created_at, created_at, n
                  FROM numbered
                  RETURNING tenant_id, mode, id, event_created_at, status
                )
                INSERT INTO webhook_attempts (tenant_id, mode, delivery_id, event_created_at, attempt_number, attempted_at,
                                              duration_ms, status_code, request_headers)
                SELECT tenant_id, mode, id, event_created_at, 0, event_created_at, 20,
                       CASE status WHEN 'failed' THEN 500 ELSE 200 END, '{}'
                FROM delivered
                """,
                {"tenant_id": tenant.id, "webhook_id": webhook_id, "first": first, "last": first + PIECE - 1},
            )


def test_a_hundred_thousand_deliveries_are_summed_up_by_reading_hundreds_of_rows(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver()
    webhook = hook(key, receiver).id
    receiver.stop()
    age(tenant, 30 * 24 * 60)
    fill(tenant, UUID(webhook))
    analyze("events", "webhook_deliveries", "webhook_attempts")
    run_job(roll_up)
    path = f"/api/v1/webhooks/{webhook}"

    with counted_reads(monkeypatch, *TABLES) as counted:
        stats = call(handler, "GET", f"{path}/stats", token=key.plaintext).json
        details = call(handler, "GET", path, token=key.plaintext).json
    assert (stats["last_7_days"]["total"], stats["last_7_days"]["failed"]) == (DELIVERIES, DELIVERIES / 100)
    assert details["last_24_hours"] == stats["last_24_hours"]
    assert stats["common_errors"] == [{"error": "HTTP 500", "count": PAGE}]
    assert max(counted)[0] <= QUARTERS_OF_A_WEEK, max(counted)

    monkeypatch.setattr(reconcile_service, "MOST_GAPS", PAGE)
    monkeypatch.setattr(reconcile_service, "EXAMINED_AT_ONCE", PAGE)
    monkeypatch.setattr(reconcile_service, "MOST_EXAMINED", 10 * PAGE)
    span: dict[str, Any] = {
        "from": (clock.now() - timedelta(days=7)).isoformat(),
        "to": (clock.now() + timedelta(minutes=1)).isoformat(),
    }
    with counted_reads(monkeypatch, *TABLES) as counted:
        first = call(handler, "GET", f"{path}/reconcile", token=key.plaintext, query=span).json
        more = {**span, "cursor": first["next_cursor"]}
        second = call(handler, "GET", f"{path}/reconcile", token=key.plaintext, query=more).json
    assert (first["matched"], first["failed"], first["last_sequence"]) == (DELIVERIES, DELIVERIES / 100, DELIVERIES)
    assert first["gaps"]
    assert second["gaps"]
    assert max(counted)[0] <= max(QUARTERS_OF_A_WEEK, 5 * PAGE), max(counted)


def test_counting_everything_anew_finds_what_was_kept(tenant: TestTenant, key: TestKey) -> None:
    receiver = Receiver()
    hook(key, receiver, retry_enabled=False)
    receiver.answers += [(200, {}), (500, {})]
    raise_and_work_off(tenant, 3)
    receiver.stop()
    run_job(roll_up)
    text = (ROOT / "database/migrations/0220_webhook_figures.sql").read_text()
    (counting,) = re.findall(r"^INSERT INTO webhook_quarters\n.*?;$", text, re.MULTILINE | re.DOTALL)
    kept = "SELECT * FROM webhook_quarters WHERE tenant_id = %s ORDER BY starts_at, is_replay"

    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        before = connection.execute(kept, [tenant.id]).fetchall()
        connection.execute("DELETE FROM webhook_quarters")
        # Other tests leave deliveries of tenants that they made up.
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(counting)
        after = connection.execute(kept, [tenant.id]).fetchall()
        connection.rollback()

    assert before
    assert after == before
