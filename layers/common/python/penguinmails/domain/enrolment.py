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
