"""HTTP of the delivery log, of trying again, and of pausing."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import StringConstraints
from starlette.responses import Response

from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.errors import InsufficientPermissions
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Moment, Page, Prefixed, Storable
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.ids import delivery_public_id
from penguinmails.keyset import Keyset
from webhooks import delivery_repository, delivery_service, service
from webhooks.delivery_repository import AttemptRow, DeliveryFilter, DeliveryRow, shown_event_id
from webhooks.delivery_schemas import Attempt, Delivery, DeliveryDetails, DeliveryStatus, Resume, Retried
from webhooks.log_file import MOST_ROWS, csv_of
from webhooks.schemas import EventType, Webhook
from webhooks.views import webhook_view

resource = APIRouter(tags=["Webhooks"])

Manager = Annotated[Caller, access(Scope.MANAGE_WEBHOOKS)]
DeliveryId = Annotated[UUID, Prefixed("del_"), Path(description="With or without its `del_`.")]
Email = Annotated[str, StringConstraints(min_length=3, max_length=255), Storable]
_SHOWN_DAYS = 7


def _fields(row: DeliveryRow) -> dict[str, object]:
    return {
        **columns_of(row),
        "delivery_id": delivery_public_id(row.id),
        "event_id": shown_event_id(row),
    }


def _attempt_fields(row: AttemptRow) -> dict[str, object]:
    return {
        **columns_of(row),
        "attempt": row.attempt_number,
        "batch_id": row.request_headers.get("X-PenguinMails-Batch-ID"),
    }


async def _wanted(  # noqa: PLR0917 - FastAPI passes parameters by name
    caller: Manager,
    status: Annotated[DeliveryStatus | None, Query(description="Only deliveries in this state.")] = None,
    event: Annotated[EventType | None, Query(description="Only events of this type.")] = None,
    event_id: Annotated[
        str | None, Query(pattern="^evt_[0-9a-f]{32}$", description="Only this event, by its `evt_` id.")
    ] = None,
    sequence: Annotated[
        int | None, Query(ge=1, le=2**63 - 1, description="Only the delivery with this number.")
    ] = None,
    email: Annotated[
        Email | None,
        Query(description="Only events about this address, in any case. Takes the scope `manage_contacts` too."),
    ] = None,
    created_after: Annotated[Moment | None, Query(description="After this moment; seven days ago when absent.")] = None,
    created_before: Annotated[Moment | None, Query(description="Before this moment.")] = None,
) -> DeliveryFilter:
    """What a log is narrowed to."""
    if email is not None and Scope.MANAGE_CONTACTS not in caller.scopes:
        raise InsufficientPermissions(
            "Searching by address needs the scope manage_contacts. Use a key or role that has it, or search by event_id.",
            required_scopes=[Scope.MANAGE_CONTACTS.value],
            available_scopes=sorted(scope.value for scope in caller.scopes),
        )
    return DeliveryFilter(
        status=status,
        event_type=event,
        event_id=UUID(event_id.removeprefix("evt_")) if event_id else None,
        sequence=sequence,
        email=email,
        created_after=created_after or clock.now() - timedelta(days=_SHOWN_DAYS),
        created_before=created_before,
    )


Wanted = Annotated[DeliveryFilter, Depends(_wanted)]


@resource.get(
    "/{webhook_id}/deliveries",
    operation_id="listWebhookDeliveries",
    summary="Read a webhook's delivery log",
    responses=problems(404),
)
async def list_deliveries(
    webhook_id: UUID, caller: Manager, page: Annotated[PageRequest, paged("created_at")], wanted: Wanted
) -> Page[Delivery]:
    """What was posted to the webhook, what failed, and what is still to be tried."""
    with caller.transaction() as tx:
        service.existing(tx, webhook_id)
        rows, total = delivery_repository.list_deliveries(
            tx, webhook_id, page.keyset(delivery_repository.KINDS), wanted
        )
    return page_of(page, rows, lambda row: Delivery.model_validate(_fields(row)), total)


@resource.get(
    "/{webhook_id}/deliveries/export",
    operation_id="exportWebhookDeliveries",
    summary="Download a webhook's delivery log",
    response_class=Response,
    responses={
        **problems(404),
        200: {
            "description": "The newest first. `X-Has-More` is `true` when more were found than the file may hold.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
    },
)
async def export_deliveries(webhook_id: UUID, caller: Manager, wanted: Wanted) -> Response:
    """The log as CSV, up to 10,000 rows, with the filters of the list; ask for shorter spans of time to get more."""
    newest = Keyset(MOST_ROWS, "desc", "created_at", "time", None, None)
    with caller.transaction() as tx:
        service.existing(tx, webhook_id)
        rows, _ = delivery_repository.list_deliveries(tx, webhook_id, newest, wanted)
    headers = {
        "Content-Disposition": f'attachment; filename="webhook-{webhook_id}.csv"',
        "X-Has-More": "true" if len(rows) > MOST_ROWS else "false",
    }
    return Response(csv_of(rows[:MOST_ROWS]), media_type="text/csv", headers=headers)


@resource.get(
    "/{webhook_id}/deliveries/{delivery_id}",
    operation_id="getWebhookDelivery",
    summary="Show a delivery and its attempts",
    responses=problems(404),
)
async def get_delivery(webhook_id: UUID, delivery_id: DeliveryId, caller: Manager) -> DeliveryDetails:
    """Each post with its headers and answer, and what the event said. Signatures are shown, the secret never."""
    with caller.transaction() as tx:
        service.existing(tx, webhook_id)
        row = delivery_service.existing_delivery(tx, webhook_id, delivery_id)
        attempts = delivery_repository.attempts_of(tx, row)
        data = delivery_service.visible_data(tx, row, caller.scopes)
    log = [Attempt.model_validate(_attempt_fields(found)) for found in attempts]
    return DeliveryDetails.model_validate({**_fields(row), "event_data": data, "attempt_log": log})


@resource.post(
    "/{webhook_id}/deliveries/{delivery_id}/retry",
    operation_id="retryWebhookDelivery",
    summary="Try a failed delivery again",
    status_code=202,
    response_model=Retried,
    responses=problems(404, 409),
)
async def retry_delivery(webhook_id: UUID, delivery_id: DeliveryId, caller: Manager) -> Response:
    """Post a failed delivery once more, now. Only a success clears the webhook's failures."""
    with caller.work() as work:
        service.existing(work.tx, webhook_id)
        delivery_service.retry_one(work.tx, webhook_id, delivery_id)
        return work.answer(202, Retried(retried=1, more=False))


