"""What the stored events, and the questions about them, answer."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from penguinmails.http.models import RequestModel, ResponseModel
from webhooks.schemas import EventFilters, EventTypes


class StoredEvent(ResponseModel):
    """One event, as it was stored when it happened."""

    id: UUID
    event_id: str = Field(description="As payloads tell it.", examples=["evt_0190a3c47d2e7c31"])
    type: str
    schema_version: int
    workspace_id: UUID | None
    created_at: datetime
    event_data: Any = Field(description="What the event says; null for callers without the scope of such data.")


Outcome = Literal["delivered", "pending", "held", "failed", "dropped", "not_sent"]
Reason = Literal[
    "accepted", "waiting", "posting", "capped", "gathering", "behind_another", "retrying", "paused", "retries_exhausted",
    "refused_for_good", "given_up_on_resume", "replay_cancelled", "expired", "about_itself", "just_raised", "webhook_is_newer",
    "type_not_subscribed", "scope_needed", "filtered", "not_matched_at_the_time",
]  # fmt: skip


class Explanation(ResponseModel):
    """Why an event was, or was not, delivered to a webhook."""

    event_id: str
    event_type: str
    webhook_id: UUID
    outcome: Outcome
    reason: Reason
    detail: str = Field(description="The reason in a sentence, and what can be done about it.")
    delivery_id: UUID | None = Field(description="Where its attempts can be read; null when none was made.")


class Rehearsal(RequestModel):
    """A filter that is to be tried on what has happened."""

    event_types: EventTypes = Field(description="As a webhook would subscribe.", examples=[["contact.created"]])
    event_filters: EventFilters | None = Field(
        default=None, description="The filter to try, as a webhook takes it.", examples=[{"filters": {"source": "api"}}]
    )
    events: Annotated[int, Field(ge=1, le=500)] = Field(
        default=100, description="How many of the newest events of these types to try it on."
    )


class RehearsedEvent(ResponseModel):
    """One event and what the filter makes of it."""

    event_id: str
    type: str
    created_at: datetime
    matched: bool
    refused_by: str | None = Field(
        description="The part of the filter that it does not meet.", examples=["filters.source.$eq"]
    )


class Rehearsed(ResponseModel):
    """What a webhook with such a filter would have got."""

    examined: int
    matched: int
    events: list[RehearsedEvent] = Field(description="The newest first.")
