"""SQL of the outbox sweep."""

from penguinmails.db import Tx
from penguinmails.events.outbox import OutboxRow


def lock_stale(tx: Tx, batch: int) -> list[OutboxRow]:
    """Messages of any tenant that have waited for more than 30 s and that no other sweep holds."""
    return tx.all(
        """
        SELECT id, tenant_id, mode, queue, payload FROM outbox
        WHERE created_at < clock_timestamp() - interval '30 seconds'
        ORDER BY created_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        """,
        {"batch": batch},
        OutboxRow,
    )


def count_waiting(tx: Tx) -> int:
    """Messages that wait for their queue, of all tenants."""
    return tx.one("SELECT count(*) FROM outbox", {})
