"""What receivers get, described: the JSON Schema (2020-12) of a type's payload, and a sample that meets it.

For the API and its documents; consumers do without it, since it loads pydantic.
"""

from dataclasses import fields
from typing import Any, cast

from pydantic import TypeAdapter

from penguinmails.events.catalogue import API_VERSION, EVENT_TYPES, Event
from penguinmails.events.samples import SAMPLE_EVENT_ID, SAMPLE_MOMENT, sample_of
from penguinmails.ids import event_public_id

SAMPLE_TENANT_ID = "0190a3c4-7d2e-4c31-8a11-5b1d5a3c0e08"

_ID = {
    "type": "string",
    "description": "The same in every delivery of this event.",
    "examples": ["evt_0190a3c47d2e7c31"],
}
_ALWAYS_THE_SAME: dict[str, dict[str, Any]] = {
    "created_at": {"type": "string", "format": "date-time"},
    "api_version": {"type": "string", "enum": [API_VERSION]},
    "tenant_id": {"type": "string", "format": "uuid"},
    "workspace_id": {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]},
    "test": {"type": "boolean", "description": "Whether the event is about test data."},
}
_TRUNCATED = {
    "type": "boolean",
    "description": "True, and there only then, when texts were cut to keep the body within 256 KB.",
}


def payload_schema(kind: type[Event]) -> dict[str, Any]:
    """The schema of the whole body that is posted for an event type, without references."""
    properties = {
        "id": _ID,
        "type": {"type": "string", "enum": [kind.type]},
        **_ALWAYS_THE_SAME,
        "data": _data(kind),
    }
    return {
        "type": "object",
        "description": kind.description,
        "properties": {**properties, "truncated": _TRUNCATED},
        "required": list(properties),
    }


def sample_data(event_type: str) -> dict[str, Any]:
    """The `data` of a realistic event, as JSON."""
    return cast("dict[str, Any]", TypeAdapter(EVENT_TYPES[event_type]).dump_python(sample_of(event_type), mode="json"))


def sample_payload(event_type: str) -> dict[str, Any]:
    """A realistic body of an event type."""
    return {
        "id": event_public_id(SAMPLE_EVENT_ID),
        "type": event_type,
        "created_at": SAMPLE_MOMENT.isoformat().replace("+00:00", "Z"),
        "api_version": API_VERSION,
        "tenant_id": SAMPLE_TENANT_ID,
        "workspace_id": None,
        "test": False,
        "data": sample_data(event_type),
    }


def _data(kind: type[Event]) -> dict[str, Any]:
    """The fields of the event. All are always sent, those that are unknown as null."""
    generated = TypeAdapter(kind).json_schema(mode="serialization")
    nested = {f"#/$defs/{name}": schema for name, schema in generated.pop("$defs", {}).items()}
    generated["properties"] = {name: _inlined(value, nested) for name, value in generated["properties"].items()}
    generated["required"] = [field.name for field in fields(kind)]
    generated.pop("description", None)
    return generated


def _inlined(schema: Any, nested: dict[str, Any]) -> Any:
    """Without references: the blocks of events are small, and every schema should be readable by itself."""
    if isinstance(schema, list):
        return [_inlined(item, nested) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    node = cast("dict[str, Any]", schema)
    if "$ref" in node:
        block = {key: value for key, value in nested[node["$ref"]].items() if key != "description"}
        block["required"] = list(block["properties"])
        return _inlined(block, nested)
    return {key: _inlined(value, nested) for key, value in node.items() if key != "default"}
