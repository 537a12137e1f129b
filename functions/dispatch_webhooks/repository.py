"""SQL of the dispatcher: what it claims, and what it gives back. What came of an attempt is stored by `recording`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from dispatch_webhooks import ordering_repository
from penguinmails.db import Tx
from penguinmails.domain.deliveries import LEASE_MARGIN_SECONDS, DeliveryRef
from penguinmails.logging import count

# Rows are found by LATERAL with LIMIT and written by INSERT ... ON CONFLICT, that is, one by one by their key. A join would
# be planned by statistics, which take a tenant that has just begun to fill a table for one with a single row in it, and would
# read all of them for each. Every row that is written is locked before, so none is ever inserted. An event's moment only says
# in which month to look: those of one bulk change share it, so an index that has it is the wrong one. It is asked for as a
# range in its order, which after one id no other index has than the key: of a new month there are no statistics, and all
# indexes seem as good.

_NAMED: LiteralString = """
    WITH asked AS (
      SELECT * FROM unnest(%(ids)s::uuid[], %(moments)s::timestamptz[]) AS named (id, event_created_at)
    )
"""

# What stands first in line of all is of those webhooks whose own first ones do: no more webhooks than deliveries are wanted.
_WAITING: LiteralString = """
    WITH lines AS (
      SELECT w.tenant_id, w.mode, w.id, least(%(per_webhook)s, w.max_per_second * w.batch_size) AS most, first.parked_at
      FROM webhooks w
      CROSS JOIN LATERAL (
        SELECT d.parked_at FROM webhook_deliveries d
        WHERE d.tenant_id = w.tenant_id AND d.mode = w.mode AND d.webhook_id = w.id AND d.parked_at IS NOT NULL
        ORDER BY d.parked_at LIMIT 1
      ) first
      WHERE w.is_active AND w.deleted_at IS NULL AND w.id <> ALL(%(busy)s::uuid[])
        AND (w.paced_until IS NULL OR w.paced_until <= clock_timestamp() + interval '250 milliseconds')
        -- What waits to share a post goes when the first has waited long enough, or when the post is full.
        AND (w.batch_wait_seconds = 0
             OR first.parked_at <= clock_timestamp() + interval '250 milliseconds'
             OR EXISTS (
               SELECT 1 FROM webhook_deliveries d
               WHERE d.tenant_id = w.tenant_id AND d.mode = w.mode AND d.webhook_id = w.id AND d.parked_at IS NOT NULL
               ORDER BY d.parked_at OFFSET w.batch_size - 1 LIMIT 1))
      ORDER BY first.parked_at LIMIT least(%(webhooks)s::integer, %(most)s)
    )
    , last AS (SELECT CASE WHEN count(*) >= %(most)s THEN max(parked_at) ELSE 'infinity' END AS parked_at FROM lines)
    , asked AS (
      (SELECT p.id, p.event_created_at
       FROM last CROSS JOIN lines w
       CROSS JOIN LATERAL (
         SELECT d.id, d.event_created_at, d.parked_at FROM webhook_deliveries d
         WHERE d.tenant_id = w.tenant_id AND d.mode = w.mode AND d.webhook_id = w.id AND d.parked_at <= last.parked_at
         ORDER BY d.parked_at LIMIT w.most
       ) p
       ORDER BY p.parked_at LIMIT %(most)s)
      UNION
      (SELECT d.id, d.event_created_at FROM webhook_deliveries d
       WHERE d.next_sweep_at <= now() AND d.webhook_id <> ALL(%(busy)s::uuid[])
         -- Looked up for what is due; as a join it may be the other way round.
         AND (SELECT w.is_active FROM webhooks w WHERE w.tenant_id = d.tenant_id AND w.mode = d.mode AND w.id = d.webhook_id)
       ORDER BY d.next_sweep_at LIMIT %(per_webhook)s)
    )
