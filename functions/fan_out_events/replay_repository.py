"""SQL of replays as they go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.deliveries import SWEEP_AFTER_SECONDS, DeliveryRef
from penguinmails.domain.webhook_replays import Selection, Stored
from penguinmails.ids import new_uuid7


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """A replay that runs, and where it is."""

    id: UUID
    webhook_id: UUID
    from_at: datetime
    to_at: datetime
    event_types: list[str]
    event_filters: dict[str, Any] | None
    only_undelivered: bool
    per_second: int
    position_at: datetime | None
    position_id: UUID | None
    is_active: bool
    """Whether its webhook takes events now."""

    def selection(self) -> Selection:
        """The events that it sends."""
        return Selection(
            webhook_id=self.webhook_id,
            start=self.from_at,
            end=self.to_at,
            event_types=self.event_types,
            event_filters=self.event_filters,
            only_undelivered=self.only_undelivered,
        )

    def position(self) -> tuple[datetime, UUID] | None:
        """The last event that was looked at."""
        return None if self.position_at is None or self.position_id is None else (self.position_at, self.position_id)


@dataclass(frozen=True, slots=True)
class Made:
    """A delivery, and in how many seconds it is due."""

    id: UUID
    event_created_at: datetime
    in_seconds: int


def take_turn(tx: Tx, replay_id: UUID) -> ReplayRow | None:
    """The replay, locked until the end of the transaction; None when it has ended, is not due yet or is in other hands."""
    return tx.one(
        """
        SELECT p.id, p.webhook_id, p.from_at, p.to_at, p.event_types, p.event_filters, p.only_undelivered, p.per_second,
               p.position_at, p.position_id, w.is_active
        FROM webhook_replays p
        JOIN webhooks w ON w.tenant_id = p.tenant_id AND w.mode = p.mode AND w.id = p.webhook_id
        WHERE p.id = %(id)s AND p.status = 'running' AND p.next_run_at <= clock_timestamp() + interval '1 second'
          AND w.deleted_at IS NULL
        FOR UPDATE OF p SKIP LOCKED
        """,
        {"id": replay_id},
        ReplayRow,
    )


def insert_deliveries(tx: Tx, replay: ReplayRow, events: Sequence[Stored], seconds: Sequence[int]) -> list[Made]:
    """One delivery per event, each due in so many seconds; those that are new."""
    due = dict(zip((new_uuid7() for _ in events), seconds, strict=True))
    stored: list[DeliveryRef] = tx.all(
        """
        INSERT INTO webhook_deliveries (id, tenant_id, mode, webhook_id, event_id, event_type, event_created_at, replay_id,
                                        next_sweep_at)
        SELECT id, %(tenant_id)s, %(mode)s, %(webhook_id)s, event_id, event_type, created_at, %(replay_id)s,
               clock_timestamp() + make_interval(secs => in_seconds + %(sweep_after)s)
        FROM unnest(%(ids)s::uuid[], %(event_ids)s::uuid[], %(event_types)s::text[], %(moments)s::timestamptz[],
                    %(seconds)s::integer[])
          AS n (id, event_id, event_type, created_at, in_seconds)
        ON CONFLICT DO NOTHING
        RETURNING id, event_created_at
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "webhook_id": replay.webhook_id,
            "replay_id": replay.id,
            "sweep_after": SWEEP_AFTER_SECONDS,
            "ids": list(due),
            "event_ids": [event.id for event in events],
            "event_types": [event.type for event in events],
            "moments": [event.created_at for event in events],
            "seconds": list(seconds),
        },
        DeliveryRef,
    )
    return [Made(found.id, found.event_created_at, due[found.id]) for found in stored]


def move_on(tx: Tx, replay_id: UUID, last: Stored, *, done: int) -> None:
    """Remember the last event that was looked at."""
    tx.run(
        """
        UPDATE webhook_replays SET position_at = %(at)s, position_id = %(last)s, done = done + %(done)s WHERE id = %(id)s
        """,
        {"id": replay_id, "at": last.created_at, "last": last.id, "done": done},
    )


def come_back_in(tx: Tx, replay_id: UUID, seconds: int) -> None:
    """Go on in so many seconds."""
    tx.run(
        "UPDATE webhook_replays SET next_run_at = clock_timestamp() + make_interval(secs => %(seconds)s) WHERE id = %(id)s",
        {"id": replay_id, "seconds": seconds},
    )


def complete(tx: Tx, replay_id: UUID) -> None:
    """All events were looked at."""
    tx.run(
        """
        UPDATE webhook_replays SET status = 'completed', next_run_at = NULL, finished_at = clock_timestamp()
        WHERE id = %(id)s
        """,
        {"id": replay_id},
    )
