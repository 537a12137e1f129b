"""SQL of the dispatcher: what it claims, and what it gives back. What came of an attempt is stored by `recording`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.deliveries import LEASE_MARGIN_SECONDS, DeliveryRef

# Rows that another worker is about to claim are left to it instead of being waited for.
_NAMED: LiteralString = """
    WITH free AS (
      SELECT d.tenant_id, d.mode, d.id, d.event_created_at
      FROM unnest(%(ids)s::uuid[], %(moments)s::timestamptz[]) AS asked (id, event_created_at)
      JOIN webhook_deliveries d ON d.id = asked.id AND d.event_created_at = asked.event_created_at
      WHERE (d.status = 'queued'
             OR (d.status = 'pending_retry' AND d.next_retry_at <= clock_timestamp() + interval '2 seconds')
             OR (d.status = 'sending' AND d.next_sweep_at <= clock_timestamp()))
      FOR UPDATE OF d SKIP LOCKED
    )
"""

_WAITING: LiteralString = """
    WITH waiting AS (
      (SELECT p.tenant_id, p.mode, p.id, p.event_created_at
       FROM webhooks w
       CROSS JOIN LATERAL (
         SELECT d.tenant_id, d.mode, d.id, d.event_created_at, d.parked_at FROM webhook_deliveries d
         WHERE d.tenant_id = w.tenant_id AND d.mode = w.mode AND d.webhook_id = w.id AND d.parked_at IS NOT NULL
         ORDER BY d.parked_at LIMIT %(per_webhook)s
       ) p
       WHERE w.is_active AND w.deleted_at IS NULL AND w.id <> ALL(%(busy)s::uuid[])
       ORDER BY p.parked_at LIMIT %(most)s)
      UNION ALL
      (SELECT d.tenant_id, d.mode, d.id, d.event_created_at FROM webhook_deliveries d
       JOIN webhooks w ON w.tenant_id = d.tenant_id AND w.mode = d.mode AND w.id = d.webhook_id AND w.is_active
       WHERE d.next_sweep_at <= now() AND d.webhook_id <> ALL(%(busy)s::uuid[])
       ORDER BY d.next_sweep_at LIMIT %(per_webhook)s)
    ), free AS (
      SELECT d.tenant_id, d.mode, d.id, d.event_created_at
      FROM waiting p
      JOIN webhook_deliveries d ON d.tenant_id = p.tenant_id AND d.mode = p.mode AND d.id = p.id
       AND d.event_created_at = p.event_created_at
      WHERE (d.status = 'queued'
             OR (d.status = 'pending_retry' AND d.next_retry_at <= clock_timestamp() + interval '2 seconds')
             OR (d.status = 'sending' AND d.next_sweep_at <= clock_timestamp()))
      FOR UPDATE OF d SKIP LOCKED
    )
"""

_CLAIM: LiteralString = """
    UPDATE webhook_deliveries d
    SET status = 'sending', attempts = d.attempts + 1, next_retry_at = NULL, parked_at = NULL,
        next_sweep_at = clock_timestamp() + make_interval(secs => w.timeout_seconds + %(margin)s)
    FROM free f, webhooks w, events e
    WHERE d.tenant_id = f.tenant_id AND d.mode = f.mode AND d.id = f.id AND d.event_created_at = f.event_created_at
      AND w.tenant_id = d.tenant_id AND w.mode = d.mode AND w.id = d.webhook_id AND w.is_active AND w.deleted_at IS NULL
      AND e.tenant_id = d.tenant_id AND e.mode = d.mode AND e.id = d.event_id AND e.created_at = d.event_created_at
    RETURNING d.id, d.webhook_id, d.event_id, d.event_type, d.event_created_at, d.attempts - 1 AS attempts,
              w.endpoint_url, w.secret_ref, w.secret_version, w.max_per_second, w.api_version,
              w.retry_enabled, w.max_retries, w.timeout_seconds,
              w.consecutive_failures > 0 OR w.is_probing AS is_troubled, w.is_probing, e.workspace_id, e.data
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this worker may attempt now, with all that the attempt needs."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    event_type: str
    event_created_at: datetime
    attempts: int
    endpoint_url: str
    secret_ref: str
    secret_version: int
    max_per_second: int | None
    api_version: str
    retry_enabled: bool
    max_retries: int
    timeout_seconds: int
    is_troubled: bool
    """Whether the webhook's last post failed, or it is on trial."""
    is_probing: bool
    workspace_id: UUID | None
    data: Any


def claim(tx: Tx, deliveries: Sequence[DeliveryRef]) -> list[Claim]:
    """Take those that are due, by compare-and-set; not what another worker has or what is finished.

    An attempt whose worker died is free again after its lease: the time-out and a margin.
    """
    return tx.all(_NAMED + _CLAIM, {**_named(deliveries), "margin": LEASE_MARGIN_SECONDS}, Claim)


