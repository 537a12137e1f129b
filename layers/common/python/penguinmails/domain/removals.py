"""What is deleted at once, while the rows that it may have by the million go after it, piece by piece, in a job."""

from typing import Literal
from uuid import UUID

from penguinmails.db import Tx

Kind = Literal["list", "tag", "contact_field", "workspace", "campaign"]


def remove_rows_later(tx: Tx, kind: Kind, id_: UUID) -> None:
    """Leave the rows of what this transaction deletes to the job: who was on the list, had the tag, and so on."""
    tx.run(
        "INSERT INTO pending_removals (tenant_id, kind, id) VALUES (%(tenant_id)s, %(kind)s, %(id)s)",
        {"tenant_id": tx.tenant_id, "kind": kind, "id": id_},
    )


def cancel_waiting_emails(tx: Tx, campaign_id: UUID, limit: int) -> int:
    """Give up mails of a deleted campaign that are planned and not yet on their way, so many at most; how many."""
    return tx.run(
        """
        UPDATE emails e SET status = 'cancelled', next_sweep_at = NULL, finished_at = clock_timestamp(),
                            error = 'the campaign was deleted'
        FROM (SELECT id FROM emails WHERE campaign_id = %(id)s AND status = 'queued'
              ORDER BY created_at, id LIMIT %(limit)s FOR UPDATE) waiting
        WHERE e.id = waiting.id
        """,
        {"id": campaign_id, "limit": limit},
    )
