"""SQL of the dispatcher."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.domain.deliveries import LEASE_MARGIN_SECONDS


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this worker may attempt now, with all that the attempt needs."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    event_type: str
    event_created_at: datetime
    attempts: int
    endpoint_url: str
    secret_ref: str
    api_version: str
    retry_enabled: bool
    max_retries: int
    timeout_seconds: int
    workspace_id: UUID | None
    data: Any


def claim(tx: Tx, delivery_id: UUID, event_created_at: datetime) -> Claim | None:
    """Take a delivery that is due, by compare-and-set; None when another worker has it or it is finished.

    An attempt whose worker died is free again after its lease: the time-out and a margin.
    """
    return tx.one(
        """
        UPDATE webhook_deliveries d
        SET status = 'sending', attempts = d.attempts + 1, next_retry_at = NULL,
            next_sweep_at = clock_timestamp() + make_interval(secs => w.timeout_seconds + %(margin)s)
        FROM webhooks w, events e
        WHERE d.id = %(id)s AND d.event_created_at = %(event_created_at)s
          AND w.tenant_id = d.tenant_id AND w.mode = d.mode AND w.id = d.webhook_id
          AND w.is_active AND w.deleted_at IS NULL
          AND e.tenant_id = d.tenant_id AND e.mode = d.mode AND e.id = d.event_id AND e.created_at = d.event_created_at
          AND (d.status = 'queued'
               OR (d.status = 'pending_retry' AND d.next_retry_at <= clock_timestamp() + interval '2 seconds')
               OR (d.status = 'sending' AND d.next_sweep_at <= clock_timestamp()))
        RETURNING d.id, d.webhook_id, d.event_id, d.event_type, d.event_created_at, d.attempts - 1 AS attempts,
                  w.endpoint_url, w.secret_ref, w.api_version, w.retry_enabled, w.max_retries, w.timeout_seconds,
                  e.workspace_id, e.data
        """,
        {"id": delivery_id, "event_created_at": event_created_at, "margin": LEASE_MARGIN_SECONDS},
        Claim,
    )


def end_if_webhook_is_deleted(tx: Tx, delivery_id: UUID, event_created_at: datetime) -> None:
    """Give up a delivery whose webhook is gone, or the sweep would hand it out for ever."""
    tx.run(
        """
        UPDATE webhook_deliveries d
        SET status = 'failed', finished_at = clock_timestamp(), next_retry_at = NULL, next_sweep_at = NULL
        FROM webhooks w
        WHERE d.id = %(id)s AND d.event_created_at = %(event_created_at)s AND d.next_sweep_at IS NOT NULL
          AND w.tenant_id = d.tenant_id AND w.mode = d.mode AND w.id = d.webhook_id AND w.deleted_at IS NOT NULL
        """,
        {"id": delivery_id, "event_created_at": event_created_at},
    )


def insert_attempt(tx: Tx, claim: Claim, values: dict[str, Any]) -> None:
    """Log an attempt; one whose worker died and was attempted again keeps its first record."""
    tx.run(
        """
        INSERT INTO webhook_attempts (tenant_id, mode, delivery_id, event_created_at, attempt_number, attempted_at,
                                      duration_ms, status_code, request_headers, response_headers, response_body,
                                      error_message)
        VALUES (%(tenant_id)s, %(mode)s, %(delivery_id)s, %(event_created_at)s, %(attempt)s, %(attempted_at)s,
                %(duration_ms)s, %(status_code)s, %(request_headers)s, %(response_headers)s, %(response_body)s,
                %(error_message)s)
        ON CONFLICT DO NOTHING
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "delivery_id": claim.id,
            "event_created_at": claim.event_created_at,
            "attempt": claim.attempts,
            **values,
            "request_headers": jsonb(values["request_headers"]),
            "response_headers": jsonb(values["response_headers"]),
        },
    )


def finish(tx: Tx, claim: Claim, status: str) -> None:
    """Nothing is left to try."""
    tx.run(
        """
        UPDATE webhook_deliveries
        SET status = %(status)s, finished_at = clock_timestamp(), next_retry_at = NULL, next_sweep_at = NULL
        WHERE id = %(id)s AND event_created_at = %(event_created_at)s
        """,
        {"id": claim.id, "event_created_at": claim.event_created_at, "status": status},
    )


def plan_retry(tx: Tx, claim: Claim, *, delay_seconds: int, sweep_slack_seconds: int) -> None:
    """Try again after a delay; the sweep takes over when the queue's delayed message does not come."""
    tx.run(
        """
        UPDATE webhook_deliveries
        SET status = 'pending_retry', next_retry_at = clock_timestamp() + make_interval(secs => %(delay)s),
            next_sweep_at = clock_timestamp() + make_interval(secs => %(delay)s + %(slack)s)
        WHERE id = %(id)s AND event_created_at = %(event_created_at)s
        """,
        {
            "id": claim.id,
            "event_created_at": claim.event_created_at,
            "delay": delay_seconds,
            "slack": sweep_slack_seconds,
        },
    )


def record_success(tx: Tx, webhook_id: UUID) -> None:
    """Clear the webhook's failures; a healthy one is touched every ten seconds at most, so that its row is not fought for."""
    tx.run(
        """
        UPDATE webhooks SET consecutive_failures = 0, is_failing = false, last_success_at = clock_timestamp()
        WHERE id = %(id)s AND (consecutive_failures > 0 OR last_success_at IS NULL
                               OR last_success_at < clock_timestamp() - interval '10 seconds')
        """,
        {"id": webhook_id},
    )


def record_failure(tx: Tx, webhook_id: UUID, *, failing_from: int, pause: bool) -> None:
    """Count a failure; from `failing_from` in a row on the webhook is failing. `pause` switches it off at once."""
    tx.run(
        """
        UPDATE webhooks
        SET consecutive_failures = consecutive_failures + 1, last_failure_at = clock_timestamp(),
            is_failing = consecutive_failures + 1 >= %(failing_from)s,
            is_active = is_active AND NOT %(pause)s,
            paused_reason = CASE WHEN %(pause)s THEN 'gone' ELSE paused_reason END
        WHERE id = %(id)s
        """,
        {"id": webhook_id, "failing_from": failing_from, "pause": pause},
    )
