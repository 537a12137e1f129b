"""What the question whether everything arrived answers."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from penguinmails.http.models import ResponseModel


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

    start: datetime = Field(description="`from`, or when the quarter of an hour began that it is in.")
    end: datetime = Field(description="`to`, at most now, or when the quarter of an hour ends that it is in.")
    matched: int = Field(
        description="Events of the whole span that were for this webhook, whatever the page: the sum of the five below. Added "
        "up from what is kept per quarter of an hour with every change of a delivery. An event that a replay has sent counts "
        "once: by the delivery that arrived, else by one that is open, else by the one that was posted last."
    )
    delivered: int
    pending: int
    held: int
    failed: int
    dropped: int
    is_exact: bool = Field(
        description="False when replays have sent more than 100,000 events of the span again: what further ones brought is not "
        "in the counts. Ask for a shorter span."
    )
    first_sequence: int | None = Field(description="The lowest number of their deliveries; null when there are none.")
    last_sequence: int | None = Field(description="The highest one.")
    missing: int = Field(description="Events of its types that no delivery was made of, among the gaps of this page.")
    gaps: list[Gap] = Field(
        description="Failed, dropped and missing events, the oldest first; at most 1,000. A page ends early, with fewer or "
        "none, when it has looked at 50,000 events."
    )
    more_gaps: bool = Field(description="Whether there may be further gaps: `next_cursor` goes on.")
    next_cursor: str | None = Field(
        description="Pass as `cursor`, with `start` as `from` and `end` as `to`, for the next gaps; valid for 24 hours. Null "
        "when all were named."
    )
