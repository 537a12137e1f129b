"""What follows when a verified domain is none any more: its campaigns rest, and the account's admins are told."""

from check_domains import repository
from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain.campaign_states import transition
from penguinmails.domain.platform_mail import owners_and_admins, queue_mail
from penguinmails.domain.sender_domains import domain_of
from penguinmails.domain.sending_domains import DomainRow
from penguinmails.events.catalogue import CampaignPaused
from penguinmails.events.emit import emit
from penguinmails.ids import new_uuid7


def follow(tx: Tx, domain: DomainRow) -> int:
    """Pause the campaigns that send from a domain, make scheduled ones drafts, and write to owner and admins.

    How many campaigns that were. Mails that are on their way already are tried again for some hours, so a domain that is soon
    repaired costs none.
    """
    now = clock.now()
    found = [c for c in repository.senders_locked(tx) if domain_of(c.from_email) == domain.domain]
    for campaign in found:
        to = transition(campaign.status, "pause", now=now)
        repository.pause(tx, campaign.id, to.status)
        if to.event == "paused":
            paused = CampaignPaused(campaign_id=campaign.id, name=campaign.name, status=to.status, paused_at=now)
            emit(tx, paused, workspace_id=campaign.workspace_id)
    for user_id in owners_and_admins(tx):
        queue_mail(
            tx,
            user_id=user_id,
            mail_type="domain_lost",
            dedupe_key=f"domain_lost:{new_uuid7()}",
            variables={
                "domain": domain.domain,
                "reason": domain.dns_verification_error or "",
                "campaigns": str(len(found)),
            },
        )
    return len(found)
