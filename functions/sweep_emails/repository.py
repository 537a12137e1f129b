"""SQL of the emails sweep."""

from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Mode, Tx
from penguinmails.domain.emails import SWEEP_AFTER_SECONDS
from penguinmails.domain.pace import LONGEST_DELAY_SECONDS

_REST_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class DueRow:
    """An email that somebody should send."""

    id: UUID
    tenant_id: UUID
    mode: Mode
    attempts: int
    step_id: UUID | None
    traceparent: str | None
    delay_seconds: int
    """Until its turn, where it waits for the account's pace."""


def take_due(tx: Tx, batch: int) -> list[DueRow]:
    """Emails that are due, of any tenant, ready to be claimed; they are not taken again for two minutes after their turn.

    Those of suspended accounts rest for an hour at a time.
    """
    return tx.all(
        """
        WITH due AS (
          SELECT id FROM emails WHERE next_sweep_at <= clock_timestamp()
          ORDER BY next_sweep_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        ), taken AS (
          UPDATE emails e
          SET status = 'queued',
              next_sweep_at = greatest(clock_timestamp(), e.paced_until)
                + make_interval(secs => CASE WHEN t.status = 'active' THEN %(sweep_after)s::integer ELSE %(rest)s END)
          FROM due JOIN emails d ON d.id = due.id JOIN tenants t ON t.id = d.tenant_id
          WHERE e.id = due.id
          RETURNING e.id, e.tenant_id, e.mode, e.attempts, e.step_id, e.traceparent, t.status = 'active' AS may_send,
                    ceil(extract(epoch FROM e.paced_until - clock_timestamp())) AS seconds
        )
        SELECT id, tenant_id, mode, attempts, step_id, traceparent,
               least(greatest(coalesce(seconds, 0), 0), %(longest)s)::integer AS delay_seconds
        FROM taken WHERE may_send
        """,
        {"longest": LONGEST_DELAY_SECONDS, "batch": batch, "sweep_after": SWEEP_AFTER_SECONDS, "rest": _REST_SECONDS},
        DueRow,
    )
