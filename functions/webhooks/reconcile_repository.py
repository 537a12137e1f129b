"""SQL of whether everything arrived: counts from what is kept per quarter of an hour, gaps a piece of the events at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from webhooks.history_repository import FAN_OUT_MINUTES
from webhooks.stats_repository import FIGURES

MOST_REPLAYED = 100_000
"""Deliveries by replays that counts take into account: as many as one replay makes."""

_COUNTS: LiteralString = """
        SELECT coalesce(sum(success), 0)::bigint AS delivered, coalesce(sum(pending), 0)::bigint AS pending,
               coalesce(sum(held), 0)::bigint AS held, coalesce(sum(failed), 0)::bigint AS failed,
               coalesce(sum(dropped), 0)::bigint AS dropped, min(first_sequence) AS first_sequence,
               max(last_sequence) AS last_sequence
        FROM found WHERE NOT is_replay
        """

Position = tuple[datetime, UUID]
"""When an event was raised, and its id: their order."""


@dataclass(frozen=True, slots=True)
class CountsRow:
    """Events of a span of time, by what became of their first delivery."""

    delivered: int
    pending: int
    held: int
    failed: int
    dropped: int
    first_sequence: int | None
    last_sequence: int | None


@dataclass(frozen=True, slots=True)
class ReplayedRow:
    """What replays changed about that."""

    deliveries: int
    """Made by replays, of events of the span; at most MOST_REPLAYED + 1 are looked at."""
    moves: list[tuple[str | None, str, int]]
    """Status of the first delivery, or None where a replay's was the first; status of the first in rank; how many events."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A gap, or the last event of a piece."""

    event_id: UUID
    type: str
    created_at: datetime
    state: Literal["failed", "dropped", "missing"]
    sequence: int | None
    is_gap: bool
    is_last: bool
    """Whether the piece was full, so that there may be more behind it."""
    workspace_id: UUID | None = None
    data: Any = None
    """For a filter to look at."""

    def position(self) -> Position:
        """Where the event stands."""
        return self.created_at, self.event_id


def counts_between(tx: Tx, webhook_id: UUID, start: datetime, end: datetime) -> CountsRow:
    """What became of the first deliveries of the events from one quarter of an hour to before another."""
    row = tx.one(FIGURES + _COUNTS, {"webhook_id": webhook_id, "start": start, "end": end}, CountsRow)
    if row is None:
        raise LookupError("an aggregate without a row")
    return row


def replayed_between(tx: Tx, webhook_id: UUID, start: datetime, end: datetime) -> ReplayedRow:
    """Events of which a replay's delivery says what became of them, instead of their first one."""
    row = tx.one(
        """
        WITH replayed AS MATERIALIZED (
          SELECT event_id, event_created_at FROM webhook_deliveries
          WHERE webhook_id = %(webhook_id)s AND event_created_at >= %(start)s AND event_created_at < %(end)s
            AND replay_id IS NOT NULL
          ORDER BY event_created_at, event_id LIMIT %(most)s
        ), moved AS (
          SELECT o.status AS first, t.status AS now, count(*) AS events
          FROM (SELECT DISTINCT event_id, event_created_at FROM replayed) e
          CROSS JOIN LATERAL (
            SELECT d.status FROM webhook_deliveries d
            WHERE d.webhook_id = %(webhook_id)s AND d.event_id = e.event_id
              AND d.event_created_at BETWEEN e.event_created_at AND e.event_created_at
            ORDER BY delivery_rank(d.status, d.replay_id, d.attempts), d.created_at DESC, d.id DESC LIMIT 1
          ) t
          LEFT JOIN LATERAL (
            SELECT d.status FROM webhook_deliveries d
            WHERE d.webhook_id = %(webhook_id)s AND d.event_id = e.event_id
              AND d.event_created_at BETWEEN e.event_created_at AND e.event_created_at AND d.replay_id IS NULL
            LIMIT 1
          ) o ON true
          WHERE o.status IS DISTINCT FROM t.status
          GROUP BY 1, 2
        )
        SELECT (SELECT count(*) FROM replayed) AS deliveries,
               coalesce((SELECT jsonb_agg(jsonb_build_array(first, now, events)) FROM moved), '[]') AS moves
        """,
        {"webhook_id": webhook_id, "start": start, "end": end, "most": MOST_REPLAYED + 1},
        ReplayedRow,
    )
    if row is None:
        raise LookupError("an aggregate without a row")
    return row


