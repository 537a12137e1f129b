"""What a question about 90 days of mails costs in accounts where a million, and ten million, things have happened to mails.

The first 100,000 are written as the application writes them, so that the platform's own trigger makes the figures of them; the
others go past triggers, with the figures that the trigger would make. All are rolled up by the job. Above a million the others'
histories are not written, which takes long and which no question reads. `python -m bench.analytics [events ...]`.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg

from analytics import repository
from analytics.app import handler
from analytics.periods import Days, periods
from bench.platform import machine, percentile, platform, quiet
from local.stack import DATABASE, Stack
from penguinmails import clock
from penguinmails.db import Tx, transaction
from roll_up_analytics.app import handler as roll_up
from tests.support.campaigns import EMAIL, NO_LIMIT, draft
from tests.support.http import call
from tests.support.queues import run_job
from tests.support.tenants import TestTenant, make_tenant

EVENTS = (1_000_000, 10_000_000)
MOST_MILLISECONDS = 200
_PER_MAIL = 5
_MAILS_PER_STATEMENT = 500
_BY_THE_TRIGGER = 100_000
_CHUNK = 500_000
_MOST_WRITTEN = 1_000_000
_CAMPAIGNS = 20
_CALLS = 20
_ZONES = ("Europe/Berlin", "Asia/Kolkata")

# Every mail is sent, delivered, opened by its reader and by a machine, and clicked, within two days.
_FILL = """
WITH mails AS (
  INSERT INTO emails (id, tenant_id, mode, campaign_id, contact_id, step_id, variant, to_email, from_email, subject,
                      email_type, provider, status, content_key, created_at, sent_at)
  SELECT gen_random_uuid(), %(tenant)s, 'live', (%(campaigns)s::uuid[])[n %% %(count)s + 1], gen_random_uuid(),
         (%(steps)s::uuid[])[(n %% %(count)s) * 2 + 1 + n / 7 %% 2], CASE n / 3 %% 2 WHEN 0 THEN 'a' ELSE 'b' END,
         n || '@example.com', 'us@example.com', 'News', 'marketing', 'postmark', 'delivered', %(content)s, at, at
  FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
  CROSS JOIN LATERAL (SELECT now() - interval '89 days' * (1 - n / %(mails)s::double precision) AS at) t
  RETURNING id, created_at
)
INSERT INTO email_events (id, tenant_id, mode, email_id, type, data, occurred_at)
SELECT gen_random_uuid(), %(tenant)s, 'live', m.id, k.type, k.data::jsonb,
       least(now(), m.created_at + k.hours * random() * interval '1 hour')
FROM mails m
CROSS JOIN (VALUES ('sent', '{}', 0), ('delivered', '{}', 0.01), ('opened', '{}', 48), ('clicked', '{}', 48),
                   ('opened', '{"is_machine":true}', 1)) k (type, data, hours)
"""
# Past triggers: one thing per mail, mails left out, since nothing below reads them. Ids grow, as those of the platform do.
_MAKE = """
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS key,
       (ARRAY['sent', 'delivered', 'opened', 'clicked', 'opened'])[n %% 5 + 1] AS type, n %% 5 = 4 AS by_machine,
       least(now(), now() - interval '90 days' * (1 - n / %(events)s::double precision) + random() * interval '2 days') AS at,
       (%(campaigns)s::uuid[])[n / 5 %% %(count)s + 1] AS campaign_id,
       (%(steps)s::uuid[])[(n / 5 %% %(count)s) * 2 + 1 + n / 7 %% 2] AS step_id,
       CASE n / 3 %% 2 WHEN 0 THEN 'a' ELSE 'b' END AS variant
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
"""
_WRITE = """
INSERT INTO email_events (id, tenant_id, mode, email_id, type, data, occurred_at)
SELECT overlay(%(tenant)s::text PLACING right(key::text, 12) FROM 25)::uuid, %(tenant)s, 'live', key, type,
       CASE WHEN by_machine THEN '{"is_machine":true}' ELSE '{}' END::jsonb, at FROM made
"""
_COUNT = """
INSERT INTO email_figure_changes (
  tenant_id, mode, slice, slice_key, starts_at, email_type, step_id, variant, sent, delivered, bounced, opened,
  opened_by_any, clicked, clicked_by_any, replied, complained, unsubscribed, opens, clicks, machine_opens, machine_clicks)
