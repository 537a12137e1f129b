"""The rules of recipients: enrolling contacts by hand, and explaining where each stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from uuid import UUID

from campaigns import recipient_rows
from campaigns.explanations import Explanation, Obstacle, explain
from campaigns.recipient_rows import MailRow, RecipientRow
from campaigns.repository import CampaignRow
from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain import send_quota, sending_windows
from penguinmails.domain.campaign_states import EDITABLE, refusal
from penguinmails.domain.contact_links import contacts_among
from penguinmails.domain.enrolment import enrol
from penguinmails.domain.provider_accounts import OWN_SERVER, stored_account
from penguinmails.errors import FieldError, NotFound, ValidationFailed
from penguinmails.settings import get_settings


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What became of contacts that were to be enrolled."""

    enrolled: int
    already_enrolled: int


def enrol_contacts(tx: Tx, present: CampaignRow, contact_ids: Sequence[UUID]) -> Enrolled:
    """Enrol contacts in a campaign that is held, all or none. Raises InvalidStateTransition, ValidationFailed."""
    if present.status not in EDITABLE:
        raise refusal(present.status, "nobody can be enrolled any more; clone it instead")
    known = contacts_among(tx, contact_ids)
    faults = [
        FieldError(f"contact_ids.{place}", f"there is no contact {contact_id}", "not_found")
        for place, contact_id in enumerate(contact_ids)
        if contact_id not in known
    ]
    if faults:
        raise ValidationFailed(
            f"{len(faults)} of the ids are of no contact of yours; leave them out. Nobody was enrolled.", errors=faults
        )
    added = enrol(tx, present.id, contact_ids, clock.now())
    recipient_rows.note_enrolled(tx, present.id, added)
    return Enrolled(added, len(set(contact_ids)) - added)


def explained(tx: Tx, campaign: CampaignRow, contact_id: UUID) -> tuple[RecipientRow, list[MailRow], Explanation]:
    """A recipient, the mails that they got, and why they stand where they do. Raises NotFound."""
    row = recipient_rows.find_recipient(tx, campaign.id, contact_id)
    if row is None:
        raise NotFound.of("recipient", contact_id)
    mails = recipient_rows.mails_of(tx, campaign.id, contact_id)
    now = clock.now()
    opening = sending_windows.next_opening(campaign.settings["sending_window"], campaign.timezone, now)
    return row, mails, explain(row, mails, now=now, opening=opening, obstacle=_obstacle(tx, campaign, now))


def _obstacle(tx: Tx, campaign: CampaignRow, now: datetime) -> Obstacle | None:
    """What keeps the whole campaign from sending at this moment, in the order in which the planner looks."""
    from penguinmails.domain import campaign_line, mailbox_days

    account = stored_account(tx, campaign.provider) if campaign.provider not in OWN_SERVER else None
    sender = campaign.from_email or (account and account.settings["default_sender"]) or get_settings().mail_from
    day = sending_windows.local_day(campaign.timezone, now)
    if mailbox_days.planned(tx, mailbox=parseaddr(sender)[1].lower(), day=day) >= campaign.settings["daily_limit"]:
        return Obstacle("daily_limit")
    if tx.mode == "test":
        return None
    limit = send_quota.monthly_limit(tx)
    if limit is not None and send_quota.sent_this_month(tx) >= limit:
        return Obstacle("month")
    goes_on = campaign_line.goes_on_at(tx)
    return Obstacle("pace", goes_on) if goes_on is not None and goes_on > now else None
