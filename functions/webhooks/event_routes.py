"""HTTP of the event catalogue."""

from typing import Annotated

from fastapi import APIRouter

from penguinmails.auth.scopes import Scope
from penguinmails.events.catalogue import API_VERSION, EVENT_TYPES
from penguinmails.events.payloads import payload_schema, sample_payload
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.problems import problems
from webhooks.event_schemas import EventCatalogue, EventTypeInfo

resource = APIRouter()

Manager = Annotated[Caller, access(Scope.MANAGE_WEBHOOKS)]


@resource.get("/events", operation_id="listEventTypes", summary="List the event types", responses=problems())
async def list_event_types(caller: Manager) -> EventCatalogue:
    """Every type that a webhook can receive: when it is raised, the JSON Schema of its payload, and a sample."""
    return EventCatalogue(
        data=[
            EventTypeInfo(
                type=name,
                description=kind.description,
                required_scope=kind.scope.value,
                api_version=API_VERSION,
                schema_version=kind.schema_version,
                payload_schema=payload_schema(kind),
                sample=sample_payload(name),
            )
            for name, kind in EVENT_TYPES.items()
        ]
    )
