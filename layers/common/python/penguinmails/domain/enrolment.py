"""Enrolling contacts in a campaign: a row each in its ledger, at most one per contact."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from penguinmails.db import Tx


def enrol(tx: Tx, campaign_id: UUID, contact_ids: Sequence[UUID], now: datetime) -> int:
    """Enrol contacts, whose turn it is at once; how many of them are new to the campaign."""
    return tx.run(
        """
        INSERT INTO campaign_contacts (tenant_id, mode, campaign_id, contact_id, enrolled_at, next_email_at)
        SELECT %(tenant_id)s, %(mode)s, %(campaign_id)s, c.id, %(now)s, %(now)s
        FROM contacts c WHERE c.id = ANY(%(contact_ids)s::uuid[])
        ON CONFLICT DO NOTHING
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "campaign_id": campaign_id,
            "contact_ids": list(contact_ids),
            "now": now,
        },
    )


def leave_after(tx: Tx, email_id: UUID, reason: str) -> None:
    """Let the recipient leave whose mail will not be sent; nothing when it is of no campaign."""
    tx.run(
        """
        UPDATE campaign_contacts r
        SET status = 'exited', reason = %(reason)s, finished_at = clock_timestamp()
        FROM emails e
        WHERE e.id = %(email_id)s AND e.step_id IS NOT NULL AND r.tenant_id = e.tenant_id AND r.mode = e.mode
          AND r.campaign_id = e.campaign_id AND r.contact_id = e.contact_id
          AND r.current_step_id = e.step_id AND r.status = 'active' AND r.next_email_at IS NULL
        """,
        {"email_id": email_id, "reason": reason},
    )