"""

# What another worker is about to claim is left to it instead of being waited for. A delivery whose event is not kept any more
# would be found again and again, and hold up what is behind it: it is given up. Of a contact or campaign whose deliveries
# go in order, those are claimed that have none before them but such as are claimed along with them.
_CLAIM: LiteralString = """
    , free AS (
      SELECT d.* FROM asked
      CROSS JOIN LATERAL (
        SELECT d.* FROM webhook_deliveries d
        WHERE d.id = asked.id AND d.event_created_at BETWEEN asked.event_created_at AND asked.event_created_at
          AND (d.status = 'queued'
               OR (d.status = 'pending_retry' AND d.next_retry_at <= clock_timestamp())
               OR (d.status = 'sending' AND d.next_sweep_at <= clock_timestamp()))
        ORDER BY d.event_created_at LIMIT 1 FOR UPDATE SKIP LOCKED
      ) d
    )
    , behind AS (
      SELECT k.webhook_id, k.order_key, b.sequence
      FROM (
        SELECT tenant_id, mode, webhook_id, order_key, array_agg(id) AS ids, max(sequence) AS last
        FROM free WHERE order_key IS NOT NULL GROUP BY tenant_id, mode, webhook_id, order_key
      ) k
      CROSS JOIN LATERAL (
        SELECT d.sequence FROM webhook_deliveries d
        WHERE d.tenant_id = k.tenant_id AND d.mode = k.mode AND d.webhook_id = k.webhook_id AND d.order_key = k.order_key
          AND d.status IN ('queued', 'sending', 'pending_retry', 'held')
          AND d.sequence < k.last AND d.id <> ALL(k.ids)
        ORDER BY d.sequence LIMIT 1
      ) b
    )
    , due AS (
      SELECT f.tenant_id, f.mode, f.id, f.webhook_id, f.event_id, f.event_type, f.event_created_at, f.attempts, f.sequence,
             f.replay_id IS NOT NULL AS is_replay, f.traceparent,
             w.endpoint_url, w.secret_ref, w.secret_version, w.max_per_second, w.api_version,
             coalesce(w.paced_until > clock_timestamp() + interval '250 milliseconds', false) AS is_paced,
             w.retry_enabled, w.max_retries, w.timeout_seconds,
             w.consecutive_failures > 0 OR w.is_probing AS is_troubled, w.is_probing, e.workspace_id, e.data,
             f.order_key, w.batch_size, w.batch_wait_seconds > 0 AS gathers, e.created_at IS NULL AS is_expired,
             e.created_at IS NOT NULL AND b.sequence IS NOT NULL AND f.sequence > b.sequence AS must_wait
      FROM free f
      LEFT JOIN behind b ON b.webhook_id = f.webhook_id AND b.order_key = f.order_key
      CROSS JOIN LATERAL (
        SELECT w.* FROM webhooks w WHERE w.id = f.webhook_id AND w.is_active AND w.deleted_at IS NULL LIMIT 1
      ) w
      LEFT JOIN LATERAL (
        SELECT e.workspace_id, e.data, e.created_at FROM events e
        WHERE e.id = f.event_id AND e.created_at BETWEEN f.event_created_at AND f.event_created_at
        ORDER BY e.created_at LIMIT 1
      ) e ON true
    ), claimed AS (
      INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at,
                                           next_sweep_at)
      SELECT tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at,
             clock_timestamp() + make_interval(secs => timeout_seconds + %(margin)s)
      FROM due WHERE NOT must_wait AND NOT is_expired
      ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
      SET status = 'sending', attempts = d.attempts + 1, next_retry_at = NULL, parked_at = NULL,
          next_sweep_at = excluded.next_sweep_at
    ), given_up AS (
      INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, status)
      SELECT tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, 'dropped' FROM due WHERE is_expired
      ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
      SET status = excluded.status, finished_at = clock_timestamp(), next_retry_at = NULL, next_sweep_at = NULL,
          parked_at = NULL
    )
    SELECT id, webhook_id, event_id, event_type, event_created_at, attempts, sequence, is_replay, traceparent,
           endpoint_url, secret_ref, secret_version, max_per_second, is_paced, api_version, retry_enabled, max_retries,
           timeout_seconds, is_troubled, is_probing, workspace_id, data, order_key, batch_size, gathers, must_wait, is_expired
    FROM due
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
    sequence: int | None
    is_replay: bool
    traceparent: str | None
    endpoint_url: str
    secret_ref: str
    secret_version: int
    max_per_second: int | None
    is_paced: bool
    """Whether its webhook has just had as many posts as it wants in a second."""
    api_version: str
    retry_enabled: bool
    max_retries: int
    timeout_seconds: int
    is_troubled: bool
    """Whether the webhook's last post failed, or it is on trial."""
    is_probing: bool
    workspace_id: UUID | None
    data: Any
    order_key: UUID | None
    """The contact or campaign whose deliveries go one after the other; None where order does not matter."""
    batch_size: int
    gathers: bool
    """Whether its webhook's deliveries are parked for a while to share a post."""
    must_wait: bool
    """Not claimed after all: one of its contact or campaign is to go before it."""
    is_expired: bool
    """Given up instead: its event is older than events are kept, so there is nothing left to post."""


