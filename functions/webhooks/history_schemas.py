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
    "given_up_on_resume", "expired", "about_itself", "just_raised", "webhook_is_newer", "type_not_subscribed", "filtered",
    "not_matched_at_the_time",
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


class Gap(ResponseModel):
    """An event that did not arrive."""

    event_id: str
    type: str
    created_at: datetime
    sequence: int | None = Field(description="The number of its delivery; null when none was made.")
    state: Literal["failed", "dropped", "missing"] = Field(
        description="`missing`: no delivery was made although the webhook now subscribes to the type; ask explain for why."
    )


class Reconciliation(ResponseModel):
    """What happened in a span of time, and what of it arrived."""

    start: datetime
    end: datetime
    matched: int = Field(description="Events that were for this webhook: the sum of the five below.")
    delivered: int
    pending: int
    held: int
    failed: int
    dropped: int
    first_sequence: int | None = Field(description="The lowest number of their deliveries; null when there are none.")
    last_sequence: int | None = Field(description="The highest one.")
    missing: int = Field(description="Events of its types that no delivery was made of.")
    gaps: list[Gap] = Field(description="Failed, dropped and missing events, the oldest first; at most 1,000.")
    more_gaps: bool = Field(description="Whether there are further gaps; ask for a shorter span.")


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
