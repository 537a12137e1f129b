"""HTTP of the suppression list."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.domain.suppression import SuppressionScope
from penguinmails.http.access import access, session
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from suppression import repository, service
from suppression.repository import SuppressionRow
from suppression.schemas import (
    AddedSuppressions,
    BulkSuppression,
    CampaignType,
    ConsentNote,
    Email,
    LiftedSuppression,
    NewSuppression,
    Reason,
    Suppression,
    SuppressionCheck,
)

router = APIRouter(prefix="/api/v1/suppression-list", tags=["Suppression"])

Manager = Annotated[Caller, access(Scope.MANAGE_CONTACTS)]


def _view(row: SuppressionRow) -> Suppression:
    return Suppression(**columns_of(row))


def _scope(body: NewSuppression | BulkSuppression) -> SuppressionScope:
    return SuppressionScope(body.workspace_id, body.campaign_type)


@router.get("", operation_id="listSuppressions", summary="List suppressed addresses", responses=problems())
async def list_suppressions(
    caller: Manager,
    page: Annotated[PageRequest, paged("added_at")],
    email: Annotated[Email | None, Query(description="Only entries of this address.")] = None,
    reason: Annotated[Reason | None, Query(description="Only entries for this reason.")] = None,
) -> Page[Suppression]:
    """The addresses that this account must not write to. The platform's own list is not shown; `/check` knows it."""
    with caller.transaction() as tx:
        rows, total = repository.list_entries(tx, page.keyset(repository.KINDS), email=email, reason=reason)
    return page_of(page, rows, _view, total)


@router.get("/check", operation_id="checkSuppression", summary="Ask about an address", responses=problems())
async def check_suppression(
    caller: Manager,
    email: Annotated[Email, Query(description="The address to ask about.")],
    workspace_id: Annotated[UUID | None, Query(description="For a campaign of this workspace.")] = None,
    campaign_type: Annotated[CampaignType | None, Query(description="For a campaign of this type.")] = None,
) -> SuppressionCheck:
    """Whether the address may be written to, by every rule that sending itself goes by.

    Name a workspace and a type to ask as a campaign of these would; else as a single email would.
    """
    with caller.transaction() as tx:
        suppressed, entry = service.check(tx, email, SuppressionScope(workspace_id, campaign_type))
    return SuppressionCheck(email=email, suppressed=suppressed, entry=None if entry is None else _view(entry))


@router.post(
    "",
    operation_id="createSuppression",
    summary="Suppress an address",
    status_code=201,
    response_model=Suppression,
    responses={200: {"model": Suppression, "description": "It was suppressed already."}, **problems(409)},
)
async def create_suppression(body: NewSuppression, caller: Manager) -> Response:
    """Keep an address from being written to, at once and for good. An entry that is there stays as it is."""
    with caller.work() as work:
        entry, added = service.add_entry(
            work.tx, body.email, _scope(body), reason=body.reason, source=body.source, added_by=caller.principal.id
        )
        return work.answer(201 if added else 200, _view(entry))


@router.post(
    "/bulk",
    operation_id="createSuppressions",
    summary="Suppress many addresses",
    response_model=AddedSuppressions,
    responses=problems(409),
)
async def create_suppressions(body: BulkSuppression, caller: Manager) -> Response:
    """Keep up to 1,000 addresses from being written to. Entries that are there stay as they are."""
    with caller.work() as work:
        wanted = set(body.emails)
        added = service.add_entries(
            work.tx, sorted(wanted), _scope(body), reason=body.reason, source=body.source, added_by=caller.principal.id
        )
        return work.answer(200, AddedSuppressions(added=len(added), already_suppressed=len(wanted) - len(added)))


@router.delete(
    "/{suppression_id}",
    operation_id="deleteSuppression",
    summary="Lift a suppression",
    responses=problems(404),
)
async def delete_suppression(
    suppression_id: UUID,
    caller: Annotated[Caller, session("owner", "admin")],
    consent_note: Annotated[
        ConsentNote,
        Query(description="How and when the recipient agreed to be written to again; kept until the person is erased."),
    ],
) -> LiftedSuppression:
    """Let an address be written to again, with the recipient's consent written down. A contact's own status stays."""
    with caller.transaction() as tx:
        entry, still_suppressed = service.lift(
            tx, suppression_id, consent_note=consent_note, lifted_by=caller.principal.id
        )
        caller.audit(
            tx,
            "suppression_lifted",
            resource_type="suppression",
            resource_id=str(suppression_id),
            severity="warning",
            details={"reason": entry.reason},
        )
    return LiftedSuppression(id=suppression_id, still_suppressed=still_suppressed)
