"""HTTP of lists."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from lists import repository, service
from lists.repository import ListRow, MemberRow
from lists.schemas import (
    AddedContacts,
    ContactList,
    ContactsToAdd,
    DeletedList,
    ListChange,
    ListedContact,
    ListType,
    Name,
    NewList,
    RemovedContacts,
)
from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.http.versions import ETAG_HEADER, IfMatch, etag_of, require_version

router = APIRouter(prefix="/api/v1/lists", tags=["Lists and segments"])

Manager = Annotated[Caller, access(Scope.MANAGE_CONTACTS)]


def _view(row: ListRow) -> ContactList:
    return ContactList(**columns_of(row))


def _member(row: MemberRow) -> ListedContact:
    return ListedContact(**columns_of(row))


@router.post(
    "",
    operation_id="createList",
    summary="Add a list",
    status_code=201,
    response_model=ContactList,
    responses=problems(409),
)
async def create_list(body: NewList, caller: Manager) -> Response:
    """Add a list: a static one to put contacts on, or a dynamic one that holds whom a segment finds."""
    with caller.work() as work:
        return work.answer(201, _view(service.create_list(work.tx, body.model_dump())))


@router.get("", operation_id="listLists", summary="List lists", responses=problems())
async def list_lists(
    caller: Manager,
    page: Annotated[PageRequest, paged("created_at", "name")],
    name: Annotated[Name | None, Query(description="Only the list of this name.")] = None,
    kind: Annotated[ListType | None, Query(alias="type", description="Only lists of this type.")] = None,
) -> Page[ContactList]:
    """The account's lists."""
    with caller.transaction() as tx:
        rows, total = repository.list_lists(tx, page.keyset(repository.KINDS), name=name, kind=kind)
    return page_of(page, rows, _view, total)


@router.get("/{list_id}", operation_id="getList", summary="Show a list", responses={200: ETAG_HEADER, **problems(404)})
async def get_list(list_id: UUID, caller: Manager, response: Response) -> ContactList:
    """One list."""
    with caller.transaction() as tx:
        view = _view(service.existing(tx, list_id))
    response.headers["ETag"] = etag_of(view)
    return view


@router.put(
    "/{list_id}",
    operation_id="updateList",
    summary="Change a list",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
@router.patch(
    "/{list_id}",
    operation_id="patchList",
    summary="Change a list (alias of PUT)",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
async def update_list(
    list_id: UUID, body: ListChange, caller: Manager, response: Response, if_match: IfMatch = None
) -> ContactList:
    """Change the fields that are sent; absent fields stay."""
    sent = body.model_dump(exclude_unset=True)
    changes = {name: value for name, value in sent.items() if value is not None or name == "description"}
    with caller.transaction() as tx:
        present = service.hold_list(tx, list_id)
        require_version(if_match, _view(present))
        view = _view(service.change_list(tx, present, changes))
    response.headers["ETag"] = etag_of(view)
    return view


@router.delete("/{list_id}", operation_id="deleteList", summary="Delete a list", responses=problems(404, 409, 412))
async def delete_list(list_id: UUID, caller: Manager, if_match: IfMatch = None) -> DeletedList:
    """Remove the list; its contacts stay. A campaign or a segment that uses it stands in the way."""
    with caller.transaction() as tx:
        present = service.hold_list(tx, list_id)
        require_version(if_match, _view(present))
        service.delete_list(tx, present)
        caller.audit(tx, "list_deleted", resource_type="list", resource_id=str(list_id))
    return DeletedList(id=list_id)


@router.get(
    "/{list_id}/contacts",
    operation_id="listListContacts",
    summary="List the contacts of a list",
    responses=problems(404),
)
async def list_list_contacts(
    list_id: UUID, caller: Manager, page: Annotated[PageRequest, paged("created_at")]
) -> Page[ListedContact]:
    """The contacts on the list, newest first. Those of a dynamic list are found anew each time.

    What a segment's rules say of texts that are equal or begin so, tags, lists, workspaces, the lead score, opens and clicks,
    custom fields and when contacts were added is looked up, as are negations of it. By `contains`, `ends_with` and `updated_at`
    alone every contact is looked at. Looking stops after a while: the page then has fewer contacts than were asked for, or none,
    with `has_more` and a `next_cursor` that goes on; a page by `offset` is refused then.
    """
    with caller.transaction() as tx:
        found = service.existing(tx, list_id)
        members = service.members(tx, found, page.keyset(repository.MEMBER_KINDS))
    return page_of(page, members.rows, _member, members.total, members.stopped_at)


@router.post(
    "/{list_id}/contacts",
    operation_id="addListContacts",
    summary="Put contacts on a list",
    response_model=AddedContacts,
    responses=problems(404, 409),
)
async def add_list_contacts(list_id: UUID, body: ContactsToAdd, caller: Manager) -> Response:
    """Put contacts on a static list, all or none of them. Those that are on it stay."""
    with caller.work() as work:
        added = service.add_contacts(work.tx, list_id, body.contact_ids)
        return work.answer(200, AddedContacts(**columns_of(added)))


@router.delete(
    "/{list_id}/contacts",
    operation_id="removeListContacts",
    summary="Take contacts off a list",
    responses=problems(404, 409),
)
async def remove_list_contacts(
    list_id: UUID,
    caller: Manager,
    contact_id: Annotated[
        list[UUID], Query(min_length=1, max_length=100, description="Up to 100 contacts; repeat the parameter.")
    ],
) -> RemovedContacts:
    """Take contacts off a static list. They stay in the account."""
    with caller.transaction() as tx:
        return RemovedContacts(removed=service.remove_contacts(tx, list_id, contact_id))
