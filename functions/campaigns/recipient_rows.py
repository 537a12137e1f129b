"""SQL of the ledger: who is enrolled in a campaign, and where they stand."""

from uuid import UUID

from penguinmails.db import Tx


def any_enrolled(tx: Tx, campaign_id: UUID) -> bool:
    """Whether somebody is enrolled already."""
    return tx.one("SELECT EXISTS (SELECT 1 FROM campaign_contacts WHERE campaign_id = %(id)s)", {"id": campaign_id})
