"""What scheduled sweeps share: rows that were taken up again go to their queue, grouped by nothing but their own tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from penguinmails.aws import Message, send_messages
from penguinmails.db import Mode
from penguinmails.events.outbox import Queue, queue_url
from penguinmails.tracing import FIELD


@dataclass(frozen=True, slots=True)
class Swept:
    """One row that is due: whose it is, its queue message, and in how many seconds that is to arrive."""

    tenant_id: UUID
    mode: Mode
    payload: dict[str, Any]
    delay_seconds: int = 0
    traceparent: str | None = None
    """The trace that it goes on with; None where the row knows none, and then its consumer begins one."""


def requeue(queue: Queue, rows: Sequence[Swept]) -> None:
    """Send the messages of rows whose next sweep is already set; raises when the queue is out of reach."""
    found = [Message(_body(row), row.tenant_id, row.delay_seconds) for row in rows]
    send_messages(queue_url(queue), found)


def _body(row: Swept) -> dict[str, Any]:
    trace = {} if row.traceparent is None else {FIELD: row.traceparent}
    return {"tenant_id": row.tenant_id, "mode": row.mode, **row.payload, **trace}
