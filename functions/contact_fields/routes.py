"""HTTP of contact fields."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from contact_fields import repository, service
from contact_fields.repository import ContactFieldRow
from contact_fields.schemas import ContactField, ContactFieldChange, DeletedContactField, NewContactField
from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.http.versions import ETAG_HEADER, IfMatch, etag_of, require_version

router = APIRouter(prefix="/api/v1/contact-fields", tags=["Lists and segments"])

Manager = Annotated[Caller, access(Scope.MANAGE_CONTACTS)]


def _view(row: ContactFieldRow) -> ContactField:
    return ContactField(**columns_of(row))


@router.post(
    "",
    operation_id="createContactField",
    summary="Declare a custom field",
    status_code=201,
    response_model=ContactField,
    responses=problems(409),
)
async def create_contact_field(body: NewContactField, caller: Manager) -> Response:
    """Give an attribute of contacts a type. From then on every value that is written is checked.

    Segments and searches can compare it once it is `ready`: at once in an account of fewer than 20,000 contacts. In a larger one
    the values that contacts have already are taken up in the background; follow it by `GET /api/v1/contact-fields/{field_id}`.
    It has `failed` when one of them is not of the type: correct it, delete the field and declare it again.
    """
    with caller.work() as work:
        row = service.declare_field(work.tx, key=body.key, kind=body.type, label=body.label)
        return work.answer(201, _view(row))


@router.get("", operation_id="listContactFields", summary="List custom fields", responses=problems())
async def list_contact_fields(
    caller: Manager, page: Annotated[PageRequest, paged("created_at", "key")]
) -> Page[ContactField]:
    """The attributes that the account has declared."""
    with caller.transaction() as tx:
        rows, total = repository.list_fields(tx, page.keyset(repository.KINDS))
    return page_of(page, rows, _view, total)


@router.get(
    "/{field_id}",
    operation_id="getContactField",
    summary="Show a custom field",
    responses={200: ETAG_HEADER, **problems(404)},
)
async def get_contact_field(field_id: UUID, caller: Manager, response: Response) -> ContactField:
    """One declared attribute."""
    with caller.transaction() as tx:
        view = _view(service.existing(tx, field_id))
    response.headers["ETag"] = etag_of(view)
    return view


@router.put(
    "/{field_id}",
    operation_id="updateContactField",
    summary="Relabel a custom field",
    responses={200: ETAG_HEADER, **problems(404, 412)},
)
@router.patch(
    "/{field_id}",
    operation_id="patchContactField",
    summary="Relabel a custom field (alias of PUT)",
    responses={200: ETAG_HEADER, **problems(404, 412)},
)
async def update_contact_field(
    field_id: UUID, body: ContactFieldChange, caller: Manager, response: Response, if_match: IfMatch = None
) -> ContactField:
    """Change the label. Another key or type is another field: delete this one and declare that."""
    with caller.transaction() as tx:
        present = service.hold_field(tx, field_id)
        require_version(if_match, _view(present))
        repository.set_label(tx, field_id, body.label)
        view = _view(service.existing(tx, field_id))
    response.headers["ETag"] = etag_of(view)
    return view


@router.delete(
    "/{field_id}",
    operation_id="deleteContactField",
    summary="Forget a custom field",
    responses=problems(404, 409, 412),
)
async def delete_contact_field(field_id: UUID, caller: Manager, if_match: IfMatch = None) -> DeletedContactField:
    """Take the declaration back. The values stay in the contacts' attributes; segments that read them stand in the way."""
    with caller.transaction() as tx:
        present = service.hold_field(tx, field_id)
        require_version(if_match, _view(present))
        service.delete_field(tx, present)
        caller.audit(tx, "contact_field_deleted", resource_type="contact_field", resource_id=str(field_id))
    return DeletedContactField(id=field_id)
