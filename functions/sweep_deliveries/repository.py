"""SQL of the deliveries sweep."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Mode, Tx


@dataclass(frozen=True, slots=True)
class DueRow:
    """A delivery that somebody should attempt."""

    id: UUID
    tenant_id: UUID
    mode: Mode
    event_created_at: datetime


def take_due(tx: Tx, batch: int) -> list[DueRow]:
    """Deliveries that are due, of any tenant; they are not taken again for two minutes."""
    return tx.all(
        """
        UPDATE webhook_deliveries d
        SET next_sweep_at = clock_timestamp() + interval '2 minutes',
            status = CASE WHEN d.status = 'sending' THEN 'queued' ELSE d.status END
        FROM (
          SELECT tenant_id, mode, id, event_created_at FROM webhook_deliveries
          WHERE next_sweep_at <= clock_timestamp()
          ORDER BY next_sweep_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        ) due
        WHERE d.tenant_id = due.tenant_id AND d.mode = due.mode AND d.id = due.id
          AND d.event_created_at = due.event_created_at
        RETURNING d.id, d.tenant_id, d.mode, d.event_created_at
        """,
        {"batch": batch},
        DueRow,
    )


@dataclass(frozen=True, slots=True)
class DueReplay:
    """A replay that should have gone on."""

    id: UUID
    tenant_id: UUID
    mode: Mode


def take_due_replays(tx: Tx) -> list[DueReplay]:
    """Replays whose message was lost, of any tenant; those of deleted webhooks end."""
    return tx.all(
        """
        UPDATE webhook_replays p SET next_run_at = clock_timestamp()
        WHERE p.next_run_at < clock_timestamp() - interval '1 minute'
        RETURNING p.id, p.tenant_id, p.mode
        """,
        {},
        DueReplay,
    )


@dataclass(frozen=True, slots=True)
class HeldDue:
    """A webhook of which more should have been let go."""

    id: UUID
    tenant_id: UUID
    mode: Mode


def webhooks_with_held_due(tx: Tx) -> list[HeldDue]:
    """Webhooks, of any tenant, whose message about what was held was lost."""
    return tx.all("SELECT id, tenant_id, mode FROM webhooks_with_held_due()", {}, HeldDue)


@dataclass(frozen=True, slots=True)
class WaitingTenant:
    """Whose deliveries are parked."""

    tenant_id: UUID
    mode: Mode


def tenants_with_parked(tx: Tx) -> list[WaitingTenant]:
    """Tenants of whom something has been parked for 15 s: whoever held their slots may have been killed."""
    return tx.all(
        """
        SELECT DISTINCT tenant_id, mode FROM webhook_deliveries
        WHERE parked_at IS NOT NULL AND parked_at < clock_timestamp() - interval '15 seconds'
        """,
        {},
        WaitingTenant,
    )


def count_failing_webhooks(tx: Tx) -> int:
    """Webhooks of all tenants whose last three deliveries failed and that are not paused."""
    return tx.one("SELECT count_failing_webhooks()", {})
