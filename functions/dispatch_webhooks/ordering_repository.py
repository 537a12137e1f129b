"""SQL of deliveries that go in order: those of one contact or campaign to one webhook, the next when all before it have ended.

A delivery that has one before it is held back: it is queued, but neither named by a message nor in line for a slot. Whoever
ends the one before puts it in line, in the same transaction. Its sweep comes late, for what no end ever tells of.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.deliveries import DeliveryRef

_MOST_RELEASED = 100


def hold_back(tx: Tx, deliveries: Sequence[DeliveryRef]) -> set[UUID]:
    """Have deliveries wait for what goes before them; the ids of those that have something before them.

    This transaction has locked the rows in a statement before. So what has ended until now is seen, and who ends something
    later finds these rows as they are stored here.
    """
    found: list[UUID] = tx.all(
        """
        INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, status,
                                             next_sweep_at)
        SELECT o.tenant_id, o.mode, o.id, o.webhook_id, o.event_id, o.event_type, o.event_created_at,
               CASE WHEN o.status = 'sending' THEN 'queued' ELSE o.status END,
               greatest(coalesce(b.next_sweep_at, clock_timestamp() + interval '15 minutes'), clock_timestamp())
               + interval '1 minute'
        FROM unnest(%(ids)s::uuid[], %(moments)s::timestamptz[]) AS asked (id, event_created_at)
        CROSS JOIN LATERAL (
          SELECT d.* FROM webhook_deliveries d
          WHERE d.id = asked.id
            AND d.event_created_at BETWEEN asked.event_created_at AND asked.event_created_at
          ORDER BY d.event_created_at LIMIT 1
        ) o
        CROSS JOIN LATERAL (
          SELECT d.next_sweep_at FROM webhook_deliveries d
          WHERE d.tenant_id = o.tenant_id AND d.mode = o.mode AND d.webhook_id = o.webhook_id AND d.order_key = o.order_key
            AND d.status IN ('queued', 'sending', 'pending_retry', 'held') AND d.sequence < o.sequence
          ORDER BY d.sequence LIMIT 1
        ) b
        ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
        SET status = excluded.status, next_sweep_at = excluded.next_sweep_at, parked_at = NULL
        RETURNING d.id
        """,
        {
            "ids": [delivery.id for delivery in deliveries],
            "moments": [delivery.event_created_at for delivery in deliveries],
        },
    )
    return set(found)


def release(tx: Tx, ended: Collection[tuple[UUID, UUID]]) -> None:
    """Put what comes next in line, of webhooks and their contacts or campaigns of whom deliveries have ended.

    Not where the next one is under way, or waits for its retry: it ends itself one day.
    """
    found = sorted(set(ended))
    tx.run(
        """
        INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, parked_at)
        SELECT n.tenant_id, n.mode, n.id, n.webhook_id, n.event_id, n.event_type, n.event_created_at,
               clock_timestamp() + n.place * interval '1 microsecond'
        FROM unnest(%(webhook_ids)s::uuid[], %(keys)s::uuid[]) AS asked (webhook_id, order_key)
        CROSS JOIN LATERAL (
          SELECT d.status FROM webhook_deliveries d
          WHERE d.webhook_id = asked.webhook_id AND d.order_key = asked.order_key
            AND d.status IN ('queued', 'sending', 'pending_retry', 'held')
          ORDER BY d.sequence LIMIT 1
        ) first
        CROSS JOIN LATERAL (
          SELECT d.*, row_number() OVER (ORDER BY d.sequence) AS place FROM webhook_deliveries d
          WHERE d.webhook_id = asked.webhook_id AND d.order_key = asked.order_key
            AND d.status IN ('queued', 'sending', 'pending_retry', 'held')
          ORDER BY d.sequence LIMIT %(most)s
        ) n
        WHERE first.status = 'queued' AND n.status = 'queued' AND n.parked_at IS NULL
        ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
        SET parked_at = excluded.parked_at, next_sweep_at = NULL
        WHERE d.status = 'queued' AND d.parked_at IS NULL
        """,
        {
            "webhook_ids": [webhook_id for webhook_id, _ in found],
            "keys": [key for _, key in found],
            "most": _MOST_RELEASED,
        },
    )
