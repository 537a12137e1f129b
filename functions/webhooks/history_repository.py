"""SQL of the stored events, and of what became of them for a webhook."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "created_at"}
KINDS = {"created_at": "time"}
FAN_OUT_MINUTES = 2
"""An event that is younger may not have met its webhooks yet."""

_SELECT: LiteralString = "SELECT id, type, schema_version, workspace_id, data, created_at, subject_id FROM events"


@dataclass(frozen=True, slots=True)
class EventRow:
    """One stored event."""

    id: UUID
    type: str
    schema_version: int
    workspace_id: UUID | None
    data: Any
    created_at: datetime
    subject_id: UUID | None


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What became of an event for a webhook."""

    id: UUID
    status: str
    attempts: int
    next_retry_at: datetime | None
    has_expired: bool
    """Whether it was still open when its event's time was over."""
    last_error: str | None
    is_behind: bool
    """Whether one before it, of the same contact or campaign, has to go first."""
    is_parked: bool
    """Whether it is in line, as its webhook or its account has as much under way as it may."""
    event_type: str
    is_kept: bool
    """Whether its event is still stored."""


@dataclass(frozen=True, slots=True)
class CountsRow:
    """Deliveries of a span of time, by outcome."""

    matched: int
    delivered: int
    pending: int
    held: int
    failed: int
    dropped: int
    first_sequence: int | None
    last_sequence: int | None


@dataclass(frozen=True, slots=True)
class GapRow:
    """An event that did not arrive."""

    event_id: UUID
    type: str
    created_at: datetime
    state: str
    sequence: int | None = None


def list_events(
    tx: Tx,
    keyset: Keyset,
    *,
    event_type: str | None,
    created_after: datetime | None,
    created_before: datetime | None,
) -> tuple[list[EventRow], int | None]:
    """A page of stored events."""
    where = Conditions()
    where.add_given("type = %(type)s", type=event_type)
    where.add_given("created_at > %(created_after)s", created_after=created_after)
    where.add_given("created_at < %(created_before)s", created_before=created_before)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, EventRow)


def find_event(tx: Tx, event_id: UUID) -> EventRow | None:
    """A stored event."""
    return tx.one(_SELECT + " WHERE id = %(id)s", {"id": event_id}, EventRow)


def newest_events(tx: Tx, event_types: list[str], limit: int) -> list[EventRow]:
    """The newest stored events of these types."""
    return tx.all(
        """
        SELECT id, type, schema_version, workspace_id, data, created_at, subject_id FROM events
        WHERE type = ANY(%(event_types)s) ORDER BY created_at DESC, id DESC LIMIT %(limit)s
        """,
        {"event_types": event_types, "limit": limit},
        EventRow,
    )


def outcome_of(tx: Tx, webhook_id: UUID, event_id: UUID) -> OutcomeRow | None:
    """An event's delivery to a webhook, which is kept longer than the event; None when none was made."""
    return tx.one(
        """
        SELECT d.id, d.status, d.attempts, d.next_retry_at,
               coalesce(d.finished_at >= d.event_created_at + interval '30 days', false) AS has_expired,
               coalesce(a.error_message, 'HTTP ' || a.status_code) AS last_error,
               d.status = 'queued' AND d.order_key IS NOT NULL AND EXISTS (
                 SELECT 1 FROM webhook_deliveries p
                 WHERE p.tenant_id = d.tenant_id AND p.mode = d.mode AND p.webhook_id = d.webhook_id
                   AND p.order_key = d.order_key AND p.sequence < d.sequence
                   AND p.status IN ('queued', 'sending', 'pending_retry', 'held')) AS is_behind,
               d.parked_at IS NOT NULL AS is_parked, d.event_type,
               EXISTS (SELECT 1 FROM events e WHERE e.tenant_id = d.tenant_id AND e.mode = d.mode AND e.id = d.event_id
                         AND e.created_at = d.event_created_at) AS is_kept
        FROM webhook_deliveries d
        LEFT JOIN webhook_attempts a
          ON a.tenant_id = d.tenant_id AND a.mode = d.mode AND a.delivery_id = d.id
          AND a.event_created_at = d.event_created_at AND a.attempt_number = d.attempts - 1
        WHERE d.webhook_id = %(webhook_id)s AND d.event_id = %(id)s AND NOT d.is_test
        ORDER BY d.status = 'success' DESC, d.created_at DESC LIMIT 1
        """,
        {"webhook_id": webhook_id, "id": event_id},
        OutcomeRow,
    )


