"""SQL of the outbox sweep."""

from penguinmails.db import Tx
from penguinmails.events.outbox import OutboxRow


def lock_stale(tx: Tx, batch: int) -> list[OutboxRow]:
    """Messages of any tenant that have waited for more than 30 s and that no other sweep holds; none that is announced."""
    return tx.all(
        """
        SELECT id, tenant_id, mode, queue, payload FROM outbox
        WHERE created_at < clock_timestamp() - interval '30 seconds'
          AND NOT (queue = 'events' AND (payload ? 'event_id' OR payload ? 'in_order'))
        ORDER BY created_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        """,
        {"batch": batch},
        OutboxRow,
    )


def oldest_announced(tx: Tx, most: int) -> list[OutboxRow]:
    """Of each tenant whose announced events have waited for more than 30 s, the one that has waited longest.

    The index is asked for one tenant after the other, as one of them may have a million that wait.
    """
    return tx.all(
        """
        WITH RECURSIVE waiting AS (
          (SELECT tenant_id, mode FROM outbox ORDER BY tenant_id, mode LIMIT 1)
          UNION ALL
          SELECT following.* FROM waiting w CROSS JOIN LATERAL (
            SELECT o.tenant_id, o.mode FROM outbox o WHERE (o.tenant_id, o.mode) > (w.tenant_id, w.mode)
            ORDER BY o.tenant_id, o.mode LIMIT 1
          ) following
        )
        SELECT oldest.* FROM waiting w CROSS JOIN LATERAL (
          SELECT o.id, o.tenant_id, o.mode, o.queue, o.payload FROM outbox o
          WHERE o.tenant_id = w.tenant_id AND o.mode = w.mode AND o.queue = 'events'
            AND o.created_at < clock_timestamp() - interval '30 seconds' AND (o.payload ? 'event_id' OR o.payload ? 'in_order')
          ORDER BY o.created_at LIMIT 1
        ) oldest
        LIMIT %(most)s
        """,
        {"most": most},
        OutboxRow,
    )


def count_waiting(tx: Tx) -> int:
    """Messages that wait for their queue, of all tenants."""
    return tx.one("SELECT count(*) FROM outbox", {})
