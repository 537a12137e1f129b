"""SQL of the platform mail sweep."""

from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class DueRow:
    """A mail that somebody should send."""

    id: UUID
    tenant_id: UUID
    traceparent: str | None


def take_due(tx: Tx, batch: int) -> list[DueRow]:
    """Mail of any tenant that has been due for half a minute; it is not taken again for two minutes."""
    return tx.all(
        """
        UPDATE mail_outbox m
        SET status = 'queued', next_attempt_at = clock_timestamp() + interval '90 seconds'
        FROM (
          SELECT id FROM mail_outbox
          WHERE status IN ('queued', 'sending') AND next_attempt_at <= clock_timestamp() - interval '30 seconds'
          ORDER BY next_attempt_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        ) due
        WHERE m.id = due.id
        RETURNING m.id, m.tenant_id, m.traceparent
        """,
        {"batch": batch},
        DueRow,
    )