def counts_between(tx: Tx, webhook_id: UUID, start: datetime, end: datetime) -> CountsRow:
    """What became of the events of a span of time, those included that only a replay has sent."""
    row = tx.one(
        """
        SELECT count(*) AS matched, count(*) FILTER (WHERE status = 'success') AS delivered,
               count(*) FILTER (WHERE status IN ('queued', 'sending', 'pending_retry')) AS pending,
               count(*) FILTER (WHERE status = 'held') AS held, count(*) FILTER (WHERE status = 'failed') AS failed,
               count(*) FILTER (WHERE status = 'dropped') AS dropped,
               min(sequence) AS first_sequence, max(sequence) AS last_sequence
        FROM (
          SELECT d.sequence, CASE WHEN d.status IN ('failed', 'dropped') THEN coalesce(again.status, d.status)
                                  ELSE d.status END AS status
          FROM webhook_deliveries d
          LEFT JOIN LATERAL (
            SELECT r.status FROM webhook_deliveries r
            WHERE d.status IN ('failed', 'dropped') AND r.tenant_id = d.tenant_id AND r.mode = d.mode
              AND r.webhook_id = d.webhook_id AND r.event_id = d.event_id AND r.event_created_at = d.event_created_at
              AND r.replay_id IS NOT NULL
            ORDER BY r.status = 'success' DESC, r.created_at DESC LIMIT 1
          ) again ON true
          WHERE d.webhook_id = %(webhook_id)s AND d.event_created_at >= %(start)s AND d.event_created_at < %(end)s
            AND d.replay_id IS NULL AND NOT d.is_test
          UNION ALL
          (SELECT DISTINCT ON (r.event_id) NULL, r.status
           FROM webhook_deliveries r
           WHERE r.webhook_id = %(webhook_id)s AND r.event_created_at >= %(start)s AND r.event_created_at < %(end)s
             AND r.replay_id IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM webhook_deliveries o
               WHERE o.webhook_id = r.webhook_id AND o.event_id = r.event_id
                 AND o.event_created_at = r.event_created_at AND o.replay_id IS NULL)
           ORDER BY r.event_id, r.status = 'success' DESC, r.created_at DESC)
        ) found
        """,
        {"webhook_id": webhook_id, "start": start, "end": end},
        CountsRow,
    )
    if row is None:
        raise LookupError("an aggregate without a row")
    return row


def undelivered(tx: Tx, webhook_id: UUID, start: datetime, end: datetime, limit: int) -> list[GapRow]:
    """Events of a span of time whose delivery was given up, the oldest first."""
    return tx.all(
        """
        SELECT event_id, event_type AS type, event_created_at AS created_at, status AS state, sequence
        FROM webhook_deliveries d
        WHERE webhook_id = %(webhook_id)s AND event_created_at >= %(start)s AND event_created_at < %(end)s
          AND status IN ('failed', 'dropped') AND NOT is_test
          AND NOT EXISTS (
            SELECT 1 FROM webhook_deliveries r
            WHERE r.tenant_id = d.tenant_id AND r.mode = d.mode AND r.webhook_id = d.webhook_id AND r.event_id = d.event_id
              AND r.event_created_at = d.event_created_at AND r.id <> d.id
              AND (r.status NOT IN ('failed', 'dropped')
                   -- An event that was given up several times is one gap: that of its first delivery.
                   OR (d.replay_id IS NOT NULL AND (r.created_at, r.id) < (d.created_at, d.id))))
        ORDER BY event_created_at, event_id LIMIT %(limit)s
        """,
        {"webhook_id": webhook_id, "start": start, "end": end, "limit": limit},
        GapRow,
    )


def without_delivery(
    tx: Tx, webhook_id: UUID, after: tuple[datetime, UUID], end: datetime, event_types: list[str], limit: int
) -> list[EventRow]:
    """Stored events of these types that no delivery to the webhook was made of, the oldest first, from a moment and id on.

    Leaves out what is so young that its deliveries may still be made.
    """
    after_at, after_id = after
    return tx.all(
        """
        SELECT e.id, e.type, e.schema_version, e.workspace_id, e.data, e.created_at, e.subject_id
        FROM events e
        WHERE e.type = ANY(%(event_types)s) AND e.created_at >= %(after_at)s AND e.created_at < %(end)s
          AND (e.created_at, e.id) > (%(after_at)s, %(after_id)s)
          AND e.subject_id IS DISTINCT FROM %(webhook_id)s
          AND e.created_at < clock_timestamp() - make_interval(mins => %(fan_out_minutes)s)
          AND NOT EXISTS (
            SELECT 1 FROM webhook_deliveries d
            WHERE d.tenant_id = e.tenant_id AND d.mode = e.mode AND d.webhook_id = %(webhook_id)s
              AND d.event_id = e.id AND d.event_created_at = e.created_at)
        ORDER BY e.created_at, e.id LIMIT %(limit)s
        """,
        {
            "webhook_id": webhook_id,
            "after_at": after_at,
            "after_id": after_id,
            "end": end,
            "event_types": event_types,
            "fan_out_minutes": FAN_OUT_MINUTES,
            "limit": limit,
        },
        EventRow,
    )
