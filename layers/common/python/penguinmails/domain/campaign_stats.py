"""What became of a campaign's mails."""

from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class CampaignStats:
    """Numbers of mails, counted as analytics do; opened and clicked count mails, not repetitions."""

    sent: int
    delivered: int
    opened: int
    clicked: int
    replied: int
    bounced: int
    unsubscribed: int
    complained: int
    failed: int


def campaign_stats(tx: Tx, campaign_id: UUID) -> CampaignStats:
    """The counts of a campaign, all steps and versions together."""
    row = tx.one(
        """
        SELECT coalesce(sum(sent), 0)::bigint AS sent, coalesce(sum(delivered), 0)::bigint AS delivered,
               coalesce(sum(opened), 0)::bigint AS opened, coalesce(sum(clicked), 0)::bigint AS clicked,
               coalesce(sum(replied), 0)::bigint AS replied, coalesce(sum(bounced), 0)::bigint AS bounced,
               coalesce(sum(unsubscribed), 0)::bigint AS unsubscribed,
               coalesce(sum(complained), 0)::bigint AS complained, coalesce(sum(failed), 0)::bigint AS failed
        FROM campaign_stats WHERE campaign_id = %(id)s
        """,
        {"id": campaign_id},
        CampaignStats,
    )
    return row or CampaignStats(0, 0, 0, 0, 0, 0, 0, 0, 0)
