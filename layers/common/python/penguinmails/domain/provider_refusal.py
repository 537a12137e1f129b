"""What follows when a provider, or the account's own mail server, takes none of its mail any more.

The campaign rests, and the account's admins are told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.campaign_pausing import pause_campaign
from penguinmails.domain.campaign_states import Status
from penguinmails.domain.mail_servers import StoredServer, note_refusal
from penguinmails.domain.platform_mail import tell_owners_and_admins
from penguinmails.domain.provider_accounts import OWN_SERVER


@dataclass(frozen=True, slots=True)
class SenderRow:
    """A campaign and what it sends by: the mail server when None or `smtp`."""

    id: UUID
    name: str
    status: Status
    workspace_id: UUID | None
    provider: str | None


def follow(tx: Tx, reasons: Mapping[UUID, str], server: StoredServer | None) -> None:
    """Pause those campaigns that still send, note the reason with what they send by, and write to owner and admins.

    `reasons` has what was said, by campaign; `server` is the account's own.
    """
    campaigns = tx.all(
        """
        SELECT id, name, status, workspace_id, provider FROM campaigns
        WHERE id = ANY(%(ids)s::uuid[]) AND status = 'active' ORDER BY id FOR UPDATE
        """,
        {"ids": sorted(reasons)},
        SenderRow,
    )
    for campaign in campaigns:
        reason = reasons[campaign.id]
        pause_campaign(tx, campaign, reason="provider_refused", detail=reason)
        if campaign.provider not in OWN_SERVER:
            _note_account(tx, campaign, str(campaign.provider), reason)
        elif server is not None:
            note_refusal(tx, server, reason)


def _note_account(tx: Tx, campaign: SenderRow, provider: str, reason: str) -> None:
    tx.run(
        "UPDATE provider_accounts SET status = 'error', status_detail = %(reason)s WHERE provider = %(provider)s",
        {"reason": reason, "provider": provider},
    )
    about = {"campaign": campaign.name, "provider": provider.title(), "reason": reason}
    tell_owners_and_admins(tx, "provider_refused", about)
