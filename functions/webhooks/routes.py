"""HTTP of webhooks; the same routes for API keys and for the console's path."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import StringConstraints
from starlette.responses import Response

from penguinmails.auth.scopes import Scope
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page, Storable
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.settings import get_settings
from webhooks import delivery_service, repository, service
from webhooks.delivery_routes import resource as deliveries
from webhooks.event_routes import resource as events
from webhooks.history_routes import events as stored_events
from webhooks.history_routes import resource as history
from webhooks.reconcile_routes import resource as reconciliation
from webhooks.replay_routes import resource as replays
from webhooks.schemas import (
    DeletedWebhook,
    EventType,
    NewWebhook,
    Rotation,
    SourceIps,
    Webhook,
    WebhookChange,
    WebhookWithSecret,
)
from webhooks.stats_routes import resource as stats
from webhooks.test_post_routes import resource as test_posts
from webhooks.views import webhook_values, webhook_view

resource = APIRouter(tags=["Webhooks"])
# Before the paths with an id, which would take "events" for one.
resource.include_router(events)

Manager = Annotated[Caller, access(Scope.MANAGE_WEBHOOKS)]
_CLEARABLE = {"description", "event_filters", "custom_headers", "max_per_second"}
Rotator = Annotated[Caller, access(Scope.MANAGE_WEBHOOKS, step_up="webhooks")]
Search = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable]


@resource.post(
    "",
    operation_id="createWebhook",
    summary="Add a webhook",
    status_code=201,
    response_model=WebhookWithSecret,
    responses=problems(409),
)
async def create_webhook(body: NewWebhook, caller: Manager) -> Response:
    """Have events posted to an endpoint. The answer is the only place where the signing secret is shown."""
    with caller.work() as work:
        row, secret = service.create_webhook(
            work.tx, body.model_dump(mode="json"), scopes=caller.scopes, created_by=caller.principal.id
        )
        caller.audit(work.tx, "webhook_created", resource_type="webhook", resource_id=str(row.id))
        answer = WebhookWithSecret(**webhook_values(row), secret_key=secret)
        return work.answer(201, answer, without=frozenset({"secret_key"}))


@resource.get("", operation_id="listWebhooks", summary="List webhooks", responses=problems())
async def list_webhooks(
    caller: Manager,
    page: Annotated[PageRequest, paged("created_at", "name")],
    event: Annotated[EventType | None, Query(description="Only webhooks that receive this event type.")] = None,
    active: Annotated[bool | None, Query(description="Only active, or only paused ones.")] = None,
    search: Annotated[Search | None, Query(description="A part of the name or the URL, in any case.")] = None,
) -> Page[Webhook]:
    """The account's webhooks in this mode."""
    with caller.transaction() as tx:
        rows, total = repository.list_webhooks(
            tx, page.keyset(repository.KINDS), event_type=event, is_active=active, search=search
        )
    return page_of(page, rows, webhook_view, total)


@resource.get(
    "/source-ips", operation_id="listWebhookSourceIps", summary="List where posts come from", responses=problems()
)
async def source_ips(_caller: Manager) -> SourceIps:
    """The fixed addresses that all posts leave from, for the firewall before an endpoint."""
    return SourceIps(source_ips=list(get_settings().webhook_source_ips))


@resource.post(
    "/{webhook_id}/rotate-secret",
    operation_id="rotateWebhookSecret",
    summary="Replace a webhook's secret",
    response_model=WebhookWithSecret,
    responses=problems(404, 409),
)
async def rotate_secret(webhook_id: UUID, body: Rotation, caller: Rotator) -> Response:
    """Sign with a new secret from now on, and with the old one as well for as long as you ask.

    The answer is the only place where the new secret is shown. In a console session the password is confirmed first.
    """
    with caller.work() as work:
        row, secret = service.rotate_secret(work.tx, webhook_id, overlap_hours=body.overlap_hours)
        caller.audit(
            work.tx, "webhook_secret_rotated", resource_type="webhook", resource_id=str(webhook_id),
            details={"overlap_hours": body.overlap_hours},
        )  # fmt: skip
        answer = WebhookWithSecret(**webhook_values(row), secret_key=secret)
        return work.answer(200, answer, without=frozenset({"secret_key"}))


@resource.put("/{webhook_id}", operation_id="updateWebhook", summary="Change a webhook", responses=problems(404))
@resource.patch(
    "/{webhook_id}", operation_id="patchWebhook", summary="Change a webhook (alias of PUT)", responses=problems(404)
)
async def update_webhook(webhook_id: UUID, body: WebhookChange, caller: Manager) -> Webhook:
    """Change the fields that are sent; absent fields stay."""
    sent = body.model_dump(mode="json", exclude_unset=True)
    changes = {name: value for name, value in sent.items() if value is not None or name in _CLEARABLE}
    with caller.transaction() as tx:
        row = service.update_webhook(tx, webhook_id, changes, scopes=caller.scopes)
        is_active = bool(changes.get("is_active", row.is_active))
        if is_active != row.is_active:
            row, held = delivery_service.switch(tx, webhook_id, is_active=is_active, by=caller.principal.id)
            caller.audit(
                tx, "webhook_resumed" if is_active else "webhook_paused", resource_type="webhook",
                resource_id=str(webhook_id), details={"backlog": "deliver", **held} if is_active else {},
            )  # fmt: skip
        caller.audit(
            tx,
            "webhook_updated",
            resource_type="webhook",
            resource_id=str(webhook_id),
            details={"changed": sorted(changes)},
        )
    return webhook_view(row)


@resource.delete("/{webhook_id}", operation_id="deleteWebhook", summary="Delete a webhook", responses=problems(404))
async def delete_webhook(webhook_id: UUID, caller: Manager) -> DeletedWebhook:
    """Post nothing there any more and forget its secret."""
    with caller.transaction() as tx:
        service.delete_webhook(tx, webhook_id)
        caller.audit(tx, "webhook_deleted", resource_type="webhook", resource_id=str(webhook_id))
    return DeletedWebhook(id=webhook_id)


resource.include_router(stats)
resource.include_router(deliveries)
resource.include_router(history)
resource.include_router(reconciliation)
resource.include_router(test_posts)
resource.include_router(replays)

router = APIRouter()
router.include_router(resource, prefix="/api/v1/webhooks")
router.include_router(resource, prefix="/api/v1/platform/webhooks", include_in_schema=False)
router.include_router(stored_events, prefix="/api/v1/events")
router.include_router(stored_events, prefix="/api/v1/platform/events", include_in_schema=False)