SELECT %(tenant)s, 'live', s.slice, s.slice_key, date_bin('15 minutes', m.at, '2000-01-01 00:00Z'), 'marketing', s.step_id,
       s.variant, count(*) FILTER (WHERE type = 'sent'), count(*) FILTER (WHERE type = 'delivered'), 0,
       count(*) FILTER (WHERE type = 'opened' AND NOT by_machine), count(*) FILTER (WHERE type = 'opened'),
       count(*) FILTER (WHERE type = 'clicked'), count(*) FILTER (WHERE type = 'clicked'), 0, 0, 0,
       count(*) FILTER (WHERE type = 'opened' AND NOT by_machine), count(*) FILTER (WHERE type = 'clicked'),
       count(*) FILTER (WHERE type = 'opened' AND by_machine), 0
FROM made m
CROSS JOIN LATERAL (VALUES ('all', '', '00000000-0000-0000-0000-000000000000'::uuid, ''),
                           ('workspace', %(workspace)s, '00000000-0000-0000-0000-000000000000', ''),
                           ('campaign', m.campaign_id::text, m.step_id, m.variant)) s (slice, slice_key, step_id, variant)
GROUP BY s.slice, s.slice_key, 5, s.step_id, s.variant
"""
_WITHOUT_ROLL_UPS = """
SELECT occurred_at::date, count(*) FILTER (WHERE type = 'sent'), count(DISTINCT email_id) FILTER (WHERE type = 'opened')
FROM email_events WHERE occurred_at >= now() - interval '90 days' GROUP BY 1
"""


def main() -> None:
    """Measure and print; ends with 1 when a median is above its budget, or a figure is wrong."""
    sizes = [int(text) for text in sys.argv[1:]] or list(EVENTS)
    lines: list[str] = []
    with platform("RollUpAnalyticsFunction") as stack:
        for events in sizes:
            with quiet():
                account = Account(stack)
                filled = account.fill(events)
                measured = account.measure()
                account.check()
            lines += [f"{events:,} events: {filled}", *measured]
    print(machine())
    print("\n".join(lines))


class Account:
    """An account with campaigns, and what is asked of it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.tenant: TestTenant = make_tenant()
        self.key = self.tenant.key()
        steps = [EMAIL, EMAIL]
        campaigns = [draft(self.key, steps=steps, settings=NO_LIMIT) for _ in range(_CAMPAIGNS)]
        self.campaigns = [campaign["id"] for campaign in campaigns]
        self.steps = [step["id"] for campaign in campaigns for step in campaign["steps"]]
        self.mails = 0

    def fill(self, events: int) -> str:
        """Write what happened to mails, roll it up, and say how long both took."""
        params: dict[str, Any] = {
            "tenant": self.tenant.id,
            "workspace": str(self.tenant.workspace_id),
            "campaigns": self.campaigns,
            "steps": self.steps,
            "count": _CAMPAIGNS,
            "content": uuid4(),
            "mails": _BY_THE_TRIGGER // _PER_MAIL,
            "events": events,
        }
        self.mails = events // _PER_MAIL
        by_trigger = self._fill_by_the_trigger(params)
        started = time.perf_counter()
        rolling_up = _roll_up()
        with psycopg.connect(self.stack.postgres.url(DATABASE)) as connection:
            connection.execute("SET session_replication_role = replica")
            for first in range(_BY_THE_TRIGGER, events, _CHUNK):
                chunk = {**params, "first": first, "last": min(first + _CHUNK, events) - 1}
                for statement in (_MAKE, _WRITE, _COUNT) if events <= _MOST_WRITTEN else (_MAKE, _COUNT):
                    connection.execute(statement, chunk)
                connection.commit()
                rolling_up += _roll_up()
        writing = time.perf_counter() - started - rolling_up
        self._tell_the_planner()
        with psycopg.connect(self.stack.postgres.url(DATABASE), autocommit=True) as connection:
            table = "SELECT count(*) FROM email_rollups WHERE tenant_id = %s"
            rows = connection.execute(table, [self.tenant.id]).fetchone() or (0,)
        return (
            f"{_BY_THE_TRIGGER:,} by the trigger in {by_trigger:.0f} s, the others in {writing:.0f} s; "
            f"rolled up in {rolling_up:.0f} s into {rows[0]:,} rows"
        )

    def _fill_by_the_trigger(self, params: dict[str, Any]) -> float:
        started = time.perf_counter()
        with self._application() as connection:
            connection.execute(
                """
                INSERT INTO content_objects (storage_key, tenant_id, mode, content_text)
                VALUES (%(content)s, %(tenant)s, 'live', 'Hello')
                """,
                params,
            )
            for number, first in enumerate(range(1, params["mails"] + 1, _MAILS_PER_STATEMENT)):
                last = min(first + _MAILS_PER_STATEMENT - 1, params["mails"])
                connection.execute(_FILL, {**params, "first": first, "last": last})
                if number in {0, 10}:
                    self._tell_the_planner()
        return time.perf_counter() - started

    def _tell_the_planner(self) -> None:
        """As autovacuum does within a minute."""
        with psycopg.connect(self.stack.postgres.url(DATABASE), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE) email_rollups, email_figure_changes, email_events, emails")

    @contextmanager
    def _application(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.stack.postgres.url(DATABASE, "penguinmails_app"), autocommit=True) as connection:
            connection.execute(
                "SELECT set_config('app.current_tenant_id', %s, false), set_config('app.current_mode', 'live', false)",
                [str(self.tenant.id)],
            )
            yield connection

    def measure(self) -> list[str]:
        """Each question by the handler's time and by what its plan reads; then the same counted without roll-ups."""
        found: list[str] = []
        for what, path, of in (
            ("all mails", "/api/v1/analytics/emails", ("all", "")),
            ("a campaign", f"/api/v1/analytics/campaigns/{self.campaigns[0]}", ("campaign", self.campaigns[0])),
        ):
            for zone in _ZONES:
                times = sorted(self._ask(path, zone) for _ in range(_CALLS))
                name = f"  {what} by day in {zone}"
                found.append(
                    f"{name:<40} p50 {median(times):6.1f} ms   p95 {percentile(times, 0.95):6.1f} ms   "
                    f"{self._read(zone, *of)}"
                )
                if median(times) > MOST_MILLISECONDS:
                    raise SystemExit(f"{what} in {zone}: {median(times):.0f} ms, wanted {MOST_MILLISECONDS}")
        if _PER_MAIL * self.mails <= _MOST_WRITTEN:
            with self._application() as connection:
                started = time.perf_counter()
                connection.execute(_WITHOUT_ROLL_UPS).fetchall()
                found.append(f"  sent and opened by day, by counting histories: {time.perf_counter() - started:.1f} s")
        return found

    def check(self) -> None:
        """Whether every mail counts once."""
        answer = call(handler, "GET", "/api/v1/analytics/emails", token=self.key.plaintext, query={"time_range": "90d"})
        summary = answer.json["summary"]
        names = ("emails_sent", "emails_delivered", "emails_opened", "emails_clicked", "machine_opens")
        if {summary[name] for name in names} != {self.mails}:
            raise SystemExit(f"wanted {self.mails:,} of each: {summary}")

    def _ask(self, path: str, zone: str) -> float:
        query = {"time_range": "90d", "timezone": zone}
        started = time.perf_counter()
        answer = call(handler, "GET", path, token=self.key.plaintext, query=query)
        spent = (time.perf_counter() - started) * 1000
        assert answer.status == 200, answer.body
        return spent

    def _read(self, zone: str, slice_: str, slice_key: str) -> str:
        today = clock.now().astimezone(ZoneInfo(zone)).date()
        asked = periods(Days(today - timedelta(days=89), today), "day", ZoneInfo(zone))
        with transaction(tenant_id=self.tenant.id, mode="live") as tx:
            explaining = _ExplainingTx(tx.connection, tx.tenant_id, tx.mode)
            repository.figures(explaining, asked, slice_=slice_, slice_key=slice_key, email_type=None)
        return explaining.plan


class _ExplainingTx(Tx):
    """Keeps the plan of its last statement in a line."""

    plan = ""

    def all(self, statement: Any, params: Any, row: Any = None) -> list[Any]:
        """As Tx does, after the plan."""
        plan = Tx.one(self, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, params)
        (document,) = plan if isinstance(plan, list) else json.loads(plan)
        scans = [
            f"{scan['Node Type']} of {scan['Relation Name']}: {scan['Actual Rows']:,.0f} rows"
            for scan in _scans(document["Plan"])
        ]
        pages = document["Plan"]["Shared Hit Blocks"] + document["Plan"]["Shared Read Blocks"]
        self.plan = f"{document['Execution Time']:.1f} ms in the database; {', '.join(scans)}; {pages:,} pages"
        return Tx.all(self, statement, params, row)


def _scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Relation Name" in plan:
        yield plan
    for part in plan.get("Plans", ()):
        yield from _scans(part)


def _roll_up() -> float:
    started = time.perf_counter()
    run_job(roll_up)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
