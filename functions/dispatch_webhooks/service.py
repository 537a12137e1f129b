"""Attempts batches of deliveries, those of several tenants at the same time."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import UUID

from dispatch_webhooks.tenant_work import TenantWork
from penguinmails.db import Mode
from penguinmails.domain.deliveries import DeliveryRef, references
from penguinmails.queue import PoisonMessage, Record
from penguinmails.tracing import FIELD
from penguinmails.webhook_posts import client

_STOP_AFTER_SECONDS = 45
"""After that nothing more is taken up, so that the longest post ends well within the function's two minutes."""


def handle(records: Sequence[Record]) -> list[Exception | None]:
    """Attempt what is due among the records; per record the error that it should be delivered again for.

    A failed post is not such an error: it is recorded, and its retry is planned in PostgreSQL.
    """
    outcomes: list[Exception | None] = [None] * len(records)
    positions: dict[tuple[UUID, Mode], list[int]] = defaultdict(list)
    deliveries: dict[tuple[UUID, Mode], dict[UUID, DeliveryRef]] = defaultdict(dict)
    traces: dict[UUID, Any] = {}
    woken: set[tuple[UUID, Mode]] = set()
    for position, record in enumerate(records):
        try:
            found = references(record.body)
        except (KeyError, TypeError, ValueError) as error:
            outcomes[position] = PoisonMessage(f"not a message of ours: {type(error).__name__}")
            continue
        tenant = (record.tenant_id, record.mode)
        positions[tenant].append(position)
        if not found:
            woken.add(tenant)
        deliveries[tenant].update((delivery.id, delivery) for delivery in found)
        traces.update((delivery.id, record.body.get(FIELD)) for delivery in found)
    stop_at = time.monotonic() + _STOP_AFTER_SECONDS
    works = {
        tenant: TenantWork(*tenant, stop_at=stop_at, traces=traces).run(list(found.values()), is_woken=tenant in woken)
        for tenant, found in deliveries.items()
    }
    for tenant, error in zip(works, client.run(_all(list(works.values()))), strict=True):
        for position in positions[tenant]:
            outcomes[position] = error
    return outcomes


async def _all(works: Sequence[Coroutine[Any, Any, None]]) -> list[Exception | None]:
    """Tenants side by side; the error of each, so that one does not end the others."""
    ended = await asyncio.gather(*works, return_exceptions=True)
    for error in ended:
        if isinstance(error, BaseException) and not isinstance(error, Exception):
            raise error
    return [error if isinstance(error, Exception) else None for error in ended]