def claim_waiting(tx: Tx, *, busy: Sequence[UUID], per_webhook: int, most: int) -> list[Claim]:
    """Take what the tenant has parked, from each webhook the longest waiting, and what a killed worker has left.

    Webhooks in `busy` have no slot to spare.
    """
    params = {"busy": list(busy), "per_webhook": per_webhook, "most": most, "margin": LEASE_MARGIN_SECONDS}
    return tx.all(_WAITING + _CLAIM, params, Claim)


def settle_unclaimed(tx: Tx, deliveries: Sequence[DeliveryRef]) -> None:
    """Of deliveries that could not be claimed: hold those of a paused webhook, give up those of a deleted one.

    Webhooks stay as they are until that is stored, or a resumption would miss what is held.
    """
    tx.run(
        """
        WITH resting AS (
          SELECT w.tenant_id, w.mode, w.id, w.deleted_at IS NOT NULL AS is_deleted FROM webhooks w
          WHERE NOT w.is_active AND w.id IN (
            SELECT d.webhook_id FROM unnest(%(ids)s::uuid[], %(moments)s::timestamptz[]) AS asked (id, event_created_at)
            JOIN webhook_deliveries d ON d.id = asked.id AND d.event_created_at = asked.event_created_at)
          ORDER BY w.id FOR SHARE
        )
        UPDATE webhook_deliveries d
        SET status = CASE WHEN r.is_deleted THEN 'failed' ELSE 'held' END,
            finished_at = CASE WHEN r.is_deleted THEN clock_timestamp() END,
            next_retry_at = NULL, next_sweep_at = NULL, parked_at = NULL
        FROM resting r, unnest(%(ids)s::uuid[], %(moments)s::timestamptz[]) AS asked (id, event_created_at)
        WHERE d.id = asked.id AND d.event_created_at = asked.event_created_at
          AND d.tenant_id = r.tenant_id AND d.mode = r.mode AND d.webhook_id = r.id
          AND (d.status IN ('queued', 'pending_retry') OR (d.status = 'sending' AND d.next_sweep_at <= clock_timestamp()))
        """,
        _named(deliveries),
    )


def settle_parked(tx: Tx) -> None:
    """What is parked for webhooks that were paused or deleted since: held, or given up."""
    tx.run(
        """
        WITH resting AS (
          SELECT w.tenant_id, w.mode, w.id, w.deleted_at IS NOT NULL AS is_deleted FROM webhooks w
          WHERE NOT w.is_active AND EXISTS (
            SELECT 1 FROM webhook_deliveries d
            WHERE d.tenant_id = w.tenant_id AND d.mode = w.mode AND d.webhook_id = w.id AND d.parked_at IS NOT NULL)
          ORDER BY w.id FOR SHARE
        )
        UPDATE webhook_deliveries d
        SET status = CASE WHEN r.is_deleted THEN 'failed' ELSE 'held' END,
            finished_at = CASE WHEN r.is_deleted THEN clock_timestamp() END,
            next_retry_at = NULL, next_sweep_at = NULL, parked_at = NULL
        FROM resting r
        WHERE d.tenant_id = r.tenant_id AND d.mode = r.mode AND d.webhook_id = r.id AND d.parked_at IS NOT NULL
        """,
        {},
    )


def park(tx: Tx, deliveries: Sequence[DeliveryRef], *, retries_stand_back_seconds: int) -> set[UUID]:
    """Put those that are due in line without claiming them; the webhooks that they are for."""
    found: list[UUID] = tx.all(
        """
        WITH free AS (
          SELECT d.tenant_id, d.mode, d.id, d.event_created_at
          FROM unnest(%(ids)s::uuid[], %(moments)s::timestamptz[]) AS asked (id, event_created_at)
          JOIN webhook_deliveries d ON d.id = asked.id AND d.event_created_at = asked.event_created_at
          WHERE d.status = 'queued'
             OR (d.status = 'pending_retry' AND d.next_retry_at <= clock_timestamp() + interval '2 seconds')
          FOR UPDATE OF d SKIP LOCKED
        )
        UPDATE webhook_deliveries d
        SET next_sweep_at = NULL, parked_at = clock_timestamp()
          + make_interval(secs => CASE WHEN d.attempts > 0 THEN %(retries_stand_back_seconds)s ELSE 0 END)
        FROM free f
        WHERE d.tenant_id = f.tenant_id AND d.mode = f.mode AND d.id = f.id AND d.event_created_at = f.event_created_at
        RETURNING d.webhook_id
        """,
        {**_named(deliveries), "retries_stand_back_seconds": retries_stand_back_seconds},
    )
    return set(found)


def _named(deliveries: Sequence[DeliveryRef]) -> dict[str, Any]:
    return {
        "ids": [delivery.id for delivery in deliveries],
        "moments": [delivery.event_created_at for delivery in deliveries],
    }
