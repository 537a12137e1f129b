"""What the catalogue of event types answers."""

from typing import Any, Literal

from pydantic import Field

from penguinmails.http.models import ResponseModel


class EventTypeInfo(ResponseModel):
    """One event type that a webhook can receive."""

    type: str = Field(examples=["email.sent"])
    description: str = Field(description="When it is raised.")
    required_scope: str = Field(description="What a caller must hold to subscribe.", examples=["read_analytics"])
    api_version: Literal["v1"] = Field(description="New webhooks get this version, and keep it.")
    schema_version: int = Field(description="Rises when fields change their meaning; new fields do not raise it.")
    payload_schema: dict[str, Any] = Field(description="JSON Schema (2020-12) of the body that is posted.")
    sample: dict[str, Any] = Field(description="A body that meets the schema.")


class EventCatalogue(ResponseModel):
    """All event types."""

    data: list[EventTypeInfo]
