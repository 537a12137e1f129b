"""HTTP of campaigns."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import StringConstraints
from starlette.responses import Response

from campaigns import lifecycle, repository, service
from campaigns.access import require_sending
from campaigns.preview_routes import router as preview_router
from campaigns.recipient_routes import router as recipient_router
from campaigns.schemas import (
    Campaign,
    CampaignChange,
    CampaignDetails,
    Clone,
    ConsoleAction,
    DeletedCampaign,
    NewCampaign,
)
from campaigns.service import Details
from campaigns.views import campaign_view, details_view
from penguinmails.auth.principal import UserPrincipal
from penguinmails.auth.scopes import Scope
from penguinmails.domain import campaign_pausing
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.idempotency import Work
from penguinmails.http.models import Page, Storable
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.http.versions import ETAG_HEADER, IfMatch, etag_of, require_version

router = APIRouter(tags=["Campaigns"])
CAMPAIGNS = "/api/v1/campaigns"
CAMPAIGN = CAMPAIGNS + "/{campaign_id}"

Manager = Annotated[Caller, access(Scope.MANAGE_CAMPAIGNS)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable]
StatusFilter = Literal["draft", "scheduled", "active", "paused", "completed", "sent"]


def _with_etag(response: Response, details: Details) -> CampaignDetails:
    view = details_view(details)
    response.headers["ETag"] = etag_of(view)
    return view


@router.post(
    CAMPAIGNS,
    operation_id="createCampaign",
    summary="Draft a campaign",
    status_code=201,
    response_model=CampaignDetails,
    responses=problems(409),
)
async def create_campaign(body: NewCampaign, caller: Manager) -> Response:
    """Keep a draft: audience, sender, schedule and steps. Nothing is sent before it is started."""
    with caller.work() as work:
        made = service.create_campaign(work.tx, body.model_dump(), caller.principal.id)
        return work.answer(201, details_view(made))


@router.get(CAMPAIGNS, operation_id="listCampaigns", summary="List campaigns", responses=problems())
async def list_campaigns(
    caller: Manager,
    page: Annotated[PageRequest, paged("created_at", "updated_at", "name")],
    status: Annotated[StatusFilter | None, Query(description="`sent` is another word for completed.")] = None,
    workspace: Annotated[Text | None, Query(description="Only campaigns of the workspace with this slug.")] = None,
    search: Annotated[Text | None, Query(description="How the name begins, in any case.")] = None,
) -> Page[Campaign]:
    """The account's campaigns in this mode, newest first unless sorted otherwise; filters combine with AND."""
    with caller.transaction() as tx:
        rows, total = repository.list_campaigns(
            tx,
            page.keyset(repository.KINDS),
            status="completed" if status == "sent" else status,
            workspace=workspace,
            search=search,
        )
    return page_of(page, rows, campaign_view, total)


@router.get(
    CAMPAIGN, operation_id="getCampaign", summary="Show a campaign", responses={200: ETAG_HEADER, **problems(404)}
)
async def get_campaign(campaign_id: UUID, caller: Manager, response: Response) -> CampaignDetails:
    """One campaign with its steps and what became of its mails. Its ETag changes when it is edited, not as mails go out."""
    with caller.transaction() as tx:
        return _with_etag(response, service.details(tx, service.existing(tx, campaign_id)))


