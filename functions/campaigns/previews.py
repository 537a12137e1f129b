"""Looking at a campaign's mail, and sending it to oneself, before anybody else gets it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from campaigns import service, step_rows
from campaigns.repository import CampaignRow
from penguinmails.db import Tx
from penguinmails.domain import campaign_texts
from penguinmails.domain.campaign_versions import Version, version_of
from penguinmails.domain.contacts import find_contact
from penguinmails.domain.email_queue import Draft, NewRow, queue_many
from penguinmails.domain.provider_accounts import default_sender
from penguinmails.domain.rendering import MissingVariable, TemplateFault
from penguinmails.errors import Conflict, FieldError, ValidationFailed

TAG = "campaign-test"


def preview(
    tx: Tx, campaign_id: UUID, *, step: int | None, version: str, contact_id: UUID | None, values: dict[str, Any]
) -> tuple[CampaignRow, Version]:
    """The campaign, and a mail of it with a contact's fields.

    Raises CampaignNotFound, ValidationFailed for an unknown step, contact or a field that is missing, and Conflict when there
    is no mail.
    """
    campaign = service.existing(tx, campaign_id)
    mail = _email_step(tx, campaign_id, step)
    if version == "b" and mail.variant is None:
        raise ValidationFailed.of("version", "is b, but the step has one version only")
    known = {**_fields_of(tx, contact_id), **values}
    attributes = known.setdefault(campaign_texts.ATTRIBUTES, {})
    if not isinstance(attributes, dict):
        raise ValidationFailed.of("values.attributes", "must be an object of custom fields")
    try:
        return campaign, version_of(mail, version).filled(known)
    except MissingVariable as missing:
        message = f"the text needs {missing.name}, and nothing says what it is; send it in values, or name a contact that has it"
        raise ValidationFailed(
            f"values: {message}.", errors=[FieldError(f"values.{missing.name}", message, "missing")]
        ) from None
    except TemplateFault as fault:
        raise ValidationFailed.of("values", fault.message, "template") from None


def _email_step(tx: Tx, campaign_id: UUID, order: int | None) -> step_rows.StepRow:
    mails = [step for step in step_rows.steps_of(tx, campaign_id) if step.step_type == "email"]
    if order is not None:
        mails = [step for step in mails if step.step_order == order]
        if not mails:
            raise ValidationFailed.of("step", "is the order of no step of type email of this campaign", "not_found")
    if not mails:
        raise Conflict("The campaign has no email to look at. Add a step of type email first.")
    return mails[0]


def _fields_of(tx: Tx, contact_id: UUID | None) -> dict[str, Any]:
    if contact_id is None:
        return {}
    contact = find_contact(tx, contact_id)
    if contact is None:
        raise ValidationFailed.of("contact_id", "names no contact of yours in this mode", "not_found")
    return campaign_texts.values_of(contact, contact.attributes)


def send_test(
    tx: Tx, campaign: CampaignRow, mail: Version, addresses: Sequence[str], *, api_key_id: UUID | None
) -> list[NewRow]:
    """Queue a mail to each address as a single email: it is in nobody's ledger and in none of the campaign's figures."""
    named = campaign.from_email and (
        f"{campaign.from_name} <{campaign.from_email}>" if campaign.from_name else campaign.from_email
    )
    sender = named or default_sender(tx, campaign.provider)
    draft = Draft(
        sender=sender,
        subject=f"[Test] {mail.subject}"[: campaign_texts.MAX_SUBJECT],
        html=mail.html,
        text=mail.text,
        email_type="transactional",
        reply_to=campaign.reply_to_email,
        tags=[TAG],
        headers={},
        metadata={"campaign_id": str(campaign.id)},
        track_opens=False,
        track_clicks=False,
        provider=campaign.provider,
        files=(),
        scheduled_at=None,
    )
    return queue_many(tx, draft, list(dict.fromkeys(addresses)), api_key_id=api_key_id).rows