@resource.post(
    "/{webhook_id}/deliveries/retry-failed",
    operation_id="retryFailedWebhookDeliveries",
    summary="Try all failed deliveries again",
    status_code=202,
    response_model=Retried,
    responses=problems(404, 409),
)
async def retry_failed(webhook_id: UUID, caller: Manager) -> Response:
    """Post up to 1,000 failed deliveries once more, the oldest first."""
    with caller.work() as work:
        service.existing(work.tx, webhook_id)
        retried, more = delivery_service.retry_all(work.tx, webhook_id)
        return work.answer(202, Retried(retried=retried, more=more))


@resource.post(
    "/{webhook_id}/pause",
    operation_id="pauseWebhook",
    summary="Hold a webhook's events",
    response_model=Webhook,
    responses=problems(404, 409),
)
async def pause(webhook_id: UUID, caller: Manager) -> Response:
    """Post nothing from now on and lose nothing: events are held until the webhook is resumed.

    Pausing one that is paused or switched off changes nothing.
    """
    with caller.work() as work:
        row, is_new = delivery_service.pause(work.tx, webhook_id, caller.principal.id)
        if is_new:
            caller.audit(work.tx, "webhook_paused", resource_type="webhook", resource_id=str(webhook_id))
        return work.answer(200, webhook_view(row))


@resource.post(
    "/{webhook_id}/resume",
    operation_id="resumeWebhook",
    summary="Let a webhook's events go out",
    response_model=Webhook,
    responses=problems(404, 409),
)
async def resume(webhook_id: UUID, body: Resume, caller: Manager) -> Response:
    """Post again, and say what becomes of what was held: deliver it, deliver what is newer than a moment, or drop it.

    Of a webhook that is active only what still waits is decided about.
    """
    with caller.work() as work:
        row, held = delivery_service.resume(
            work.tx, webhook_id, drop=body.backlog == "drop", since=body.since, resumed_by=caller.principal.id
        )
        caller.audit(
            work.tx, "webhook_resumed", resource_type="webhook", resource_id=str(webhook_id),
            details={"backlog": body.backlog, **held},
        )  # fmt: skip
        return work.answer(200, webhook_view(row))
