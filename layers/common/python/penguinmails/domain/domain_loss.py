"""What follows when a verified domain is none any more: its campaigns rest, and the account's admins are told."""

from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.campaign_pausing import pause_campaign
from penguinmails.domain.campaign_states import Status
from penguinmails.domain.platform_mail import tell_owners_and_admins
from penguinmails.domain.sender_domains import domain_of
from penguinmails.domain.sending_domains import DomainRow


@dataclass(frozen=True, slots=True)
class SenderRow:
    """A campaign that sends, or is about to, from an address of its own."""

    id: UUID
    name: str
    status: Status
    workspace_id: UUID | None
    from_email: str


def follow(tx: Tx, domain: DomainRow) -> None:
    """Stop what sends from a domain and write to owner and admins.

    Mails that are on their way already are tried again for some hours, so a domain that is soon repaired costs none.
    """
    stopped = stop_campaigns(tx, domain.domain)
    reason = domain.dns_verification_error or ""
    about = {"domain": domain.domain, "reason": reason, "campaigns": str(stopped)}
    tell_owners_and_admins(tx, "domain_lost", about)


def stop_campaigns(tx: Tx, domain: str) -> int:
    """Pause the campaigns that send from a domain, and make scheduled ones drafts; how many that were."""
    senders = tx.all(
        """
        SELECT id, name, status, workspace_id, from_email FROM campaigns
        WHERE status IN ('active', 'scheduled') AND from_email IS NOT NULL AND coalesce(provider, 'smtp') = 'smtp'
        ORDER BY id FOR UPDATE
        """,
        {},
        SenderRow,
    )
    found = [campaign for campaign in senders if domain_of(campaign.from_email) == domain]
    for campaign in found:
        pause_campaign(tx, campaign, reason="domain_lost")
    return len(found)
