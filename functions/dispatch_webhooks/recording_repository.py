"""SQL that stores what came of attempts: a batch in one statement."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class Health:
    """What a batch of attempts says about a webhook."""

    webhook_id: UUID
    failures: int
    """Failed attempts since the last success of the batch, or of all when it had none."""
    had_success: bool
    is_gone: bool


def store(tx: Tx, columns: dict[str, list[Any]]) -> set[UUID]:
    """Store outcomes and log the attempts; the ids of the deliveries that were still this worker's.

    An attempt is logged even when another worker took over meanwhile: the post was made. Storing twice changes nothing.
    """
    settled: list[UUID] = tx.all(
        """
        WITH done AS (
          SELECT * FROM unnest(
            %(ids)s::uuid[], %(moments)s::timestamptz[], %(attempts)s::integer[], %(statuses)s::text[],
            %(tried)s::boolean[], %(retry_in)s::integer[], %(sweep_in)s::integer[], %(park_in)s::integer[],
            %(attempted_at)s::timestamptz[], %(durations)s::integer[], %(status_codes)s::integer[],
            %(request_headers)s::jsonb[], %(response_headers)s::jsonb[], %(bodies)s::text[], %(errors)s::text[]
          ) AS d (id, event_created_at, attempt, status, tried, retry_in, sweep_in, park_in, attempted_at, duration_ms,
                  status_code, request_headers, response_headers, response_body, error_message)
        ), log AS (
          INSERT INTO webhook_attempts (tenant_id, mode, delivery_id, event_created_at, attempt_number, attempted_at,
                                        duration_ms, status_code, request_headers, response_headers, response_body,
                                        error_message)
          SELECT %(tenant_id)s, %(mode)s, id, event_created_at, attempt, attempted_at, duration_ms, status_code,
                 request_headers, response_headers, response_body, error_message
          FROM done WHERE tried
          ON CONFLICT DO NOTHING
        )
        UPDATE webhook_deliveries d
        SET status = n.status, attempts = n.attempt + n.tried::integer,
            finished_at = CASE WHEN n.status IN ('success', 'failed') THEN clock_timestamp() END,
            next_retry_at = clock_timestamp() + make_interval(secs => n.retry_in),
            next_sweep_at = clock_timestamp() + make_interval(secs => n.sweep_in),
            parked_at = clock_timestamp() + make_interval(secs => n.park_in)
        FROM done n
        WHERE d.id = n.id AND d.event_created_at = n.event_created_at
          AND d.status = 'sending' AND d.attempts = n.attempt + 1
        RETURNING d.id
        """,
        {**columns, "tenant_id": tx.tenant_id, "mode": tx.mode},
    )
    return set(settled)


def record_success(tx: Tx, webhook_id: UUID) -> None:
    """Note that a healthy webhook still is; every ten seconds at most, so that its row is not fought for."""
    tx.run(
        """
        UPDATE webhooks SET consecutive_failures = 0, is_failing = false, last_success_at = clock_timestamp()
        WHERE id = %(id)s AND (consecutive_failures > 0 OR last_success_at IS NULL
                               OR last_success_at < clock_timestamp() - interval '10 seconds')
        """,
        {"id": webhook_id},
    )


def record_failures(tx: Tx, health: Health, *, failing_from: int) -> None:
    """Count failures; from `failing_from` in a row on the webhook is failing. One that is gone is switched off at once."""
    tx.run(
        """
        UPDATE webhooks w
        SET consecutive_failures = n.failures, last_failure_at = clock_timestamp(),
            is_failing = n.failures >= %(failing_from)s,
            last_success_at = CASE WHEN %(had_success)s THEN clock_timestamp() ELSE w.last_success_at END,
            is_active = w.is_active AND NOT %(is_gone)s,
            paused_reason = CASE WHEN %(is_gone)s THEN 'gone' ELSE w.paused_reason END
        FROM (
          SELECT id, CASE WHEN %(had_success)s THEN 0 ELSE consecutive_failures END + %(failures)s AS failures
          FROM webhooks WHERE id = %(id)s FOR UPDATE
        ) n
        WHERE w.id = n.id
        """,
        {
            "id": health.webhook_id,
            "failing_from": failing_from,
            "failures": health.failures,
            "had_success": health.had_success,
            "is_gone": health.is_gone,
        },
    )
