"""What follows when a provider takes no mail of an account any more: the campaign rests, and the account's admins are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.campaign_pausing import pause_campaign
from penguinmails.domain.campaign_states import Status
from penguinmails.domain.platform_mail import owners_and_admins, queue_mail
from penguinmails.ids import new_uuid7


@dataclass(frozen=True, slots=True)
class SenderRow:
    """A campaign that sends by a provider."""

    id: UUID
    name: str
    status: Status
    workspace_id: UUID | None
    provider: str


def follow(tx: Tx, reasons: Mapping[UUID, str]) -> None:
    """Pause those campaigns that still send, note the reason with the provider's account, and write to owner and admins.

    `reasons` has what the provider said, by campaign.
    """
    campaigns = tx.all(
        """
        SELECT id, name, status, workspace_id, provider FROM campaigns
        WHERE id = ANY(%(ids)s::uuid[]) AND status = 'active' AND provider IS NOT NULL ORDER BY id FOR UPDATE
        """,
        {"ids": sorted(reasons)},
        SenderRow,
    )
    for campaign in campaigns:
        reason = reasons[campaign.id]
        pause_campaign(tx, campaign, reason="provider_refused", detail=reason)
        tx.run(
            "UPDATE provider_accounts SET status = 'error', status_detail = %(reason)s WHERE provider = %(provider)s",
            {"reason": reason, "provider": campaign.provider},
        )
        for user_id in owners_and_admins(tx):
            queue_mail(
                tx,
                user_id=user_id,
                mail_type="provider_refused",
                dedupe_key=f"provider_refused:{new_uuid7()}",
                variables={"campaign": campaign.name, "provider": campaign.provider.title(), "reason": reason},
            )
