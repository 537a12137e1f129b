"""SQL of the fan-out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.deliveries import SWEEP_AFTER_SECONDS, DeliveryRef
from penguinmails.ids import new_uuid7


@dataclass(frozen=True, slots=True)
class _Match:
    webhook_id: UUID
    event_id: UUID
    event_type: str


def insert_deliveries(tx: Tx, event_ids: Sequence[UUID], created_at: datetime) -> list[DeliveryRef]:
    """One delivery per event and active webhook that subscribed to its type; those that are new."""
    matches = tx.all(
        """
        SELECT w.id AS webhook_id, e.id AS event_id, e.type AS event_type
        FROM events e
        JOIN webhooks w ON w.tenant_id = e.tenant_id AND w.mode = e.mode
        WHERE e.id = ANY(%(ids)s::uuid[]) AND e.created_at = %(created_at)s
          AND w.is_active AND w.deleted_at IS NULL AND e.type = ANY(w.event_types)
        """,
        {"ids": list(event_ids), "created_at": created_at},
        _Match,
    )
    if not matches:
        return []
    return tx.all(
        """
        INSERT INTO webhook_deliveries (id, tenant_id, mode, webhook_id, event_id, event_type, event_created_at,
                                        next_sweep_at)
        SELECT new.id, %(tenant_id)s, %(mode)s, new.webhook_id, new.event_id, new.event_type, %(created_at)s,
               clock_timestamp() + make_interval(secs => %(sweep_after)s)
        FROM unnest(%(ids)s::uuid[], %(webhook_ids)s::uuid[], %(event_ids)s::uuid[], %(event_types)s::text[])
             AS new (id, webhook_id, event_id, event_type)
        ON CONFLICT (tenant_id, mode, webhook_id, event_id, event_created_at) DO NOTHING
        RETURNING id, event_created_at
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "created_at": created_at,
            "sweep_after": SWEEP_AFTER_SECONDS,
            "ids": [new_uuid7() for _ in matches],
            "webhook_ids": [match.webhook_id for match in matches],
            "event_ids": [match.event_id for match in matches],
            "event_types": [match.event_type for match in matches],
        },
        DeliveryRef,
    )
