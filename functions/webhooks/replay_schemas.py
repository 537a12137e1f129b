"""What replays take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from penguinmails.http.models import Moment, RequestModel, ResponseModel
from webhooks.schemas import EventFilters, EventTypes

ReplayStatus = Literal["running", "completed", "cancelled"]


class NewReplay(RequestModel):
    """Which events are sent again."""

    from_: Moment = Field(alias="from", description="Events from this moment on.", examples=["2026-01-15T00:00:00Z"])
    to: Moment = Field(
        description="Events before this moment, 30 days after `from` at most.", examples=["2026-01-16T00:00:00Z"]
    )
    event_types: EventTypes | None = Field(
        default=None, description="Of the webhook's types; all of them when absent.", examples=[["email.bounced"]]
    )
    event_filters: EventFilters | None = Field(
        default=None, description="As a webhook's; the webhook's own filter when absent, none when `{}`."
    )
    only_undelivered: bool = Field(default=False, description="Leave out what this webhook has answered 2xx to.")
    per_second: Annotated[int, Field(ge=1, le=50)] = Field(default=50, description="Deliveries per second at most.")
    dry_run: bool = Field(default=False, description="Only count what would be sent; answered with 200.")


class ReplayCount(ResponseModel):
    """What a replay would send."""

    total: int = Field(description="Events that match.")


class Replay(ResponseModel):
    """Events that are sent again to one webhook, and how far that is."""

    id: UUID
    webhook_id: UUID
    status: ReplayStatus
    start: datetime = Field(description="Events from this moment on.")
    end: datetime = Field(description="Events before this moment.")
    event_types: list[str]
    only_undelivered: bool
    per_second: int
    total: int = Field(description="Events that matched when it was asked for.")
    done: int = Field(description="Deliveries that were made so far; they are in the log under this replay_id.")
    delivered: int = Field(description="Of those: answered 2xx.")
    failed: int = Field(description="Of those: given up.")
    pending: int = Field(description="Of those: on their way, or held by a paused webhook.")
    created_at: datetime
    finished_at: datetime | None
