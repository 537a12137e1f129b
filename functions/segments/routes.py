"""HTTP of segments."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, make_cursor, open_cursor, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.http.versions import ETAG_HEADER, IfMatch, etag_of, require_version
from penguinmails.keyset import Order
from segments import repository, service
from segments.repository import SegmentRow
from segments.schemas import (
    DeletedSegment,
    NewSegment,
    Preview,
    PreviewRequest,
    SampleContact,
    Segment,
    SegmentChange,
)

router = APIRouter(prefix="/api/v1/segments", tags=["Lists and segments"])

Manager = Annotated[Caller, access(Scope.MANAGE_CONTACTS)]
_NEWEST_FIRST: tuple[str, Order] = ("created_at", "desc")


def _view(row: SegmentRow) -> Segment:
    values = columns_of(row)
    return Segment(count=values.pop("count_cached"), **values)


@router.post(
    "/preview",
    operation_id="previewSegment",
    summary="Try rules out",
    response_model=Preview,
    responses=problems(409),
)
async def preview_segment(body: PreviewRequest, caller: Manager) -> Response:
    """How many contacts the rules find now, and the newest of them. Nothing is stored.

    Contacts are counted up to 10,000, and looking at them stops after a while, as it does for the pages of a dynamic list:
    `count_is` then says `at_least`. Where looking stopped, `next_cursor` goes on among the contacts that were not looked at.
    The exact number of a large account is what a segment that is kept has as its `count`.
    """
    after = None if body.cursor is None else open_cursor(body.cursor, *_NEWEST_FIRST)
    with caller.work() as work:
        found = service.preview(work.tx, body.definition, body.sample, after)
        view = Preview(
            count=found.count,
            count_is="at_least" if found.is_more else "exact",
            sample=[SampleContact.model_validate(columns_of(row)) for row in found.newest],
            next_cursor=found.stopped_at and make_cursor(*_NEWEST_FIRST, *found.stopped_at),
        )
        return work.answer(200, view)


@router.post(
    "",
    operation_id="createSegment",
    summary="Add a segment",
    status_code=201,
    response_model=Segment,
    responses=problems(409),
)
async def create_segment(body: NewSegment, caller: Manager) -> Response:
    """Keep rules under a name, for lists, campaigns and exports. Contacts belong as long as they meet them.

    Their number is counted at once where that takes a moment, else in the background while `counting` is true.
    """
    with caller.work() as work:
        return work.answer(201, _view(service.create_segment(work.tx, name=body.name, definition=body.definition)))


@router.get("", operation_id="listSegments", summary="List segments", responses=problems())
async def list_segments(caller: Manager, page: Annotated[PageRequest, paged("created_at", "name")]) -> Page[Segment]:
    """The account's segments, each with its count of `counted_at`."""
    with caller.transaction() as tx:
        rows, total = repository.list_segments(tx, page.keyset(repository.KINDS))
    return page_of(page, rows, _view, total)


@router.get(
    "/{segment_id}",
    operation_id="getSegment",
    summary="Show a segment",
    responses={200: ETAG_HEADER, **problems(404)},
)
async def get_segment(segment_id: UUID, caller: Manager, response: Response) -> Segment:
    """One segment with its rules."""
    with caller.transaction() as tx:
        view = _view(service.existing(tx, segment_id))
    response.headers["ETag"] = etag_of(view)
    return view


@router.post(
    "/{segment_id}/count",
    operation_id="countSegment",
    summary="Count a segment anew",
    response_model=Segment,
    responses={
        202: {"model": Segment, "description": "There are many contacts: they are counted in the background."},
        **problems(404, 409),
    },
)
async def count_segment(segment_id: UUID, caller: Manager) -> Response:
    """Count the contacts that meet the rules now and keep the number.

    What takes longer than a moment is done in the background: until then `counting` is true and `count` is the number of
    before.
    """
    with caller.work() as work:
        counted = service.count_segment(work.tx, segment_id)
        return work.answer(202 if counted.counting else 200, _view(counted))


@router.put(
    "/{segment_id}",
    operation_id="updateSegment",
    summary="Change a segment",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
@router.patch(
    "/{segment_id}",
    operation_id="patchSegment",
    summary="Change a segment (alias of PUT)",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
async def update_segment(
    segment_id: UUID, body: SegmentChange, caller: Manager, response: Response, if_match: IfMatch = None
) -> Segment:
    """Change the fields that are sent; absent fields stay."""
    with caller.transaction() as tx:
        present = service.hold_segment(tx, segment_id)
        require_version(if_match, _view(present))
        view = _view(service.change_segment(tx, present, name=body.name, definition=body.definition))
    response.headers["ETag"] = etag_of(view)
    return view


@router.delete(
    "/{segment_id}",
    operation_id="deleteSegment",
    summary="Delete a segment",
    responses=problems(404, 409, 412),
)
async def delete_segment(segment_id: UUID, caller: Manager, if_match: IfMatch = None) -> DeletedSegment:
    """Forget the rules; the contacts stay. A list or campaign that uses them stands in the way."""
    with caller.transaction() as tx:
        present = service.hold_segment(tx, segment_id)
        require_version(if_match, _view(present))
        service.delete_segment(tx, present)
        caller.audit(tx, "segment_deleted", resource_type="segment", resource_id=str(segment_id))
    return DeletedSegment(id=segment_id)
