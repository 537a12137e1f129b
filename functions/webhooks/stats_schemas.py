"""What the statistics of a webhook answer."""

from pydantic import Field

from penguinmails.http.models import ResponseModel
from webhooks.schemas import Webhook


class Stats(ResponseModel):
    """What came of the deliveries of a span of time."""

    total: int = Field(description="Deliveries of the events of that time, and those that replays made in it.")
    success: int
    failed: int = Field(description="Given up after the last retry.")
    pending: int = Field(description="Still to be tried, or tried again.")
    held: int = Field(description="Waiting because the webhook is paused.")
    dropped: int = Field(description="Given up when the webhook was resumed, or after 30 days of being held.")
    success_rate: float | None = Field(
        description="Successes among what succeeded or failed, 0 to 1; null while nothing did.", examples=[0.998]
    )
    attempts: int = Field(
        description="Posts that were made in that time, retries included; the times below are of all of these."
    )
    average_ms: float | None = Field(description="Mean time of a post until its answer was read.")
    p50_ms: float | None = Field(description="Half of the posts took no longer; percentiles are right within 5 %.")
    p95_ms: float | None
    p99_ms: float | None


class CommonError(ResponseModel):
    """One way in which posts failed."""

    error: str = Field(examples=["HTTP 500"])
    count: int


class WebhookStats(ResponseModel):
    """How a webhook does."""

    last_24_hours: Stats
    last_7_days: Stats
    common_errors: list[CommonError] = Field(
        description="Among the newest deliveries, and the newest that failed or are to be retried, of the last 7 days, 100 of "
        "each: the most frequent first, five at most."
    )


class WebhookDetails(Webhook):
    """One webhook and how it did in the last 24 hours."""

    last_24_hours: Stats
