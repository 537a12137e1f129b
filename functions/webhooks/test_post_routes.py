"""HTTP of test posts."""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.errors import FieldError, ValidationFailed
from penguinmails.events.catalogue import EVENT_TYPES
from penguinmails.events.payloads import sample_data
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import NOT_STORABLE, is_storable
from penguinmails.http.problems import problems
from penguinmails.ids import delivery_public_id
from webhooks import history_service, service
from webhooks.delivery_schemas import PostTiming
from webhooks.test_post_schemas import WebhookTest, WebhookTestResult

resource = APIRouter(tags=["Webhooks"])

Manager = Annotated[Caller, access(Scope.MANAGE_WEBHOOKS)]


@resource.post(
    "/{webhook_id}/test",
    operation_id="testWebhook",
    summary="Post a test event",
    response_model=WebhookTestResult,
    responses=problems(404, 409),
)
async def test_webhook(webhook_id: UUID, body: WebhookTest, caller: Manager) -> Response:
    """Post a sample, a sample with fields of your own, or the data of an event that happened, and say what came of it.

    It is signed like every post and says `"test":true`; the webhook may be paused. It is in the log, is not tried again, and
    counts neither for the webhook's health nor for its statistics. An account may make 30 per minute.
    """
    # Posting takes an HTTP client, which no other route needs: it is loaded when it is first used.
    from webhooks import test_post_service

    with caller.transaction() as tx:
        caller.check_not_answered(tx)
        webhook = service.existing(tx, webhook_id)
        if body.event_id is None:
            event_type = body.event_type or webhook.event_types[0]
            event_id, workspace_id, data = None, None, _edited(event_type, body.data or {})
        else:
            if body.event_type is not None or body.data is not None:
                raise ValidationFailed.of("event_id", "comes without event_type and data: its own are posted")
            event = history_service.existing_event(tx, UUID(body.event_id.removeprefix("evt_")))
            service.check_event_types([event.type], caller.scopes)
            event_id, event_type, workspace_id, data = event.id, event.type, event.workspace_id, event.data
    test_post_service.take_turn(caller.tenant_id)
    message = test_post_service.message_of(
        webhook, event_type, data, tenant_id=caller.tenant_id, workspace_id=workspace_id
    )
    started_at = clock.now()
    made = test_post_service.post_now(webhook, message)
    with caller.work() as work:
        test_post_service.log(work.tx, webhook, made, started_at, event_id=event_id)
        caller.audit(work.tx, "webhook_tested", resource_type="webhook", resource_id=str(webhook_id))
        return work.answer(
            200,
            WebhookTestResult(
                id=message.delivery_id,
                delivery_id=delivery_public_id(message.delivery_id),
                event_id=message.event_id,
                event_type=event_type,
                success=made.outcome.is_success,
                status_code=made.outcome.status_code,
                duration_ms=made.outcome.duration_ms,
                timing=PostTiming.model_validate(made.outcome.timing.document()),
                error=made.outcome.error,
                response_headers=made.outcome.headers,
                response_body=made.outcome.body,
                request_headers=made.request.logged_headers(),
                request_body=made.request.body.decode(),
            ),
        )


def _edited(event_type: str, changes: dict[str, Any]) -> dict[str, Any]:
    """The sample of a type with some fields replaced. Raises ValidationFailed for what no event of the type can say."""
    sample = sample_data(event_type)
    unknown = sorted(set(changes) - set(sample))
    if unknown:
        raise ValidationFailed(
            f"{event_type} has no such field; see errors.",
            errors=[
                FieldError(f"data.{name}", f"is not a field; there are {', '.join(sample)}", "unknown_field")
                for name in unknown
            ],
        )
    kind = TypeAdapter(EVENT_TYPES[event_type])
    for path in _not_storable(changes, "data"):
        raise ValidationFailed.of(path, NOT_STORABLE)
    try:
        return kind.dump_python(kind.validate_python({**sample, **changes}), mode="json")
    except ValidationError as refusal:
        raise ValidationFailed(
            f"No event of the type {event_type} looks like this; see errors.",
            errors=[
                FieldError("data." + ".".join(map(str, error["loc"])), error["msg"], error["type"])
                for error in refusal.errors()
            ],
        ) from None


def _not_storable(value: Any, path: str) -> Iterator[str]:
    """Where in a document there is a name or a text that no event can hold."""
    if isinstance(value, str) and not is_storable(value):
        yield path
    elif isinstance(value, list):
        for position, element in enumerate(value):
            yield from _not_storable(element, f"{path}.{position}")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _not_storable(inner, f"{path}.{name}") if is_storable(name) else (path,)
