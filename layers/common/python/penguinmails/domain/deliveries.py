"""Hands webhook deliveries to their queue: used by the fan-out, by retries and by the sweep.

One message names up to a hundred deliveries of one tenant, so that neither the queue's speed nor its price limits how
many events go out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

SWEEP_AFTER_SECONDS = 8
"""When a delivery whose queue message was lost is taken up without it: by the tenant's next worker, or by the sweep."""
PATIENCE_SECONDS = 2
"""How long a claimed delivery may wait for its post to begin."""
LEASE_MARGIN_SECONDS = PATIENCE_SECONDS + 2
"""How long beyond its time-out an attempt may take before another worker may claim it."""
DELIVERIES_PER_MESSAGE = 100
PER_WEBHOOK = 5
"""How many posts to one webhook may be under way."""
PER_TENANT = 20
"""How many of one account, in one mode."""


@dataclass(frozen=True, slots=True)
class DeliveryRef:
    """Enough to find a delivery in its partition."""

    id: UUID
    event_created_at: datetime


def messages(deliveries: Sequence[DeliveryRef]) -> list[dict[str, Any]]:
    """The queue messages of deliveries of one tenant."""
    named = [[delivery.id, delivery.event_created_at.isoformat()] for delivery in deliveries]
    return [
        {"deliveries": named[start : start + DELIVERIES_PER_MESSAGE]}
        for start in range(0, len(named), DELIVERIES_PER_MESSAGE)
    ]


def wake_up() -> dict[str, Any]:
    """A message that names nothing: the dispatcher looks for what the tenant has parked."""
    return {"deliveries": []}


def references(body: dict[str, Any]) -> list[DeliveryRef]:
    """The deliveries that a queue message names. Raises KeyError, TypeError or ValueError for one that is not ours."""
    return [DeliveryRef(UUID(found), datetime.fromisoformat(moment)) for found, moment in body["deliveries"]]
