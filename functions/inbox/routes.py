"""HTTP of the inbox."""

from collections import defaultdict
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from inbox import repository
from inbox.repository import ThreadRow
from inbox.schemas import Attachment, Message, Thread, ThreadChange, ThreadDetails, ThreadStatus
from penguinmails.auth.scopes import Scope
from penguinmails.db import Tx, columns_of
from penguinmails.errors import NotFound
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems

router = APIRouter(prefix="/api/v1/inbox/threads", tags=["Inbox"])

Reader = Annotated[Caller, access(Scope.READ_INBOX)]


def _view(row: ThreadRow) -> Thread:
    return Thread(**columns_of(row))  # pyright: ignore[reportArgumentType]


@router.get("", operation_id="listThreads", summary="List conversations", responses=problems())
async def list_threads(
    caller: Reader,
    page: Annotated[PageRequest, paged("last_message_at")],
    status: Annotated[ThreadStatus | None, Query(description="Only conversations in this state.")] = None,
    unread: Annotated[bool | None, Query(description="Only unread, or only read ones.")] = None,
) -> Page[Thread]:
    """The account's conversations in this mode, the latest first."""
    with caller.transaction() as tx:
        rows, total = repository.list_threads(tx, page.keyset(repository.KINDS), status=status, unread=unread)
    return page_of(page, rows, _view, total)


@router.get("/{thread_id}", operation_id="getThread", summary="Show a conversation", responses=problems(404))
async def get_thread(thread_id: UUID, caller: Reader) -> ThreadDetails:
    """One conversation with its messages. Reading it does not mark it as read."""
    with caller.transaction() as tx:
        return _details(tx, thread_id)


@router.patch("/{thread_id}", operation_id="patchThread", summary="Change a conversation", responses=problems(404))
async def patch_thread(thread_id: UUID, body: ThreadChange, caller: Reader) -> ThreadDetails:
    """Archive, snooze or reopen a conversation, or mark it as read or unread."""
    with caller.transaction() as tx:
        repository.change_thread(
            tx, thread_id, status=body.status, snoozed_until=body.snoozed_until, unread=body.unread
        )
        return _details(tx, thread_id)


@router.get(
    "/{thread_id}/attachments/{attachment_id}",
    operation_id="downloadAttachment",
    summary="Download a file",
    response_class=Response,
    responses={
        **problems(404),
        200: {
            "description": "The file as it came, checked for nothing: whoever wrote to you chose it.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
)
async def download_attachment(thread_id: UUID, attachment_id: UUID, caller: Reader) -> Response:
    """A file that came with a message of the conversation."""
    with caller.transaction() as tx:
        found = repository.find_file(tx, thread_id, attachment_id)
    if found is None:
        raise NotFound.of("attachment", attachment_id)
    # The name in RFC 5987's form alone, which all clients of today read. No browser is to show a stranger's file.
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.file_name, safe='')}",
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(found.content, media_type="application/octet-stream", headers=headers)


def _details(tx: Tx, thread_id: UUID) -> ThreadDetails:
    row = repository.find_thread(tx, thread_id)
    if row is None:
        raise NotFound.of("conversation", thread_id)
    messages = repository.messages(tx, thread_id)
    files: defaultdict[UUID, list[Attachment]] = defaultdict(list)
    for file in repository.attachments(tx, [message.id for message in messages]):
        files[file.message_id].append(
            Attachment(id=file.id, file_name=file.file_name, content_type=file.content_type, size=file.size)
        )
    found = [Message(**columns_of(message), attachments=files[message.id]) for message in messages]
    return ThreadDetails(**_view(row).model_dump(), messages=found)
