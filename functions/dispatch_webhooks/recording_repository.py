"""SQL that stores what came of attempts: a batch in one statement."""

from typing import Any
from uuid import UUID

from penguinmails.db import Tx


def store(tx: Tx, columns: dict[str, list[Any]]) -> set[UUID]:
    """Store outcomes and log the attempts; the ids of the deliveries that were still this worker's.

    An attempt is logged even when another worker took over meanwhile: the post was made. Storing twice changes nothing.
    Rows are found and written one by one by their key, as `repository` says; none is ever inserted.
    """
    settled: list[UUID] = tx.all(
        """
        WITH done AS (
          SELECT * FROM unnest(
            %(ids)s::uuid[], %(moments)s::timestamptz[], %(attempts)s::integer[], %(statuses)s::text[],
            %(tried)s::boolean[], %(retry_in)s::integer[], %(sweep_in)s::integer[], %(park_in)s::integer[],
            %(attempted_at)s::timestamptz[], %(durations)s::integer[], %(status_codes)s::integer[],
            %(request_headers)s::jsonb[], %(response_headers)s::jsonb[], %(bodies)s::text[], %(errors)s::text[],
            %(timings)s::jsonb[], %(batch_ids)s::uuid[], %(webhook_ids)s::uuid[], %(replays)s::boolean[]
          ) AS d (id, event_created_at, attempt, status, tried, retry_in, sweep_in, park_in, attempted_at, duration_ms,
                  status_code, request_headers, response_headers, response_body, error_message, timing,
                  batch_id, webhook_id, is_replay)
        ), log AS (
          INSERT INTO webhook_attempts (tenant_id, mode, delivery_id, event_created_at, attempt_number, attempted_at,
                                        duration_ms, status_code, request_headers, response_headers, response_body,
                                        error_message, timing, batch_id)
          SELECT %(tenant_id)s, %(mode)s, id, event_created_at, attempt, attempted_at, duration_ms, status_code,
                 request_headers, response_headers, response_body, error_message, timing, batch_id
          FROM done WHERE tried
          ON CONFLICT DO NOTHING
          RETURNING delivery_id
        ), logged AS (
          -- Looked up in what was stored; a join could be planned as a walk through all of it for each.
          SELECT n.*, n.id IN (SELECT delivery_id FROM log) AS is_new FROM done n
        ), in_buckets AS (
          SELECT webhook_id, is_replay, quarter_of(attempted_at) AS starts_at,
                 response_time_bucket(duration_ms) AS bucket, count(*) AS posts, sum(duration_ms) AS ms
          FROM logged WHERE is_new
          GROUP BY webhook_id, is_replay, 3, 4
        ), timed AS (
          INSERT INTO webhook_figure_changes (tenant_id, mode, webhook_id, starts_at, is_replay, posts, posts_ms, buckets,
                                              bucket_posts)
          SELECT %(tenant_id)s, %(mode)s, webhook_id, starts_at, is_replay, sum(posts), sum(ms), array_agg(bucket),
                 array_agg(posts)
          FROM in_buckets GROUP BY webhook_id, is_replay, starts_at
        )
        INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, status,
                                             attempts, finished_at, next_retry_at, next_sweep_at, parked_at)
        SELECT o.tenant_id, o.mode, o.id, o.webhook_id, o.event_id, o.event_type, o.event_created_at, n.status,
               n.attempt + n.tried::integer,
               CASE WHEN n.status IN ('success', 'failed') THEN clock_timestamp() END,
               clock_timestamp() + make_interval(secs => n.retry_in),
               clock_timestamp() + make_interval(secs => n.sweep_in),
               clock_timestamp() + make_interval(secs => n.park_in)
        FROM done n
        CROSS JOIN LATERAL (
          SELECT d.* FROM webhook_deliveries d
          WHERE d.id = n.id AND d.event_created_at BETWEEN n.event_created_at AND n.event_created_at
          ORDER BY d.event_created_at LIMIT 1 FOR UPDATE
        ) o
        WHERE o.status = 'sending' AND o.attempts = n.attempt + 1
        ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
        SET status = excluded.status, attempts = excluded.attempts, finished_at = excluded.finished_at,
            next_retry_at = excluded.next_retry_at, next_sweep_at = excluded.next_sweep_at, parked_at = excluded.parked_at
        RETURNING d.id
        """,
        {**columns, "tenant_id": tx.tenant_id, "mode": tx.mode},
    )
    return set(settled)
