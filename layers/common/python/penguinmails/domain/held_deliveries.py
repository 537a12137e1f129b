"""What was held for a paused webhook and is let go: a piece at a time, since it may be more than one request can write.

What goes out is handed to the dispatcher by messages that are delayed, one for each second's worth. Where they are lost the
sweep makes up for a piece at most, since the next one is made by a message as well.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain.deliveries import SWEEP_AFTER_SECONDS, DeliveryRef, messages
from penguinmails.events.outbox import send_after_commit

RELEASED_PER_SECOND = 50
"""How fast what was held goes out: a receiver that was away is not flooded."""
PIECE_SECONDS = 30
"""How much goes out by one piece, and so the number of its messages."""
MOST_DROPPED = 10_000
"""How many a piece gives up."""
_EARLY_SECONDS = 5
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


@dataclass(frozen=True, slots=True)
class _Released:
    """A delivery that goes out, and in how many seconds from the beginning of its piece."""

    id: UUID
    event_created_at: datetime
    in_seconds: int


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
          AND held_due_at <= %(soon)s
        FOR UPDATE
        """,
        {"id": webhook_id, "soon": clock.now() + timedelta(seconds=_EARLY_SECONDS + 2)},
        _Due,
    )
    if due is None:
        return LetGo(0, 0)
    dropped = _drop(tx, webhook_id, due.held_dropped_before) if due.held_dropped_before else 0
    if dropped == MOST_DROPPED:
        _come_back(tx, webhook_id, clock.now(), due.held_dropped_before)
        return LetGo(0, dropped)
    start = max(due.held_due_at, clock.now())
    most = round(RELEASED_PER_SECOND * PIECE_SECONDS)
    released = _release(tx, webhook_id, start, most)
    _send_at_pace(tx, released, _seconds_until(start))
    if len(released) < most:
        _remember(tx, webhook_id, None, None)
    else:
        _come_back(tx, webhook_id, start + timedelta(seconds=PIECE_SECONDS), None)
    return LetGo(len(released), dropped)


def _send_at_pace(tx: Tx, released: Sequence[_Released], wait_seconds: int) -> None:
    """By one message for each second, or a few where a second has more than one may name."""
    by_second: dict[int, list[DeliveryRef]] = defaultdict(list)
    for found in released:
        by_second[wait_seconds + found.in_seconds].append(DeliveryRef(found.id, found.event_created_at))
    sent = [(message, second) for second, due in by_second.items() for message in messages(due)]
    send_after_commit(tx, "deliveries", [message for message, _ in sent], delays=[second for _, second in sent])


def _come_back(tx: Tx, webhook_id: UUID, moment: datetime, dropped_before: datetime | None) -> None:
    _remember(tx, webhook_id, moment, dropped_before)
    seconds = max(0, _seconds_until(moment) - _EARLY_SECONDS)
    send_after_commit(tx, "events", [{"held_of_webhook_id": str(webhook_id)}], delay_seconds=seconds)


def _remember(tx: Tx, webhook_id: UUID, moment: datetime | None, dropped_before: datetime | None) -> None:
    tx.run(
        "UPDATE webhooks SET held_due_at = %(at)s, held_dropped_before = %(before)s WHERE id = %(id)s",
        {"id": webhook_id, "at": moment, "before": dropped_before},
    )


def _seconds_until(moment: datetime) -> int:
    return max(0, ceil((moment - clock.now()).total_seconds()))


def _release(tx: Tx, webhook_id: UUID, start: datetime, most: int) -> list[_Released]:
    return tx.all(
        """
        WITH held AS (
          SELECT * FROM webhook_deliveries WHERE webhook_id = %(id)s AND status = 'held'
          ORDER BY created_at, id LIMIT %(most)s FOR UPDATE
        ), paced AS (
          SELECT h.*, floor((row_number() OVER (ORDER BY h.created_at, h.id) - 1) / %(pace)s)::integer AS in_seconds
          FROM held h
        ), stored AS (
          INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, status,
                                               next_sweep_at)
          SELECT tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, 'queued',
                 %(start)s::timestamptz + make_interval(secs => in_seconds + %(sweep_after)s)
          FROM paced
          ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
          SET status = excluded.status, next_sweep_at = excluded.next_sweep_at
        )
        SELECT id, event_created_at, in_seconds FROM paced ORDER BY created_at, id
        """,
        {
            "id": webhook_id,
            "start": start,
            "pace": float(RELEASED_PER_SECOND),
            "most": most,
            "sweep_after": SWEEP_AFTER_SECONDS,
        },
        _Released,
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
        {"id": webhook_id, "before": before, "piece": MOST_DROPPED},
    )
