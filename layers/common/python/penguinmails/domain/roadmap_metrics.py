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
    """Milliseconds within which 95 % of the calls with API keys were answered."""
    return _number(
        tx.one(
            """
            SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY response_time_ms) FROM api_key_usage
            WHERE created_at >= %(start)s AND created_at < %(end)s
            """,
            {"start": start, "end": end},
        )
    )


def delivery_success(tx: Tx, start: datetime, end: datetime) -> float | None:
    """Percent of the live deliveries finished in the period that ended in success; retries reach back eight days."""
    return _number(
        tx.one(
            """
            SELECT 100.0 * count(*) FILTER (WHERE status = 'success') / nullif(count(*), 0) FROM webhook_deliveries
            WHERE mode = 'live' AND NOT is_test AND status IN ('success', 'failed')
              AND finished_at >= %(start)s AND finished_at < %(end)s
              AND event_created_at >= %(start)s - interval '8 days' AND event_created_at < %(end)s
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
                            AND d.day < (%(end)s AT TIME ZONE 'UTC')::date + 1)
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
              WHERE day >= (%(end)s AT TIME ZONE 'UTC')::date - 30 AND day < (%(end)s AT TIME ZONE 'UTC')::date + 1
              GROUP BY tenant_id HAVING sum(requests) >= %(calls)s
              UNION
              SELECT tenant_id FROM webhook_deliveries
              WHERE mode = 'live' AND NOT is_test AND status = 'success' AND finished_at < %(end)s
                AND finished_at >= %(end)s - interval '30 days'
                AND event_created_at >= %(end)s - interval '38 days' AND event_created_at < %(end)s
              GROUP BY tenant_id, webhook_id HAVING count(*) >= %(deliveries)s
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
    Target("api_response_time_p95", "ms", 200, True, "all calls with API keys in the period", response_time_p95),
    Target("webhook_delivery_success", "percent", 95, False, "success / finished, tests excluded", delivery_success),
    Target("crm_sync_success", "percent", 95, False, "records synced / attempted; none are attempted yet", _not_yet),
    Target("developers", "count", 50, False, "users with a key that made a successful call", developers),
    Target("api_keys_generated", "count", 100, False, "all that were ever created", keys_generated),
    Target("webhooks_configured", "count", 200, False, "all that are there", webhooks_configured),
    Target(
        "custom_integrations", "count", 10, False, "tenants with 1000 calls or 100 deliveries of a webhook in 30 days",
        custom_integrations,
    ),
)  # fmt: skip
