"""HTTP of the inbox."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from inbox import repository
from inbox.repository import ThreadRow
from inbox.schemas import Message, Thread, ThreadChange, ThreadDetails, ThreadStatus
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


def _details(tx: Tx, thread_id: UUID) -> ThreadDetails:
    row = repository.find_thread(tx, thread_id)
    if row is None:
        raise NotFound.of("conversation", thread_id)
    found = [Message(**columns_of(message)) for message in repository.messages(tx, thread_id)]
    return ThreadDetails(**_view(row).model_dump(), messages=found)
