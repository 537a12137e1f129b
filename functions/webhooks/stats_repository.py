"""SQL of what a webhook's deliveries came to."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from penguinmails.db import Tx

MOST_TIMED = 10_000
"""Deliveries whose posts are looked at; a webhook may have millions in a week."""

# Test posts say nothing about how the endpoint does with real events.
_NEWEST: LiteralString = """
        WITH newest AS (
          SELECT d.id, d.event_created_at FROM webhook_deliveries d
          WHERE d.webhook_id = %(webhook_id)s AND d.created_at > %(since)s AND NOT d.is_test
          ORDER BY d.created_at DESC, d.id DESC LIMIT %(most)s
        )"""

_COUNTED: LiteralString = """
        , counted AS (
          SELECT count(*) AS total, count(*) FILTER (WHERE status = 'success') AS success,
                 count(*) FILTER (WHERE status = 'failed') AS failed,
                 count(*) FILTER (WHERE status IN ('queued', 'sending', 'pending_retry')) AS pending,
                 count(*) FILTER (WHERE status = 'held') AS held,
                 count(*) FILTER (WHERE status = 'dropped') AS dropped
          FROM webhook_deliveries d
          WHERE d.webhook_id = %(webhook_id)s AND d.created_at > %(since)s AND NOT d.is_test
        ), timed AS (
          SELECT count(*) AS attempts, avg(a.duration_ms)::float AS average_ms,
                 percentile_cont(0.5) WITHIN GROUP (ORDER BY a.duration_ms) AS p50_ms,
                 percentile_cont(0.95) WITHIN GROUP (ORDER BY a.duration_ms) AS p95_ms,
                 percentile_cont(0.99) WITHIN GROUP (ORDER BY a.duration_ms) AS p99_ms
          FROM newest f
          -- The limit is above what a delivery can have; with it attempts are looked up by key.
          CROSS JOIN LATERAL (
            SELECT a.duration_ms FROM webhook_attempts a
            WHERE a.delivery_id = f.id AND a.event_created_at BETWEEN f.event_created_at AND f.event_created_at LIMIT 1000
          ) a
        )
        SELECT total, success, failed, pending, held, dropped, attempts, average_ms, p50_ms, p95_ms, p99_ms
        FROM counted, timed
        """

_ERRORS: LiteralString = """
        , troubled AS (
          SELECT id, event_created_at FROM newest
          UNION
          SELECT d.id, d.event_created_at
          FROM unnest(ARRAY['failed', 'pending_retry']) AS s (status)
          CROSS JOIN LATERAL (
            SELECT * FROM webhook_deliveries d
            WHERE d.webhook_id = %(webhook_id)s AND d.status = s.status AND d.created_at > %(since)s AND NOT d.is_test
            ORDER BY d.created_at DESC, d.id DESC LIMIT %(most)s
          ) d
        )
        SELECT a.error, count(*) AS count
        FROM troubled f
        CROSS JOIN LATERAL (
          SELECT coalesce(a.error_message, 'HTTP ' || a.status_code) AS error FROM webhook_attempts a
          WHERE a.delivery_id = f.id AND a.event_created_at BETWEEN f.event_created_at AND f.event_created_at
            AND (a.status_code IS NULL OR a.status_code NOT BETWEEN 200 AND 299) LIMIT 1000
        ) a
        WHERE a.error IS NOT NULL
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5
        """


@dataclass(frozen=True, slots=True)
class StatsRow:
    """Deliveries that were made since a moment, by outcome, and how long their posts took."""

    total: int
    success: int
    failed: int
    pending: int
    held: int
    dropped: int
    attempts: int
    average_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One way in which attempts failed, and how often."""

    error: str
    count: int


def stats_since(tx: Tx, webhook_id: UUID, since: datetime) -> StatsRow:
    """What came of the deliveries that a webhook got since a moment."""
    row = tx.one(
        _NEWEST + _COUNTED,
        {"webhook_id": webhook_id, "since": since, "most": MOST_TIMED},
        StatsRow,
    )
    if row is None:
        raise LookupError("an aggregate without a row")
    return row


def most_common_errors(tx: Tx, webhook_id: UUID, since: datetime) -> list[ErrorRow]:
    """The five most frequent ways in which posts failed: the answer's status, or why there was none."""
    return tx.all(
        _NEWEST + _ERRORS,
        {"webhook_id": webhook_id, "since": since, "most": MOST_TIMED},
        ErrorRow,
    )
