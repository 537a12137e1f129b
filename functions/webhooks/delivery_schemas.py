"""What the delivery log takes and answers."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from penguinmails.http.models import Moment, RequestModel, ResponseModel

DeliveryStatus = Literal["queued", "sending", "pending_retry", "success", "failed", "held", "dropped"]


class Delivery(ResponseModel):
    """One event on its way to one webhook."""

    id: UUID
    delivery_id: str = Field(description="As X-PenguinMails-Delivery-ID tells it.", examples=["del_0190a3c47d2e7c31"])
    event_id: str = Field(description="As the payload tells it.", examples=["evt_0190a3c47d2e7c31"])
    event_type: str
    sequence: int | None = Field(
        description="Its place among the webhook's deliveries, from 1 on and without a gap, as X-PenguinMails-Sequence tells it."
    )
    status: DeliveryStatus
    attempts: int = Field(description="Posts so far.")
    next_retry_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    is_test: bool = Field(description="Whether somebody asked for it as a test; such posts are not tried again.")
    replay_id: UUID | None = Field(description="The replay that sent the event again; null for its first way here.")
    last_status_code: int | None
    last_error: str | None = Field(description="Why the last attempt had no answer.")
    last_duration_ms: int | None


class PostTiming(ResponseModel):
    """Where the time of a post went; a step that a kept connection spares, or that was not completed, is null."""

    dns_ms: int | None = Field(description="Resolving the name.")
    connect_ms: int | None = Field(description="The TCP handshake.")
    tls_ms: int | None = Field(description="The TLS handshake.")
    first_byte_ms: int | None = Field(description="From the beginning to the head of the answer.")


class Attempt(ResponseModel):
    """One post and its answer."""

    attempt: int = Field(description="0 for the first try.")
    batch_id: str | None = Field(
        description="The post that it shared with other deliveries, as X-PenguinMails-Batch-ID says; null for one of its own.",
        examples=["bat_0190a3c47d2e7c31"],
    )
    attempted_at: datetime
    duration_ms: int = Field(description="The whole exchange, the answer's body included.")
    timing: PostTiming | None = Field(description="Null for attempts before it was measured.")
    status_code: int | None
    request_headers: dict[str, str]
    response_headers: dict[str, str] | None
    response_body: str | None = Field(description="At most 10 KB of it.")
    error_message: str | None


class DeliveryDetails(Delivery):
    """One delivery with every attempt and the event's data."""

    event_data: Any = Field(
        description="What the event says; null once it was deleted, or for callers without the scope of such data."
    )
    attempt_log: list[Attempt]


class Retried(ResponseModel):
    """What is tried again."""

    retried: int
    more: bool = Field(description="Whether failed deliveries are left; ask again for those.")


class Resume(RequestModel):
    """What becomes of the events that have not arrived."""

    backlog: Literal["deliver", "drop"] = Field(
        default="deliver",
        description="Deliver what was held, oldest first and 50 per second, or give up all that has not arrived.",
    )
    since: Moment | None = Field(
        default=None,
        description="With `deliver` alone, and not in the future: give up what is older than this moment.",
        examples=[None],
    )