@router.put(
    CAMPAIGN,
    operation_id="updateCampaign",
    summary="Change a campaign",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
@router.patch(
    CAMPAIGN,
    operation_id="patchCampaign",
    summary="Change a campaign (alias of PUT)",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
async def update_campaign(
    campaign_id: UUID, body: CampaignChange, caller: Manager, response: Response, if_match: IfMatch = None
) -> CampaignDetails:
    """Change the fields that are sent; absent fields stay. Of a launched campaign the audience stays too, and its steps."""
    sent = body.model_dump(exclude_unset=True)
    # What cannot be null is left as it is when null is sent for it.
    required = {"name", "workspace", "campaign_type", "timezone", "send_strategy", "settings", "steps"}
    changes = {name: value for name, value in sent.items() if value is not None or name not in required}
    for whole in required.intersection(changes, {"settings", "steps"}):
        changes[whole] = body.model_dump()[whole]
    with caller.transaction() as tx:
        present = service.hold(tx, campaign_id)
        require_version(if_match, details_view(service.details(tx, present)))
        return _with_etag(response, service.change_campaign(tx, present, changes))


@router.delete(CAMPAIGN, operation_id="deleteCampaign", summary="Delete a campaign", responses=problems(404, 409, 412))
async def delete_campaign(campaign_id: UUID, caller: Manager, if_match: IfMatch = None) -> DeletedCampaign:
    """Forget a campaign that is not active, with its ledger; the mails that it sent stay listed among the emails."""
    with caller.transaction() as tx:
        present = service.hold(tx, campaign_id)
        require_version(if_match, details_view(service.details(tx, present)))
        service.delete_campaign(tx, present)
        caller.audit(tx, "campaign_deleted", resource_type="campaign", resource_id=str(campaign_id))
    return DeletedCampaign(id=campaign_id)


@router.post(
    CAMPAIGN + "/start",
    operation_id="startCampaign",
    summary="Start or resume a campaign",
    response_model=CampaignDetails,
    responses=problems(404, 409),
)
async def start_campaign(campaign_id: UUID, caller: Manager) -> Response:
    """Launch a draft, or schedule it when its start date is ahead, or go on with a paused campaign."""
    with caller.work() as work:
        return work.answer(200, _started(work, caller, campaign_id))


@router.post(
    CAMPAIGN + "/pause",
    operation_id="pauseCampaign",
    summary="Pause a campaign",
    response_model=CampaignDetails,
    responses=problems(404, 409),
)
async def pause_campaign(campaign_id: UUID, caller: Manager) -> Response:
    """Stop an active campaign until it is started again; a scheduled one becomes a draft. Mails on their way still arrive."""
    with caller.work() as work:
        return work.answer(200, _paused(work, caller, campaign_id))


@router.post(
    CAMPAIGN + "/clone",
    operation_id="cloneCampaign",
    summary="Copy a campaign",
    status_code=201,
    response_model=CampaignDetails,
    responses=problems(404, 409),
)
async def clone_campaign(campaign_id: UUID, body: Clone, caller: Manager) -> Response:
    """Draft a campaign with the audience, sender, settings and steps of another, whatever its state; without its dates."""
    with caller.work() as work:
        present = service.existing(work.tx, campaign_id)
        return work.answer(201, details_view(service.clone_campaign(work.tx, present, body.name, caller.principal.id)))


@router.post(
    "/api/v1/tenant/campaigns/{campaign_id}/send",
    operation_id="sendCampaign",
    summary="Start, resume or pause a campaign (the console's path)",
    response_model=CampaignDetails,
    responses=problems(404, 409),
)
async def send_campaign(campaign_id: UUID, body: ConsoleAction, caller: Manager) -> Response:
    """The same as `/campaigns/{campaign_id}/start` and `/pause`, told apart by `action`."""
    with caller.work() as work:
        does: Any = _paused if body.action == "pause" else _started
        return work.answer(200, does(work, caller, campaign_id))


def _started(work: Work, caller: Caller, campaign_id: UUID) -> CampaignDetails:
    require_sending(caller)
    lifecycle.start(work.tx, service.hold(work.tx, campaign_id))
    caller.audit(work.tx, "campaign_started", resource_type="campaign", resource_id=str(campaign_id))
    return details_view(service.details(work.tx, service.existing(work.tx, campaign_id)))


def _paused(work: Work, caller: Caller, campaign_id: UUID) -> CampaignDetails:
    paused_by = caller.principal.user_id if isinstance(caller.principal, UserPrincipal) else None
    campaign_pausing.pause_campaign(work.tx, service.hold(work.tx, campaign_id), reason="user", paused_by=paused_by)
    caller.audit(work.tx, "campaign_paused", resource_type="campaign", resource_id=str(campaign_id))
    return details_view(service.details(work.tx, service.existing(work.tx, campaign_id)))


router.include_router(preview_router)
router.include_router(recipient_router)
