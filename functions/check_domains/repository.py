"""SQL of the check of domains."""

from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.campaign_states import Status
from penguinmails.domain.sending_domains import SELECT, DomainRow


def due(tx: Tx, batch: int) -> list[DomainRow]:
    """Domains whose records are to be looked at, the longest waiting first."""
    return tx.all(
        SELECT + " WHERE next_check_at <= now() ORDER BY next_check_at LIMIT %(batch)s", {"batch": batch}, DomainRow
    )


@dataclass(frozen=True, slots=True)
class SenderRow:
    """A campaign that sends, or is about to, from an address of its own."""

    id: UUID
    name: str
    status: Status
    workspace_id: UUID | None
    from_email: str


def senders_locked(tx: Tx) -> list[SenderRow]:
    """The account's campaigns that nobody else changes meanwhile."""
    return tx.all(
        """
        SELECT id, name, status, workspace_id, from_email FROM campaigns
        WHERE status IN ('active', 'scheduled') AND from_email IS NOT NULL ORDER BY id FOR UPDATE
        """,
        {},
        SenderRow,
    )


def pause(tx: Tx, campaign_id: UUID, status: Status) -> None:
    """Let a campaign rest; the planner does not look at it."""
    tx.run(
        "UPDATE campaigns SET status = %(status)s, next_plan_at = NULL WHERE id = %(id)s",
        {"id": campaign_id, "status": status},
    )
