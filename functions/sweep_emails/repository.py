"""SQL of the emails sweep."""

from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Mode, Tx
from penguinmails.domain.emails import SWEEP_AFTER_SECONDS


@dataclass(frozen=True, slots=True)
class DueRow:
    """An email that somebody should send."""

    id: UUID
    tenant_id: UUID
    mode: Mode
    attempts: int
    step_id: UUID | None


def take_due(tx: Tx, batch: int) -> list[DueRow]:
    """Emails that are due, of any tenant, ready to be claimed; they are not taken again for two minutes."""
    return tx.all(
        """
        UPDATE emails e
        SET status = 'queued', next_sweep_at = clock_timestamp() + make_interval(secs => %(sweep_after)s)
        FROM (
          SELECT id FROM emails WHERE next_sweep_at <= clock_timestamp()
          ORDER BY next_sweep_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        ) due
        WHERE e.id = due.id
        RETURNING e.id, e.tenant_id, e.mode, e.attempts, e.step_id
        """,
        {"batch": batch, "sweep_after": SWEEP_AFTER_SECONDS},
        DueRow,
    )
