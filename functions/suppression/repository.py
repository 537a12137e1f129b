"""SQL of the suppression list; the tenant's own entries alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.suppression import SuppressionScope
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"added_at": "added_at"}
KINDS = {"added_at": "time"}
_SELECT: LiteralString = (
    "SELECT id, email, reason, source, scope, workspace_id, campaign_type, added_at FROM suppression_list"
)


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """One entry."""

    id: UUID
    email: str
    reason: Literal["user_request", "spam_complaint", "hard_bounce", "soft_bounces", "manual"]
    source: str
    scope: Literal["tenant", "workspace", "campaign_type"]
    workspace_id: UUID | None
    campaign_type: Literal["broadcast", "drip", "triggered", "ab_test"] | None
    added_at: datetime


def list_entries(
    tx: Tx, keyset: Keyset, *, email: str | None, reason: str | None
) -> tuple[list[SuppressionRow], int | None]:
    """A page of entries."""
    where = Conditions()
    where.add_given("email = %(email)s", email=email)
    where.add_given("reason = %(reason)s", reason=reason)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, SuppressionRow)


def find_by_email(tx: Tx, email: str, scope: SuppressionScope) -> SuppressionRow | None:
    """The entry of an address in exactly this scope."""
    return tx.one(
        _SELECT
        + """
        WHERE email = %(email)s AND scope = %(scope)s AND workspace_id IS NOT DISTINCT FROM %(workspace_id)s
          AND campaign_type IS NOT DISTINCT FROM %(campaign_type)s
        """,
        {
            "email": email,
            "scope": scope.name,
            "workspace_id": scope.workspace_id,
            "campaign_type": scope.campaign_type,
        },
        SuppressionRow,
    )


def find_that_holds(tx: Tx, email: str, scope: SuppressionScope) -> SuppressionRow | None:
    """The account's widest entry that keeps a campaign of this workspace and type from writing to an address."""
    return tx.one(
        _SELECT
        + """
        WHERE email = %(email)s
          AND (scope = 'tenant' OR workspace_id = %(workspace_id)s OR campaign_type = %(campaign_type)s)
        ORDER BY scope <> 'tenant', scope LIMIT 1
        """,
        {"email": email, "workspace_id": scope.workspace_id, "campaign_type": scope.campaign_type},
        SuppressionRow,
    )


def has_workspace(tx: Tx, workspace_id: UUID) -> bool:
    """Whether the account has such a workspace."""
    return tx.one("SELECT EXISTS (SELECT 1 FROM workspaces WHERE id = %(id)s)", {"id": workspace_id})


def delete_entry(tx: Tx, entry_id: UUID) -> SuppressionRow | None:
    """Remove an entry; what it was, or None when there is none."""
    return tx.one(
        """
        DELETE FROM suppression_list WHERE id = %(id)s
        RETURNING id, email, reason, source, scope, workspace_id, campaign_type, added_at
        """,
        {"id": entry_id},
        SuppressionRow,
    )


def insert_lift(tx: Tx, entry: SuppressionRow, *, consent_note: str, lifted_by: UUID) -> None:
    """Keep with what consent an entry was lifted."""
    tx.run(
        """
        INSERT INTO suppression_lifts (id, tenant_id, mode, email, reason, consent_note, lifted_by)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(email)s, %(reason)s, %(consent_note)s, %(lifted_by)s)
        """,
        {
            "id": entry.id,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "email": entry.email,
            "reason": entry.reason,
            "consent_note": consent_note,
            "lifted_by": lifted_by,
        },
    )
