"""SQL of the suppression list; the tenant's own entries alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"added_at": "added_at"}
KINDS = {"added_at": "time"}
_SELECT: LiteralString = "SELECT id, email, reason, source, scope, added_at FROM suppression_list"


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """One entry."""

    id: UUID
    email: str
    reason: Literal["user_request", "spam_complaint", "hard_bounce", "soft_bounces", "manual"]
    source: str
    scope: str
    added_at: datetime


def list_entries(
    tx: Tx, keyset: Keyset, *, email: str | None, reason: str | None
) -> tuple[list[SuppressionRow], int | None]:
    """A page of entries."""
    where = Conditions()
    where.add_given("email = %(email)s", email=email)
    where.add_given("reason = %(reason)s", reason=reason)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, SuppressionRow)


def find_by_email(tx: Tx, email: str) -> SuppressionRow | None:
    """The entry of an address for the whole account."""
    return tx.one(_SELECT + " WHERE email = %(email)s AND scope = 'tenant'", {"email": email}, SuppressionRow)


def delete_entry(tx: Tx, entry_id: UUID) -> SuppressionRow | None:
    """Remove an entry; what it was, or None when there is none."""
    return tx.one(
        """
        DELETE FROM suppression_list WHERE id = %(id)s RETURNING id, email, reason, source, scope, added_at
        """,
        {"id": entry_id},
        SuppressionRow,
    )
