"""What a test post takes and answers."""

from typing import Any
from uuid import UUID

from pydantic import Field

from penguinmails.http.models import RequestModel, ResponseModel
from webhooks.delivery_schemas import PostTiming
from webhooks.schemas import EventType


class WebhookTest(RequestModel):
    """What is to be posted: a sample of a type, with fields of one's own, or the data of an event that happened."""

    event_type: EventType | None = Field(
        default=None, description="The type whose sample is posted; the webhook's first type when absent."
    )
    data: dict[str, Any] | None = Field(
        default=None, description="Fields that replace those of the sample.", examples=[{"source": "import"}]
    )
    event_id: str | None = Field(
        default=None,
        pattern="^evt_[0-9a-f]{32}$",
        description="Posts the data of this event instead of a sample, without the other two fields.",
    )


class WebhookTestResult(ResponseModel):
    """What was posted, and what came of it."""

    id: UUID = Field(description="The delivery in the log.")
    delivery_id: str = Field(description="As X-PenguinMails-Delivery-ID told it.", examples=["del_0190a3c47d2e7c31"])
    event_id: str = Field(description="As the payload told it.", examples=["evt_test_1768469400000"])
    event_type: str
    success: bool = Field(description="Whether the endpoint answered 2xx in time.")
    status_code: int | None = Field(description="Null when there was no complete answer.")
    duration_ms: int
    timing: PostTiming
    error: str | None = Field(description="Why there was no answer.")
    response_headers: dict[str, str]
    response_body: str = Field(description="At most 10 KB of it.")
    request_headers: dict[str, str] = Field(description="Values of the webhook's own headers are not shown.")
    request_body: str