def given_up(tx: Tx, webhook_id: UUID, after: Position, end: datetime, piece: int) -> list[Examined]:
    """Among the next deliveries that were given up, those whose event arrived by no other, in the order of the events."""
    return tx.all(
        """
        SELECT event_id, event_type AS type, event_created_at AS created_at, sequence, is_gap, place = %(piece)s AS is_last,
               (SELECT d.status FROM webhook_deliveries d
                WHERE d.webhook_id = %(webhook_id)s AND d.event_id = examined.event_id
                  AND d.event_created_at BETWEEN examined.event_created_at AND examined.event_created_at
                ORDER BY delivery_rank(d.status, d.replay_id, d.attempts), d.created_at DESC, d.id DESC LIMIT 1) AS state
        FROM (
          SELECT d.*, row_number() OVER (ORDER BY d.event_created_at, d.event_id, d.created_at, d.id) AS place,
                 NOT EXISTS (
                   SELECT 1 FROM webhook_deliveries r
                   WHERE r.webhook_id = %(webhook_id)s AND r.event_id = d.event_id
                     AND r.event_created_at BETWEEN d.event_created_at AND d.event_created_at AND r.id <> d.id
                     AND (r.status NOT IN ('failed', 'dropped')
                          -- An event that was given up several times is one gap: that of its first delivery.
                          OR (r.created_at, r.id) < (d.created_at, d.id))) AS is_gap
          FROM (
            SELECT id, event_id, event_type, event_created_at, created_at, status, sequence FROM webhook_deliveries
            WHERE webhook_id = %(webhook_id)s AND status IN ('failed', 'dropped') AND NOT is_test
              AND event_created_at >= %(after_at)s AND event_created_at < %(end)s
              AND (event_created_at, event_id) > (%(after_at)s, %(after_id)s)
            ORDER BY event_created_at, event_id, created_at, id LIMIT %(piece)s
          ) d
        ) examined
        WHERE is_gap OR place = %(piece)s
        ORDER BY event_created_at, event_id
        """,
        {"webhook_id": webhook_id, "after_at": after[0], "after_id": after[1], "end": end, "piece": piece},
        Examined,
    )


def without_delivery(
    tx: Tx,
    webhook_id: UUID,
    after: Position,
    end: datetime,
    event_types: list[str],
    *,
    is_filtered: bool,
    piece: int,
) -> list[Examined]:
    """Among the next stored events of these types, those that no delivery to the webhook was made of, in their order.

    Leaves out what is so young that its deliveries may still be made.
    """
    return tx.all(
        """
        SELECT examined.id AS event_id, examined.type, examined.created_at, 'missing' AS state, NULL::bigint AS sequence,
               is_gap, place = %(piece)s AS is_last, e.workspace_id, e.data
        FROM (
          SELECT n.*, row_number() OVER (ORDER BY n.created_at, n.id) AS place,
                 n.subject_id IS DISTINCT FROM %(webhook_id)s AND NOT EXISTS (
                   SELECT 1 FROM webhook_deliveries d
                   WHERE d.webhook_id = %(webhook_id)s AND d.event_id = n.id
                     AND d.event_created_at BETWEEN n.created_at AND n.created_at) AS is_gap
          FROM (
            SELECT of_type.* FROM unnest(%(event_types)s::text[]) AS asked (type)
            CROSS JOIN LATERAL (
              SELECT e.id, e.type, e.created_at, e.subject_id FROM events e
              WHERE e.type = asked.type AND e.created_at >= %(after_at)s AND e.created_at < %(end)s
                AND e.created_at < clock_timestamp() - make_interval(mins => %(fan_out_minutes)s)
                AND (e.created_at, e.id) > (%(after_at)s, %(after_id)s)
              ORDER BY e.created_at, e.id LIMIT %(piece)s
            ) of_type
            ORDER BY of_type.created_at, of_type.id LIMIT %(piece)s
          ) n
        ) examined
        LEFT JOIN LATERAL (
          SELECT e.workspace_id, e.data FROM events e
          WHERE is_gap AND %(is_filtered)s AND e.id = examined.id
            AND e.created_at BETWEEN examined.created_at AND examined.created_at
          ORDER BY e.created_at LIMIT 1
        ) e ON true
        WHERE is_gap OR place = %(piece)s
        ORDER BY examined.created_at, examined.id
        """,
        {
            "webhook_id": webhook_id,
            "after_at": after[0],
            "after_id": after[1],
            "end": end,
            "event_types": event_types,
            "is_filtered": is_filtered,
            "fan_out_minutes": FAN_OUT_MINUTES,
            "piece": piece,
        },
        Examined,
    )
