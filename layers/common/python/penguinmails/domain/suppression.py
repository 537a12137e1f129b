"""Suppressing addresses: the one place that adds to the tenant's list. Whether one is suppressed says `domain.emails`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.ids import new_uuid7

Reason = Literal["user_request", "spam_complaint", "hard_bounce", "soft_bounces", "manual"]


@dataclass(frozen=True, slots=True)
class SuppressionScope:
    """What does not write to an address: the whole account, or with one of the two only a workspace or a type of campaign."""

    workspace_id: UUID | None = None
    campaign_type: str | None = None

    @property
    def name(self) -> Literal["tenant", "workspace", "campaign_type"]:
        """As the list has it."""
        if self.workspace_id is not None:
            return "workspace"
        return "tenant" if self.campaign_type is None else "campaign_type"


EVERYWHERE = SuppressionScope()


def suppress(
    tx: Tx,
    emails: Sequence[str],
    *,
    reason: Reason,
    source: str,
    added_by: UUID | None = None,
    scope: SuppressionScope = EVERYWHERE,
) -> set[str]:
    """Keep lower-case addresses from being written to; those that were not on the tenant's list in this scope before.

    Raises ForeignKeyViolation for an unknown workspace.
    """
    wanted = sorted(set(emails))
    added = tx.all(
        """
        INSERT INTO suppression_list (id, tenant_id, mode, email, reason, source, added_by, scope, workspace_id, campaign_type)
        SELECT new.id, %(tenant_id)s, %(mode)s, new.email, %(reason)s, %(source)s, %(added_by)s, %(scope)s,
               %(workspace_id)s, %(campaign_type)s
        FROM unnest(%(ids)s::uuid[], %(emails)s::text[]) AS new (id, email)
        ON CONFLICT DO NOTHING
        RETURNING email::text
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "ids": [new_uuid7() for _ in wanted],
            "emails": wanted,
            "reason": reason,
            "source": source,
            "added_by": added_by,
            "scope": scope.name,
            "workspace_id": scope.workspace_id,
            "campaign_type": scope.campaign_type,
        },
    )
    return set(added)


def forget_lifts(tx: Tx, emails: Sequence[str]) -> None:
    """Forget with what consent addresses came off the list."""
    tx.run("DELETE FROM suppression_lifts WHERE email = ANY(%(emails)s::text[])", {"emails": list(emails)})