def claim(tx: Tx, deliveries: Sequence[DeliveryRef]) -> list[Claim]:
    """Take those that are due, by compare-and-set; not what another worker has or what is finished.

    An attempt whose worker died is free again after its lease: the time-out and a margin.
    """
    found = tx.all(_NAMED + _CLAIM, {**named(deliveries), "margin": LEASE_MARGIN_SECONDS}, Claim)
    return _in_order(tx, found)


def claim_waiting(tx: Tx, *, busy: Sequence[UUID], webhooks: int, per_webhook: int, most: int) -> list[Claim]:
    """Take what the tenant has parked, the longest waiting of so many webhooks, and what a killed worker has left.

    Webhooks in `busy` have no slot to spare.
    """
    params = {
        "busy": list(busy),
        "webhooks": webhooks,
        "per_webhook": per_webhook,
        "most": most,
        "margin": LEASE_MARGIN_SECONDS,
    }
    return _in_order(tx, tx.all(_WAITING + _CLAIM, params, Claim))


def _in_order(tx: Tx, found: Sequence[Claim]) -> list[Claim]:
    """Those that were claimed; the others are held back, or claimed when what was before them has ended meanwhile."""
    expired = [claim for claim in found if claim.is_expired]
    if expired:
        count("webhook_deliveries_expired_total", len(expired))
        ordering_repository.release(tx, [(claim.webhook_id, claim.order_key) for claim in expired if claim.order_key])
        found = [claim for claim in found if not claim.is_expired]
    early = [DeliveryRef(claim.id, claim.event_created_at) for claim in found if claim.must_wait]
    claims = [claim for claim in found if not claim.must_wait]
    if early:
        held_back = ordering_repository.hold_back(tx, early)
        free = [delivery for delivery in early if delivery.id not in held_back]
        claims += claim(tx, free) if free else []
    return claims


def park(tx: Tx, deliveries: Sequence[DeliveryRef], *, retries_stand_back_seconds: int) -> set[UUID]:
    """Put those that are due in line without claiming them; the webhooks that they are for."""
    found: list[UUID] = tx.all(
        """
        WITH free AS (
          SELECT d.* FROM unnest(%(ids)s::uuid[], %(moments)s::timestamptz[]) AS asked (id, event_created_at)
          CROSS JOIN LATERAL (
            SELECT d.* FROM webhook_deliveries d
            WHERE d.id = asked.id
              AND d.event_created_at BETWEEN asked.event_created_at AND asked.event_created_at
              AND (d.status = 'queued'
                   OR (d.status = 'pending_retry' AND d.next_retry_at <= clock_timestamp()))
            ORDER BY d.event_created_at LIMIT 1 FOR UPDATE SKIP LOCKED
          ) d
        )
        INSERT INTO webhook_deliveries AS d (tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at, parked_at)
        SELECT tenant_id, mode, id, webhook_id, event_id, event_type, event_created_at,
               clock_timestamp()
               + make_interval(secs => CASE WHEN attempts > 0 AND NOT EXISTS (
                                         SELECT 1 FROM webhooks w WHERE w.id = free.webhook_id AND w.batch_wait_seconds > 0)
                                       THEN %(retries_stand_back_seconds)s ELSE 0 END)
        FROM free
        ON CONFLICT (tenant_id, mode, id, event_created_at) DO UPDATE
        SET next_sweep_at = NULL, parked_at = excluded.parked_at
        RETURNING d.webhook_id
        """,
        {**named(deliveries), "retries_stand_back_seconds": retries_stand_back_seconds},
    )
    return set(found)


def pace(tx: Tx, webhook_id: UUID, seconds: int) -> bool:
    """Leave what is parked for a webhook alone for some seconds; whether nobody else has said so already.

    Here and where it is read a quarter of a second does not matter: the message that ends the wait may be early.
    """
    return bool(
        tx.run(
            """
            UPDATE webhooks SET paced_until = clock_timestamp() + make_interval(secs => %(seconds)s)
            WHERE id = %(id)s AND (paced_until IS NULL OR paced_until <= clock_timestamp() + interval '250 milliseconds')
            """,
            {"id": webhook_id, "seconds": seconds},
        )
    )


def named(deliveries: Sequence[DeliveryRef]) -> dict[str, Any]:
    """The parameters that statements find deliveries by."""
    return {
        "ids": [delivery.id for delivery in deliveries],
        "moments": [delivery.event_created_at for delivery in deliveries],
    }
