"""Describes what is posted to webhooks: one entry of `x-webhooks` and one schema per event type of the catalogue.

OpenAPI 3.0 has no `webhooks`; the extension has the form that 3.1 gave it, so tools that know either can read it.
"""

from typing import Any

from penguinmails.events.catalogue import EVENT_TYPES, Event
from penguinmails.events.payloads import payload_schema
from scripts.openapi.downgrade import downgrade

_SIGNATURES = (
    "Signed twice with the webhook's secret: `X-PenguinMails-Signature` (`sha256=` and the hex HMAC-SHA-256 of the raw "
    "body), and the `webhook-id`, `webhook-timestamp` and `webhook-signature` headers of Standard Webhooks. Compare in "
    "constant time, over the bytes as they came. Answer 2xx within the time-out; an event may arrive more than once."
)


def schema_name(event_type: str) -> str:
    """`email.spam_reported` is described by `EmailSpamReportedEvent`."""
    return "".join(word.title() for word in event_type.replace(".", "_").split("_")) + "Event"


def event_schemas() -> dict[str, Any]:
    """The body of every event type, by schema name."""
    return {schema_name(name): downgrade(payload_schema(kind), f"events/{name}") for name, kind in EVENT_TYPES.items()}


def webhooks() -> dict[str, Any]:
    """What `x-webhooks` holds, by event type."""
    return {name: {"post": _post(name, kind)} for name, kind in EVENT_TYPES.items()}


def _post(event_type: str, kind: type[Event]) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema_name(event_type)}"}
    return {
        "summary": event_type,
        "description": f"{kind.description}\n\nSubscribing takes the scope `{kind.scope.value}`. {_SIGNATURES}",
        "x-required-scope": [kind.scope.value],
        "requestBody": {"required": True, "content": {"application/json": {"schema": reference}}},
        "responses": {"2XX": {"description": "Received. Anything else is tried again later; 410 pauses the webhook."}},
    }
