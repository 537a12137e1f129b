"""SQL of the delivery log, and of what waits for a paused webhook."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.deliveries import DeliveryRef
from penguinmails.ids import event_public_id, test_event_public_id
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "d.created_at"}
KINDS = {"created_at": "time"}

_SELECT: LiteralString = """
SELECT d.id, d.event_id, d.event_type, d.event_created_at, d.sequence, d.status, d.attempts, d.next_retry_at, d.created_at,
       d.finished_at, d.is_test, d.replay_id, a.status_code AS last_status_code, a.error_message AS last_error,
       a.duration_ms AS last_duration_ms
FROM webhook_deliveries d
LEFT JOIN webhook_attempts a
  ON a.tenant_id = d.tenant_id AND a.mode = d.mode AND a.delivery_id = d.id
  AND a.event_created_at = d.event_created_at AND a.attempt_number = d.attempts - 1"""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery with the outcome of its last attempt."""

    id: UUID
    event_id: UUID
    event_type: str
    event_created_at: datetime
    sequence: int | None
    status: str
    attempts: int
    next_retry_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    is_test: bool
    replay_id: UUID | None
    last_status_code: int | None
    last_error: str | None
    last_duration_ms: int | None


def shown_event_id(row: DeliveryRow) -> str:
    """The event's id as its payload told it."""
    return test_event_public_id(row.event_created_at) if row.is_test else event_public_id(row.event_id)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One post and its answer."""

    attempt_number: int
    attempted_at: datetime
    duration_ms: int
    status_code: int | None
    request_headers: dict[str, str]
    response_headers: dict[str, str] | None
    response_body: str | None
    error_message: str | None
    timing: dict[str, int | None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """What a log is narrowed to; None leaves a filter out."""

    status: str | None = None
    event_type: str | None = None
    event_id: UUID | None = None
    sequence: int | None = None
    email: str | None = None
    created_after: datetime
    created_before: datetime | None = None


def list_deliveries(
    tx: Tx, webhook_id: UUID, keyset: Keyset, wanted: DeliveryFilter
) -> tuple[list[DeliveryRow], int | None]:
    """A page of a webhook's log."""
    return select_page(
        tx,
        _SELECT,
        _wanted(webhook_id, wanted),
        keyset,
        COLUMNS,
        DeliveryRow,
        id_column="d.id",
        count_from=" FROM webhook_deliveries d",
    )


def _wanted(webhook_id: UUID, wanted: DeliveryFilter) -> Conditions:
    where = Conditions()
    where.add("d.webhook_id = %(webhook_id)s", webhook_id=webhook_id)
    where.add("d.created_at > %(created_after)s", created_after=wanted.created_after)
    where.add_given("d.created_at < %(created_before)s", created_before=wanted.created_before)
    where.add_given("d.status = %(status)s", status=wanted.status)
    where.add_given("d.event_type = %(event_type)s", event_type=wanted.event_type)
    where.add_given("d.event_id = %(event_id)s", event_id=wanted.event_id)
    where.add_given("d.sequence = %(sequence)s", sequence=wanted.sequence)
    where.add_given(
        """
        d.event_id = ANY(ARRAY(
          SELECT e.id FROM events e
          WHERE e.subject_id IN (SELECT id FROM contacts WHERE email = lower(%(email)s)
                                 UNION ALL SELECT id FROM emails WHERE to_email = lower(%(email)s))))
        """,
        email=wanted.email,
    )
    return where


def find_delivery(tx: Tx, webhook_id: UUID, delivery_id: UUID) -> DeliveryRow | None:
    """One delivery of a webhook."""
    return tx.one(
        _SELECT + " WHERE d.webhook_id = %(webhook_id)s AND d.id = %(id)s",
        {"webhook_id": webhook_id, "id": delivery_id},
        DeliveryRow,
    )


def attempts_of(tx: Tx, delivery: DeliveryRow) -> list[AttemptRow]:
    """The posts of a delivery, in their order."""
    return tx.all(
        """
        SELECT attempt_number, attempted_at, duration_ms, status_code, request_headers, response_headers, response_body,
               error_message, timing
        FROM webhook_attempts WHERE delivery_id = %(id)s AND event_created_at = %(event_created_at)s
        ORDER BY attempt_number
        """,
        {"id": delivery.id, "event_created_at": delivery.event_created_at},
        AttemptRow,
    )


def payload_of(tx: Tx, delivery: DeliveryRow) -> Any:
    """The event's data; None once it was deleted."""
    return tx.one(
        "SELECT data FROM events WHERE id = %(id)s AND created_at = %(created_at)s",
        {"id": delivery.event_id, "created_at": delivery.event_created_at},
    )


def retry_failed(tx: Tx, webhook_id: UUID, delivery_id: UUID | None, limit: int) -> list[DeliveryRef]:
    """Give failed deliveries one more attempt: the one that is named, or the oldest of all whose events are still kept."""
    return tx.all(
        """
        WITH found AS (
          SELECT * FROM webhook_deliveries d
          WHERE webhook_id = %(webhook_id)s AND status = 'failed' AND NOT is_test AND (%(id)s::uuid IS NULL OR id = %(id)s)
            AND EXISTS (SELECT 1 FROM events e
                        WHERE e.tenant_id = d.tenant_id AND e.mode = d.mode AND e.id = d.event_id
                          AND e.created_at = d.event_created_at)
          ORDER BY created_at, id LIMIT %(limit)s FOR UPDATE OF d
        )
        INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, status,
                                             next_sweep_at)
        SELECT tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, 'queued',
               clock_timestamp() + interval '2 minutes'
        FROM found
        ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
        SET status = excluded.status, finished_at = NULL, next_retry_at = NULL, next_sweep_at = excluded.next_sweep_at
        RETURNING d.id, d.event_created_at
        """,
        {"webhook_id": webhook_id, "id": delivery_id, "limit": limit},
        DeliveryRef,
    )
