"""Describes what is posted to webhooks: one entry of `x-webhooks` and one schema per event type of the catalogue.

OpenAPI 3.0 has no `webhooks`; the extension has the form that 3.1 gave it, so tools that know either can read it.
"""

from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from penguinmails.events.catalogue import EVENT_TYPES, Event
from scripts.openapi.downgrade import downgrade

_SIGNATURES = (
    "Signed twice with the webhook's secret: `X-PenguinMails-Signature` (`sha256=` and the hex HMAC-SHA-256 of the raw "
    "body), and the `webhook-id`, `webhook-timestamp` and `webhook-signature` headers of Standard Webhooks. Compare in "
    "constant time, over the bytes as they came. Answer 2xx within the time-out; an event may arrive more than once."
)
_ID = {"type": "string", "description": "The same in every delivery of this event.", "example": "evt_0190a3c47d2e7c31"}
_ALWAYS_THE_SAME: dict[str, dict[str, Any]] = {
    "created_at": {"type": "string", "format": "date-time"},
    "api_version": {"type": "string", "enum": ["v1"]},
    "tenant_id": {"type": "string", "format": "uuid"},
    "workspace_id": {"type": "string", "format": "uuid", "nullable": True},
    "test": {"type": "boolean", "description": "Whether the event is about test data."},
}


def schema_name(event_type: str) -> str:
    """`email.spam_reported` is described by `EmailSpamReportedEvent`."""
    return "".join(word.title() for word in event_type.replace(".", "_").split("_")) + "Event"


def event_schemas() -> dict[str, Any]:
    """The body of every event type, by schema name."""
    return {schema_name(name): _envelope(name, kind) for name, kind in EVENT_TYPES.items()}


def webhooks() -> dict[str, Any]:
    """What `x-webhooks` holds, by event type."""
    return {name: {"post": _post(name, kind)} for name, kind in EVENT_TYPES.items()}


def _envelope(event_type: str, kind: type[Event]) -> dict[str, Any]:
    properties = {
        "id": _ID,
        "type": {"type": "string", "enum": [event_type]},
        **_ALWAYS_THE_SAME,
        "data": _data(kind),
    }
    return {
        "type": "object",
        "description": kind.description,
        "properties": properties,
        "required": list(properties),
    }


def _data(kind: type[Event]) -> dict[str, Any]:
    """The fields of the event. All are always sent, those that are unknown as null."""
    generated = TypeAdapter(kind).json_schema(mode="serialization")
    nested = {f"#/$defs/{name}": schema for name, schema in generated.pop("$defs", {}).items()}
    generated["properties"] = {name: _inlined(value, nested) for name, value in generated["properties"].items()}
    generated["required"] = [field.name for field in fields(kind)]
    generated.pop("description", None)
    return downgrade(generated, f"events/{kind.type}")


def _inlined(schema: Any, nested: dict[str, Any]) -> Any:
    """Without references: the blocks of events are small, and every schema should be readable by itself."""
    if isinstance(schema, list):
        return [_inlined(item, nested) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        block = {key: value for key, value in nested[schema["$ref"]].items() if key != "description"}
        block["required"] = list(block["properties"])
        return _inlined(block, nested)
    return {key: _inlined(value, nested) for key, value in schema.items() if key != "default"}


def _post(event_type: str, kind: type[Event]) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema_name(event_type)}"}
    return {
        "summary": event_type,
        "description": f"{kind.description}\n\nSubscribing takes the scope `{kind.scope.value}`. {_SIGNATURES}",
        "x-required-scope": [kind.scope.value],
        "requestBody": {"required": True, "content": {"application/json": {"schema": reference}}},
        "responses": {"2XX": {"description": "Received. Anything else is tried again later; 410 pauses the webhook."}},
    }
