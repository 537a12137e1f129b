"""Hands webhook deliveries to their queue: used by the fan-out, by retries and by the sweep."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

SWEEP_AFTER_SECONDS = 120
"""When the sweep takes over a delivery whose queue message was lost."""
LEASE_MARGIN_SECONDS = 60
"""How long beyond its time-out an attempt may take before another worker may claim it."""


@dataclass(frozen=True, slots=True)
class DeliveryRef:
    """Enough to find a delivery in its partition."""

    id: UUID
    event_created_at: datetime


def message(delivery: DeliveryRef) -> dict[str, Any]:
    """The queue message of one delivery."""
    return {"delivery_id": delivery.id, "event_created_at": delivery.event_created_at.isoformat()}


def messages(deliveries: Sequence[DeliveryRef]) -> list[dict[str, Any]]:
    """The queue messages of several."""
    return [message(delivery) for delivery in deliveries]
