"""SQL of what a webhook's deliveries came to: read from what is kept per quarter of an hour, and what is new since."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from penguinmails.db import Tx

MOST_LOOKED_AT = 100
"""Deliveries of a kind whose posts are looked at for what fails most."""

FIGURES: LiteralString = """
        WITH found AS (
          SELECT is_replay, pending, held, success, failed, dropped, first_sequence, last_sequence, posts, posts_ms, buckets,
                 bucket_posts
          FROM webhook_quarters
          WHERE webhook_id = %(webhook_id)s AND starts_at >= %(start)s AND starts_at < %(end)s
          UNION ALL
          SELECT is_replay, pending, held, success, failed, dropped, first_sequence, last_sequence, posts, posts_ms, buckets,
                 bucket_posts
          FROM webhook_figure_changes
          WHERE webhook_id = %(webhook_id)s AND starts_at >= %(start)s AND starts_at < %(end)s
        )"""
"""The figures of a webhook from one quarter of an hour to before another."""

# A percentile is the middle of the bucket that so many per cent of the posts reach.
_STATS: LiteralString = """
        , counted AS (
          SELECT coalesce(sum(pending), 0)::bigint AS pending, coalesce(sum(held), 0)::bigint AS held,
                 coalesce(sum(success), 0)::bigint AS success, coalesce(sum(failed), 0)::bigint AS failed,
                 coalesce(sum(dropped), 0)::bigint AS dropped, coalesce(sum(posts), 0)::bigint AS attempts,
                 (sum(posts_ms) / nullif(sum(posts), 0))::float8 AS average_ms
          FROM found
        ), in_buckets AS (
          SELECT b.bucket, sum(b.posts) AS posts
          FROM found f CROSS JOIN LATERAL unnest(f.buckets, f.bucket_posts) AS b (bucket, posts) GROUP BY b.bucket
        ), reached AS (
          SELECT bucket, sum(posts) OVER (ORDER BY bucket) / sum(posts) OVER () AS share FROM in_buckets
        )
        SELECT pending + held + success + failed + dropped AS total, success, failed, pending, held, dropped, attempts,
               average_ms,
               (SELECT response_time_of(min(bucket)) FROM reached WHERE share >= 0.5) AS p50_ms,
               (SELECT response_time_of(min(bucket)) FROM reached WHERE share >= 0.95) AS p95_ms,
               (SELECT response_time_of(min(bucket)) FROM reached WHERE share >= 0.99) AS p99_ms
        FROM counted
        """

# Test posts say nothing about how the endpoint does with real events.
_ERRORS: LiteralString = """
        WITH newest AS (
          (SELECT d.id, d.event_created_at FROM webhook_deliveries d
           WHERE d.webhook_id = %(webhook_id)s AND d.created_at > %(since)s AND NOT d.is_test
           ORDER BY d.created_at DESC, d.id DESC LIMIT %(most)s)
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
        FROM newest f
        -- The limit is above what a delivery can have; with it attempts are looked up by key.
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
    """Deliveries of a span of time, by outcome, and how long the posts took that were made in it."""

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


def stats_between(tx: Tx, webhook_id: UUID, start: datetime, end: datetime) -> StatsRow:
    """What came of a webhook's deliveries, from one quarter of an hour to before another."""
    row = tx.one(FIGURES + _STATS, {"webhook_id": webhook_id, "start": start, "end": end}, StatsRow)
    if row is None:
        raise LookupError("an aggregate without a row")
    return row


def most_common_errors(tx: Tx, webhook_id: UUID, since: datetime) -> list[ErrorRow]:
    """The five most frequent ways in which posts failed: the answer's status, or why there was none."""
    return tx.all(_ERRORS, {"webhook_id": webhook_id, "since": since, "most": MOST_LOOKED_AT}, ErrorRow)
