"""SQL that settles deliveries of webhooks that take none: those of a paused one are held, those of a deleted one given up.

Rows are found and written one by one by their key, as `repository` says.
"""

from collections.abc import Sequence

from dispatch_webhooks.repository import named
from penguinmails.db import Tx
from penguinmails.domain.deliveries import DeliveryRef

_MOST_SETTLED = 5_000


def settle_unclaimed(tx: Tx, deliveries: Sequence[DeliveryRef]) -> None:
    """Of deliveries that could not be claimed: hold those of a paused webhook, give up those of a deleted one.

    Webhooks stay as they are until that is stored, or a resumption would miss what is held.
    """
    tx.run(
        """
        WITH asked AS (
          SELECT d.* FROM unnest(%(ids)s::uuid[], %(moments)s::timestamptz[]) AS asked (id, event_created_at)
          CROSS JOIN LATERAL (
            SELECT d.tenant_id, d.mode, d.id, d.webhook_id, d.event_id, d.event_type, d.event_created_at
            FROM webhook_deliveries d
            WHERE d.id = asked.id
              AND d.event_created_at BETWEEN asked.event_created_at AND asked.event_created_at
            ORDER BY d.event_created_at LIMIT 1
          ) d
        ), resting AS (
          SELECT w.id, w.deleted_at IS NOT NULL AS is_deleted FROM webhooks w
          WHERE NOT w.is_active AND w.id IN (SELECT webhook_id FROM asked)
          ORDER BY w.id FOR SHARE
        )
        INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, status)
        SELECT a.tenant_id, a.mode, a.id, a.webhook_id, a.event_id, a.event_type, a.event_created_at,
               CASE WHEN r.is_deleted THEN 'failed' ELSE 'held' END
        FROM asked a JOIN resting r ON r.id = a.webhook_id
        ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
        SET status = excluded.status, finished_at = CASE WHEN excluded.status = 'failed' THEN clock_timestamp() END,
            next_retry_at = NULL, next_sweep_at = NULL, parked_at = NULL
        WHERE d.status IN ('queued', 'pending_retry') OR (d.status = 'sending' AND d.next_sweep_at <= clock_timestamp())
        """,
        named(deliveries),
    )


def settle_parked(tx: Tx) -> bool:
    """What is parked for webhooks that were paused or deleted since: held, or given up; of each webhook some thousands.

    Returns whether there may be more.
    """
    settled = tx.run(
        """
        WITH resting AS (
          SELECT w.tenant_id, w.mode, w.id, w.deleted_at IS NOT NULL AS is_deleted FROM webhooks w
          WHERE NOT w.is_active AND EXISTS (
            SELECT 1 FROM webhook_deliveries d
            WHERE d.tenant_id = w.tenant_id AND d.mode = w.mode AND d.webhook_id = w.id AND d.parked_at IS NOT NULL)
          ORDER BY w.id FOR SHARE
        )
        INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, status,
                                             finished_at)
        SELECT p.tenant_id, p.mode, p.id, p.webhook_id, p.event_id, p.event_type, p.event_created_at,
               CASE WHEN r.is_deleted THEN 'failed' ELSE 'held' END, CASE WHEN r.is_deleted THEN clock_timestamp() END
        FROM resting r
        CROSS JOIN LATERAL (
          SELECT d.* FROM webhook_deliveries d WHERE d.webhook_id = r.id AND d.parked_at IS NOT NULL
          ORDER BY d.parked_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
        ) p
        ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
        SET status = excluded.status, finished_at = excluded.finished_at, next_retry_at = NULL, next_sweep_at = NULL,
            parked_at = NULL
        """,
        {"most": _MOST_SETTLED},
    )
    return settled >= _MOST_SETTLED
