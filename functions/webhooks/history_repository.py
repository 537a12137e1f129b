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
    last_status_code: int | None
    was_cancelled: bool
    """Whether it was given up, before its first post, as its replay was cancelled."""
    is_behind: bool
    """Whether one before it, of the same contact or campaign, has to go first."""
    is_parked: bool
    """Whether it is in line, as its webhook or its account has as much under way as it may."""
    event_type: str
    is_kept: bool
    """Whether its event is still stored."""


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
    """The first in rank of an event's deliveries to a webhook, which are kept longer than it; None when none was made."""
    return tx.one(
        """
        SELECT d.id, d.status, d.attempts, d.next_retry_at,
               coalesce(d.finished_at >= d.event_created_at + interval '30 days', false) AS has_expired,
               coalesce(a.error_message, 'HTTP ' || a.status_code) AS last_error,
               a.status_code AS last_status_code,
               d.status = 'dropped' AND d.attempts = 0 AND EXISTS (
                 SELECT 1 FROM webhook_replays p
                 WHERE p.id = d.replay_id AND p.status = 'cancelled' AND p.finished_at <= d.finished_at) AS was_cancelled,
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
        ORDER BY delivery_rank(d.status, d.replay_id, d.attempts), d.created_at DESC, d.id DESC LIMIT 1
        """,
        {"webhook_id": webhook_id, "id": event_id},
        OutcomeRow,
    )
