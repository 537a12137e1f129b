"""HTTP of previews and test sends."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from campaigns import previews
from campaigns.access import require_sending
from campaigns.preview_schemas import CampaignPreview, CampaignPreviewRequest, SentTest, SentTests, TestSend
from penguinmails.auth.principal import KeyPrincipal
from penguinmails.auth.scopes import Scope
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.problems import problems

router = APIRouter(prefix="/api/v1/campaigns/{campaign_id}")

Manager = Annotated[Caller, access(Scope.MANAGE_CAMPAIGNS)]


@router.post(
    "/preview",
    operation_id="previewCampaign",
    summary="See a campaign's mail",
    response_model=CampaignPreview,
    responses=problems(404, 409),
)
async def preview_campaign(campaign_id: UUID, body: CampaignPreviewRequest, caller: Manager) -> Response:
    """A mail of the campaign with a contact's fields, or with values of yours. Nothing is sent or stored."""
    with caller.work() as work:
        _, mail = previews.preview(work.tx, campaign_id, **body.model_dump())
        view = CampaignPreview(subject=mail.subject, html_body=mail.html, text_body=mail.text or "")
        return work.answer(200, view)


@router.post(
    "/test",
    operation_id="testCampaign",
    summary="Send a campaign's mail to yourself",
    response_model=SentTests,
    responses=problems(404, 409),
)
async def send_test(campaign_id: UUID, body: TestSend, caller: Manager) -> Response:
    """Send a mail of the campaign, marked as a test, to up to five addresses. It counts for the plan, not for the campaign."""
    require_sending(caller)
    key_id = caller.principal.key_id if isinstance(caller.principal, KeyPrincipal) else None
    with caller.work() as work:
        campaign, mail = previews.preview(work.tx, campaign_id, **body.model_dump(exclude={"to"}))
        rows = previews.send_test(work.tx, campaign, mail, body.to, api_key_id=key_id)
        caller.audit(work.tx, "campaign_tested", resource_type="campaign", resource_id=str(campaign_id))
        items = [SentTest(id=row.id, to=row.to_email, status=row.status) for row in rows]
        return work.answer(200, SentTests(items=items))
