"""HTTP of privacy requests."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from privacy_requests import repository, service
from privacy_requests.repository import PrivacyRequestRow
from privacy_requests.schemas import CopyLink, NewPrivacyRequest, PrivacyRequest

router = APIRouter(prefix="/api/v1/privacy-requests", tags=["Contacts"])

Manager = Annotated[Caller, access(Scope.MANAGE_CONTACTS)]


def _view(row: PrivacyRequestRow) -> PrivacyRequest:
    values = columns_of(row)
    values.pop("file_key")
    return PrivacyRequest(error=values.pop("error_message"), **values)


@router.post(
    "",
    operation_id="createPrivacyRequest",
    summary="Copy or erase all about a person",
    status_code=202,
    response_model=PrivacyRequest,
    responses=problems(409),
)
async def create_privacy_request(body: NewPrivacyRequest, caller: Manager) -> Response:
    """Have all that is held about an address copied into a file, or erased, in the background.

    An erasure cannot be taken back. It removes the contact and what came in from the address, and blanks the emails to it
    with their texts and histories, the events about them, and what webhooks answered; emails that wait to be sent are
    cancelled. An address that opted out stays on the suppression list, since nobody could keep it from being written to
    again otherwise.
    """
    with caller.work() as work:
        row = service.create(
            work.tx, request_type=body.type, email=body.email, reference=body.reference, created_by=caller.principal.id
        )
        caller.audit(
            work.tx, "privacy_request_made", resource_type="privacy_request", resource_id=str(row.id),
            severity="warning" if body.type == "erasure" else "info", details={"type": body.type},
        )  # fmt: skip
        return work.answer(202, _view(row))


@router.get("", operation_id="listPrivacyRequests", summary="List privacy requests", responses=problems())
async def list_privacy_requests(
    caller: Manager,
    page: Annotated[PageRequest, paged("created_at")],
    email: Annotated[str | None, Query(max_length=255, description="Only those about this address.")] = None,
) -> Page[PrivacyRequest]:
    """The account's record of what was asked and when it was done."""
    with caller.transaction() as tx:
        rows, total = repository.list_requests(
            tx, page.keyset(repository.KINDS), email=email.lower() if email else None
        )
    return page_of(page, rows, _view, total)


@router.get(
    "/{privacy_request_id}",
    operation_id="getPrivacyRequest",
    summary="Follow a privacy request",
    responses=problems(404),
)
async def get_privacy_request(privacy_request_id: UUID, caller: Manager) -> PrivacyRequest:
    """One request and what became of it."""
    with caller.transaction() as tx:
        return _view(service.existing(tx, privacy_request_id))


@router.get(
    "/{privacy_request_id}/copy",
    operation_id="getPrivacyRequestCopy",
    summary="Get the copy",
    responses=problems(404, 409),
)
async def get_copy(privacy_request_id: UUID, caller: Manager) -> CopyLink:
    """A link to the copy, a JSON document, good for five minutes."""
    with caller.transaction() as tx:
        url, expires_at = service.copy_link(tx, privacy_request_id)
        caller.audit(
            tx, "privacy_copy_downloaded", resource_type="privacy_request", resource_id=str(privacy_request_id)
        )
    return CopyLink(url=url, expires_at=expires_at)
