"""SQL of test posts."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from penguinmails.db import Tx, jsonb

if TYPE_CHECKING:
    from penguinmails.webhook_posts.client import Outcome


def insert_test(
    tx: Tx,
    webhook_id: UUID,
    *,
    delivery_id: UUID,
    event_id: UUID,
    event_type: str,
    created_at: datetime,
    started_at: datetime,
    request_headers: dict[str, str],
    outcome: "Outcome",
) -> None:
    """Add a test post to the log, as a delivery that has ended with its only attempt.

    `event_id` is the event whose data were posted, so that erasing its contact reaches the answer; a random one for samples.
    """
    tx.run(
        """
        WITH delivery AS (
          INSERT INTO webhook_deliveries (id, tenant_id, mode, webhook_id, event_id, event_type, event_created_at, status,
                                          attempts, is_test, finished_at)
          VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(webhook_id)s, %(event_id)s, %(event_type)s, %(created_at)s,
                  CASE WHEN %(success)s THEN 'success' ELSE 'failed' END, 1, true, clock_timestamp())
        )
        INSERT INTO webhook_attempts (tenant_id, mode, delivery_id, event_created_at, attempt_number, attempted_at,
                                      duration_ms, status_code, request_headers, response_headers, response_body,
                                      error_message, timing)
        VALUES (%(tenant_id)s, %(mode)s, %(id)s, %(created_at)s, 0, %(started_at)s, %(duration_ms)s, %(status_code)s,
                %(request_headers)s, %(response_headers)s, %(response_body)s, %(error)s, %(timing)s)
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "id": delivery_id,
            "webhook_id": webhook_id,
            "event_id": event_id,
            "event_type": event_type,
            "created_at": created_at,
            "started_at": started_at,
            "success": outcome.is_success,
            "duration_ms": outcome.duration_ms,
            "status_code": outcome.status_code,
            "request_headers": jsonb(request_headers),
            "response_headers": jsonb(outcome.headers),
            "response_body": outcome.body,
            "error": outcome.error,
            "timing": jsonb(outcome.timing.document()),
        },
    )
