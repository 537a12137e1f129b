"""SQL of the outbox sweep."""

from uuid import UUID

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


def delete(tx: Tx, ids: list[UUID]) -> None:
    """Forget messages that their queue has taken."""
    tx.run("DELETE FROM outbox WHERE id = ANY(%(ids)s)", {"ids": ids})
