"""HTTP of tags."""

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
from penguinmails.http.versions import ETAG_HEADER, IfMatch, etag_of, require_version
from tags import repository, service
from tags.repository import TagRow
from tags.schemas import DeletedTag, NewTag, Tag, TagChange, TagName

router = APIRouter(prefix="/api/v1/tags", tags=["Lists and segments"])

Manager = Annotated[Caller, access(Scope.MANAGE_CONTACTS)]


def _view(row: TagRow) -> Tag:
    return Tag(**columns_of(row))


@router.post(
    "", operation_id="createTag", summary="Add a tag", status_code=201, response_model=Tag, responses=problems(409)
)
async def create_tag(body: NewTag, caller: Manager) -> Response:
    """Add a tag that contacts can carry. Tags named in a contact are made by themselves; this is for those yet unused."""
    with caller.work() as work:
        return work.answer(201, _view(service.create_tag(work.tx, body.name)))


@router.get("", operation_id="listTags", summary="List tags", responses=problems())
async def list_tags(
    caller: Manager,
    page: Annotated[PageRequest, paged("created_at", "name")],
    name: Annotated[TagName | None, Query(description="Only the tag of this name.")] = None,
) -> Page[Tag]:
    """The account's tags."""
    with caller.transaction() as tx:
        rows, total = repository.list_tags(tx, page.keyset(repository.KINDS), name=name)
    return page_of(page, rows, _view, total)


@router.get("/{tag_id}", operation_id="getTag", summary="Show a tag", responses={200: ETAG_HEADER, **problems(404)})
async def get_tag(tag_id: UUID, caller: Manager, response: Response) -> Tag:
    """One tag."""
    with caller.transaction() as tx:
        view = _view(service.existing(tx, tag_id))
    response.headers["ETag"] = etag_of(view)
    return view


@router.put(
    "/{tag_id}",
    operation_id="updateTag",
    summary="Rename a tag",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
@router.patch(
    "/{tag_id}",
    operation_id="patchTag",
    summary="Rename a tag (alias of PUT)",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
async def update_tag(
    tag_id: UUID, body: TagChange, caller: Manager, response: Response, if_match: IfMatch = None
) -> Tag:
    """Give the tag another name, on every contact that carries it. Segments go by the name: change theirs too."""
    with caller.transaction() as tx:
        present = service.hold_tag(tx, tag_id)
        require_version(if_match, _view(present))
        view = _view(service.rename_tag(tx, present, body.name))
    response.headers["ETag"] = etag_of(view)
    return view


@router.delete("/{tag_id}", operation_id="deleteTag", summary="Delete a tag", responses=problems(404, 412))
async def delete_tag(tag_id: UUID, caller: Manager, if_match: IfMatch = None) -> DeletedTag:
    """Remove the tag from the account and from every contact that carries it."""
    with caller.transaction() as tx:
        present = service.hold_tag(tx, tag_id)
        require_version(if_match, _view(present))
        repository.delete_tag(tx, tag_id)
        caller.audit(tx, "tag_deleted", resource_type="tag", resource_id=str(tag_id))
    return DeletedTag(id=tag_id)
