"""The platform's own targets and what is measured against them, across all tenants.

Every figure is of a period [start, end): rates are of what happened in it, numbers of customers and keys are those at its
end. Transactions run as the jobs role.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from penguinmails.db import Tx

Unit = Literal["percent", "ms", "count"]
_INTEGRATION_CALLS = 1000
_INTEGRATION_DELIVERIES = 100


@dataclass(frozen=True, slots=True)
class Target:
    """One metric: what it should reach, how it is counted, and the statement that counts it."""

    name: str
    unit: Unit
    target: float
    is_ceiling: bool
    """True when less is better."""
    method: str
    measure: Callable[[Tx, datetime, datetime], float | None]

    def is_met(self, value: float | None) -> bool | None:
        """Whether a value reaches the target; None without a value."""
        if value is None:
            return None
        if self.is_ceiling:
            return value < self.target
        return value >= self.target if self.unit == "count" else value > self.target


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured of one metric, beside what it should reach and what it was in the period before."""

    name: str
    value: float | None
    unit: Unit
    target: float
    is_met: bool | None
    previous: float | None
    trend: float | None
    method: str


def figures(tx: Tx, start: datetime, end: datetime, *, before: datetime) -> list[Figure]:
    """Every metric of the period [start, end), with that of [before, start) for the trend."""
    found: list[Figure] = []
    for target in TARGETS:
        value, previous = target.measure(tx, start, end), target.measure(tx, before, start)
        trend = None if value is None or previous is None else round(value - previous, 2)
        found.append(
            Figure(
                name=target.name,
                value=value,
                unit=target.unit,
                target=target.target,
                is_met=target.is_met(value),
                previous=previous,
                trend=trend,
                method=target.method,
            )
        )
    return found


def key_creation_success(tx: Tx, start: datetime, end: datetime) -> float | None:
    """Percent of attempts to create an API key that succeeded; refusals of wrong requests are no attempts."""
    return _number(
        tx.one(
            """
            SELECT 100.0 * count(*) FILTER (WHERE event = 'api_key_created') / nullif(count(*), 0) FROM audit_log
            WHERE event IN ('api_key_created', 'api_key_creation_failed')
              AND created_at >= %(start)s AND created_at < %(end)s
            """,
            {"start": start, "end": end},
        )
    )


def response_time_p95(tx: Tx, start: datetime, end: datetime) -> float | None:
    """Milliseconds that the 95th percentile kept to in 95 % of the windows of five minutes, of calls with API keys."""
    return _number(
        tx.one(
            """
            SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY p95_ms) FROM response_time_windows
            WHERE starts_at >= %(start)s AND starts_at < %(end)s
            """,
            {"start": start, "end": end},
        )
    )


def delivery_success(tx: Tx, start: datetime, end: datetime) -> float | None:
    """Percent of the live deliveries finished in the period that ended in success."""
    return _number(
        tx.one(
            """
            SELECT 100.0 * count(*) FILTER (WHERE status = 'success') / nullif(count(*), 0) FROM webhook_deliveries
            WHERE mode = 'live' AND NOT is_test AND status IN ('success', 'failed')
              AND finished_at >= %(start)s AND finished_at < %(end)s
            """,
            {"start": start, "end": end},
        )
    )


def developers(tx: Tx, _start: datetime, end: datetime) -> float | None:
    """Users who have created a key that made at least one call that succeeded."""
    return _number(
        tx.one(
            """
            SELECT count(DISTINCT (k.tenant_id, k.created_by)) FROM api_keys k
            WHERE EXISTS (SELECT FROM api_key_usage_daily d
                          WHERE d.tenant_id = k.tenant_id AND d.api_key_id = k.id AND d.requests > d.errors
                            AND d.day <= ((%(end)s::timestamptz - interval '1 microsecond') AT TIME ZONE 'UTC')::date)
              AND k.created_at < %(end)s
            """,
            {"end": end},
        )
    )


def keys_generated(tx: Tx, _start: datetime, end: datetime) -> float | None:
    """API keys that were ever created."""
    return _number(tx.one("SELECT count(*) FROM api_keys WHERE created_at < %(end)s", {"end": end}))


def webhooks_configured(tx: Tx, _start: datetime, end: datetime) -> float | None:
    """Webhooks that are there."""
    return _number(tx.one("SELECT count_webhooks(%(end)s)", {"end": end}))


def custom_integrations(tx: Tx, _start: datetime, end: datetime) -> float | None:
    """Tenants with 1000 calls, or a webhook with 100 deliveries that succeeded, in the 30 days before the end."""
    return _number(
        tx.one(
            """
            SELECT count(*) FROM (
              SELECT tenant_id FROM api_key_usage_daily
              WHERE day <= ((%(end)s::timestamptz - interval '1 microsecond') AT TIME ZONE 'UTC')::date
                AND day > ((%(end)s::timestamptz - interval '1 microsecond') AT TIME ZONE 'UTC')::date - 30
              GROUP BY tenant_id HAVING sum(requests) >= %(calls)s
              UNION
              SELECT w.tenant_id FROM live_webhooks() w
              WHERE EXISTS (
                -- From the newest on, so that a busy webhook costs a hundred rows; what was held may be 70 days old.
                SELECT FROM webhook_deliveries d
                WHERE d.tenant_id = w.tenant_id AND d.mode = 'live' AND d.webhook_id = w.webhook_id
                  AND d.status = 'success' AND NOT d.is_test
                  AND d.created_at >= %(end)s - interval '70 days' AND d.created_at < %(end)s
                  AND d.finished_at >= %(end)s - interval '30 days' AND d.finished_at < %(end)s
                ORDER BY d.created_at DESC OFFSET %(deliveries)s - 1 LIMIT 1)
            ) found
            """,
            {"end": end, "calls": _INTEGRATION_CALLS, "deliveries": _INTEGRATION_DELIVERIES},
        )
    )


def _not_yet(_tx: Tx, _start: datetime, _end: datetime) -> float | None:
    return None


def _number(value: Any) -> float | None:
    return None if value is None else round(float(value), 2)


TARGETS = (
    Target(
        "api_key_creation_success", "percent", 99, False, "created / attempted, refusals excluded", key_creation_success
    ),
    Target(
        "api_response_time_p95", "ms", 200, True,
        "calls with API keys, from the gateway's receipt to the answer; 95 % of the windows of five minutes kept to it",
        response_time_p95,
    ),
    Target("webhook_delivery_success", "percent", 95, False, "success / finished, tests excluded", delivery_success),
    Target(
        "crm_sync_success", "percent", 95, False,
        "records synced / attempted; there is no CRM connector yet, so nothing is measured", _not_yet,
    ),
    Target("developers", "count", 50, False, "users with a key that made a successful call", developers),
    Target("api_keys_generated", "count", 100, False, "all that were ever created", keys_generated),
    Target("webhooks_configured", "count", 200, False, "all that are there", webhooks_configured),
    Target(
        "custom_integrations", "count", 10, False, "tenants with 1000 calls or 100 deliveries of a webhook in 30 days",
        custom_integrations,
    ),
)  # fmt: skip
