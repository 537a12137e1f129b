"""HTTP of stored events: what happened, and why it arrived or did not."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Moment, Page, Prefixed
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.ids import event_public_id
from webhooks import history_repository, history_service, service
from webhooks.history_repository import EventRow
from webhooks.history_schemas import (
    Explanation,
    Rehearsal,
    Rehearsed,
    RehearsedEvent,
    StoredEvent,
)
from webhooks.schemas import EventType

events = APIRouter(tags=["Webhooks"])
resource = APIRouter()

Manager = Annotated[Caller, access(Scope.MANAGE_WEBHOOKS)]


EventId = Annotated[UUID, Prefixed("evt_"), Path(description="With or without its `evt_`.")]


def _view(row: EventRow, caller: Caller) -> StoredEvent:
    return StoredEvent(
        id=row.id,
        event_id=event_public_id(row.id),
        type=row.type,
        schema_version=row.schema_version,
        workspace_id=row.workspace_id,
        created_at=row.created_at,
        event_data=history_service.visible_data(row, caller.scopes),
    )


@events.get("", operation_id="listEvents", summary="List what happened", responses=problems())
async def list_events(
    caller: Manager,
    page: Annotated[PageRequest, paged("created_at")],
    event: Annotated[EventType | None, Query(description="Only events of this type.")] = None,
    created_after: Annotated[Moment | None, Query(description="After this moment; a day ago when absent.")] = None,
    created_before: Annotated[Moment | None, Query(description="Before this moment.")] = None,
) -> Page[StoredEvent]:
    """The account's events of the last 30 days, whether or not a webhook asked for them."""
    with caller.transaction() as tx:
        rows, total = history_repository.list_events(
            tx,
            page.keyset(history_repository.KINDS),
            event_type=event,
            created_after=created_after or clock.now() - timedelta(days=1),
            created_before=created_before,
        )
    return page_of(page, rows, lambda row: _view(row, caller), total)


@events.get("/{event_id}", operation_id="getEvent", summary="Show an event", responses=problems(404))
async def get_event(event_id: EventId, caller: Manager) -> StoredEvent:
    """One event as it was stored."""
    with caller.transaction() as tx:
        return _view(history_service.existing_event(tx, event_id), caller)


@events.get(
    "/{event_id}/explain",
    operation_id="explainEvent",
    summary="Say why an event was delivered or not",
    responses=problems(404),
)
async def explain_event(
    event_id: EventId, caller: Manager, webhook_id: Annotated[UUID, Query(description="Delivered to which webhook.")]
) -> Explanation:
    """What became of an event for one webhook, the reason, and what can be done about it.

    Whether the webhook's filter leaves an event out is told to callers who have the scope of its data.
    """
    with caller.transaction() as tx:
        verdict = history_service.explain(tx, event_id, webhook_id, caller.scopes)
    return Explanation.model_validate(
        {
            **columns_of(verdict),
            "event_id": event_public_id(event_id),
            "webhook_id": webhook_id,
        }
    )


@resource.post(
    "/rehearse",
    operation_id="rehearseWebhook",
    summary="Try a filter on what has happened",
    response_model=Rehearsed,
    responses=problems(409),
)
async def rehearse(body: Rehearsal, caller: Manager) -> Response:
    """Which of the newest events a webhook with this filter would have got, and what refused the others.

    Nothing is posted and nothing is stored. It takes the scopes that subscribing to these types takes.
    """
    service.check_event_types(body.event_types, caller.scopes)
    with caller.work() as work:
        rows = history_repository.newest_events(work.tx, body.event_types, body.events)
        clauses = history_service.refusals(work.tx, body.event_filters, rows)
        events = [
            RehearsedEvent(
                event_id=event_public_id(row.id),
                type=row.type,
                created_at=row.created_at,
                matched=clause is None,
                refused_by=clause,
            )
            for row, clause in zip(rows, clauses, strict=True)
        ]
        return work.answer(
            200, Rehearsed(examined=len(rows), matched=sum(event.matched for event in events), events=events)
        )
