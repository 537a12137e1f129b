"""What was held for a paused webhook and is let go: a piece at a time, since it may be more than one request can write."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.events.outbox import send_after_commit

RELEASED_PER_SECOND = 50
"""How fast what was held goes out: a receiver that was away is not flooded."""
PIECE = 10_000
_EARLY_SECONDS = 30
"""How long before the deliveries of a piece are out the next one is made."""


@dataclass(frozen=True, slots=True)
class LetGo:
    """What became of a piece."""

    released: int
    dropped: int


@dataclass(frozen=True, slots=True)
class _Due:
    held_due_at: datetime
    held_dropped_before: datetime | None


def let_go(tx: Tx, webhook_id: UUID, *, dropped_before: datetime | None) -> LetGo:
    """Decide about what has not arrived: what is of events before a moment is given up, the rest goes out, the oldest first.

    A first piece is done at once, unless one is under way that was to go out as well; messages see to the others.
    """
    tx.run(
        """
        UPDATE webhooks
        SET held_dropped_before = %(before)s,
            held_due_at = CASE WHEN %(before)s::timestamptz IS NULL THEN greatest(held_due_at, %(now)s) ELSE %(now)s END
        WHERE id = %(id)s
        """,
        {"id": webhook_id, "before": dropped_before, "now": clock.now()},
    )
    return next_piece(tx, webhook_id)


def next_piece(tx: Tx, webhook_id: UUID) -> LetGo:
    """Go on where the piece before has ended. Nothing happens while the webhook is paused, or when nothing is left."""
    due = tx.one(
        """
        SELECT held_due_at, held_dropped_before FROM webhooks
        WHERE id = %(id)s AND is_active AND deleted_at IS NULL
          AND held_due_at <= clock_timestamp() + make_interval(secs => %(early)s)
        FOR UPDATE
        """,
        {"id": webhook_id, "early": _EARLY_SECONDS + 2},
        _Due,
    )
    if due is None:
        return LetGo(0, 0)
    dropped = _drop(tx, webhook_id, due.held_dropped_before) if due.held_dropped_before else 0
    if dropped == PIECE:
        _come_back(tx, webhook_id, clock.now(), due.held_dropped_before)
        return LetGo(0, dropped)
    start = max(due.held_due_at, clock.now())
    released = _release(tx, webhook_id, start)
    if released < PIECE:
        _remember(tx, webhook_id, None, None)
    else:
        _come_back(tx, webhook_id, start + timedelta(seconds=released / RELEASED_PER_SECOND), None)
    return LetGo(released, dropped)


def _come_back(tx: Tx, webhook_id: UUID, moment: datetime, dropped_before: datetime | None) -> None:
    _remember(tx, webhook_id, moment, dropped_before)
    seconds = max(0, ceil((moment - clock.now()).total_seconds()) - _EARLY_SECONDS)
    send_after_commit(tx, "events", [{"held_of_webhook_id": str(webhook_id)}], delay_seconds=seconds)


def _remember(tx: Tx, webhook_id: UUID, moment: datetime | None, dropped_before: datetime | None) -> None:
    tx.run(
        "UPDATE webhooks SET held_due_at = %(at)s, held_dropped_before = %(before)s WHERE id = %(id)s",
        {"id": webhook_id, "at": moment, "before": dropped_before},
    )


def _release(tx: Tx, webhook_id: UUID, start: datetime) -> int:
    return tx.run(
        """
        WITH held AS (
          SELECT * FROM webhook_deliveries WHERE webhook_id = %(id)s AND status = 'held'
          ORDER BY created_at, id LIMIT %(piece)s FOR UPDATE
        )
        INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, status,
                                             next_sweep_at)
        SELECT tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, 'queued',
               %(start)s::timestamptz + make_interval(secs => row_number() OVER (ORDER BY created_at, id) / %(pace)s)
        FROM held
        ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
        SET status = excluded.status, next_sweep_at = excluded.next_sweep_at
        """,
        {"id": webhook_id, "start": start, "pace": float(RELEASED_PER_SECOND), "piece": PIECE},
    )


def _drop(tx: Tx, webhook_id: UUID, before: datetime) -> int:
    """Give up what has not arrived, whether it is held, in line or waits for a retry; what is under way is left alone.

    Whoever waits behind it in an ordered webhook is looked at by the next sweep.
    """
    return tx.run(
        """
        WITH open AS (
          SELECT d.* FROM unnest(ARRAY['held', 'queued', 'pending_retry']) AS s (status)
          CROSS JOIN LATERAL (
            SELECT * FROM webhook_deliveries d
            WHERE d.webhook_id = %(id)s AND d.status = s.status AND d.event_created_at < %(before)s
            ORDER BY d.created_at, d.id LIMIT %(piece)s FOR UPDATE
          ) d
          LIMIT %(piece)s
        ), behind AS (
          UPDATE webhook_deliveries SET next_sweep_at = clock_timestamp()
          WHERE webhook_id = %(id)s AND status = 'queued' AND parked_at IS NULL AND event_created_at >= %(before)s
            AND order_key IN (SELECT order_key FROM open WHERE order_key IS NOT NULL)
        )
        INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, status)
        SELECT tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, 'dropped' FROM open
        ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
        SET status = excluded.status, finished_at = clock_timestamp(), next_retry_at = NULL, next_sweep_at = NULL,
            parked_at = NULL
        """,
        {"id": webhook_id, "before": before, "piece": PIECE},
    )
