"""SQL of the deliveries sweep."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Mode, Tx


@dataclass(frozen=True, slots=True)
class DueRow:
    """A delivery that somebody should attempt."""

    id: UUID
    tenant_id: UUID
    mode: Mode
    event_created_at: datetime


def take_due(tx: Tx, batch: int) -> list[DueRow]:
    """Deliveries that are due, of any tenant; they are not taken again for two minutes."""
    return tx.all(
        """
        UPDATE webhook_deliveries d
        SET next_sweep_at = clock_timestamp() + interval '2 minutes',
            status = CASE WHEN d.status = 'sending' THEN 'queued' ELSE d.status END
        FROM (
          SELECT tenant_id, mode, id, event_created_at FROM webhook_deliveries
          WHERE next_sweep_at <= clock_timestamp()
          ORDER BY next_sweep_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        ) due
        WHERE d.tenant_id = due.tenant_id AND d.mode = due.mode AND d.id = due.id
          AND d.event_created_at = due.event_created_at
        RETURNING d.id, d.tenant_id, d.mode, d.event_created_at
        """,
        {"batch": batch},
        DueRow,
    )


def count_failing_webhooks(tx: Tx) -> int:
    """Webhooks of all tenants whose last three deliveries failed and that are not paused."""
    return tx.one("SELECT count_failing_webhooks()", {})
