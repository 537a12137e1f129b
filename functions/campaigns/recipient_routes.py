"""HTTP of recipients."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from campaigns import recipient_rows, recipients, service
from campaigns.explanations import shown_status
from campaigns.recipient_rows import RecipientRow
from campaigns.recipient_schemas import (
    ContactsToEnrol,
    EnrolledContacts,
    Enrolment,
    Recipient,
    RecipientDetails,
    RecipientMail,
)
from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems

router = APIRouter(prefix="/api/v1/campaigns/{campaign_id}/recipients", tags=["Campaigns"])

Manager = Annotated[Caller, access(Scope.MANAGE_CAMPAIGNS)]


def _values(row: RecipientRow) -> dict[str, Any]:
    values = columns_of(row)
    return {**values, "contact_id": values.pop("id"), "status": shown_status(row)}


@router.get("", operation_id="listRecipients", summary="List recipients", responses=problems(404))
async def list_recipients(
    campaign_id: UUID,
    caller: Manager,
    page: Annotated[PageRequest, paged("enrolled_at")],
    status: Annotated[Enrolment | None, Query(description="Only recipients in this state.")] = None,
) -> Page[Recipient]:
    """Who is enrolled and where they stand. Enrolled and active recipients of a paused campaign are shown as paused."""
    with caller.transaction() as tx:
        service.existing(tx, campaign_id)
        rows, total = recipient_rows.list_recipients(tx, page.keyset(recipient_rows.KINDS), campaign_id, status)
    return page_of(page, rows, lambda row: Recipient.model_validate(_values(row)), total)


@router.get("/{contact_id}", operation_id="getRecipient", summary="Explain a recipient", responses=problems(404))
async def get_recipient(campaign_id: UUID, contact_id: UUID, caller: Manager) -> RecipientDetails:
    """Where a recipient stands and why: what was sent to them, what was not, and what they wait for."""
    with caller.transaction() as tx:
        row, mails, said = recipients.explained(tx, service.existing(tx, campaign_id), contact_id)
    shown = [RecipientMail.model_validate({**columns_of(mail), "email_id": mail.id}) for mail in mails]
    values = {**_values(row), "explanation": said.sentence, "mails": shown}
    if said.paced_until is not None:
        values |= {"reason": "pace", "next_email_at": said.paced_until}
    return RecipientDetails.model_validate(values)


@router.post(
    "",
    operation_id="enrolRecipients",
    summary="Enrol contacts",
    response_model=EnrolledContacts,
    responses=problems(404, 409),
)
async def enrol_recipients(campaign_id: UUID, body: ContactsToEnrol, caller: Manager) -> Response:
    """Enrol contacts, all or none, besides the campaign's audience. In an active campaign they begin within a minute."""
    with caller.work() as work:
        present = service.hold(work.tx, campaign_id)
        enrolled = recipients.enrol_contacts(work.tx, present, body.contact_ids)
        return work.answer(200, EnrolledContacts(**columns_of(enrolled)))
