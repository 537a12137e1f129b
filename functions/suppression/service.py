"""The rules of the suppression list: one entry per address, and none is lifted without a trace."""

from collections.abc import Sequence
from uuid import UUID

from penguinmails.db import ForeignKeyViolation, Tx
from penguinmails.domain.emails import suppressed
from penguinmails.domain.suppression import Reason, SuppressionScope, suppress
from penguinmails.errors import NotFound, ValidationFailed
from suppression import repository
from suppression.repository import SuppressionRow


def add_entry(
    tx: Tx, email: str, scope: SuppressionScope, *, reason: Reason, source: str, added_by: UUID
) -> tuple[SuppressionRow, bool]:
    """Suppress an address; its entry, and True when it is new. Raises as `add_entries`."""
    added = add_entries(tx, [email], scope, reason=reason, source=source, added_by=added_by)
    entry = repository.find_by_email(tx, email, scope)
    if entry is None:
        raise LookupError("the entry that was just written is not there")
    return entry, bool(added)


def add_entries(
    tx: Tx, emails: Sequence[str], scope: SuppressionScope, *, reason: Reason, source: str, added_by: UUID
) -> set[str]:
    """Suppress addresses; those that were not before. Raises ValidationFailed for an unknown workspace."""
    try:
        with tx.savepoint():
            return suppress(tx, emails, reason=reason, source=source, added_by=added_by, scope=scope)
    except ForeignKeyViolation:
        raise _unknown_workspace() from None


def _unknown_workspace() -> ValidationFailed:
    return ValidationFailed.of("workspace_id", "names a workspace that does not exist", "not_found")


def check(tx: Tx, email: str, scope: SuppressionScope) -> tuple[bool, SuppressionRow | None]:
    """Whether an address is suppressed for any reason, and the account's own entry. Raises as `add_entries`."""
    if scope.workspace_id is not None and not repository.has_workspace(tx, scope.workspace_id):
        raise _unknown_workspace()
    return bool(suppressed(tx, [email], scope)), repository.find_that_holds(tx, email, scope)


def lift(tx: Tx, entry_id: UUID, *, consent_note: str, lifted_by: UUID) -> tuple[SuppressionRow, bool]:
    """Remove an entry and keep the consent; what it was, and whether its address is suppressed all the same. Raises NotFound."""
    entry = repository.delete_entry(tx, entry_id)
    if entry is None:
        raise NotFound.of("suppression", entry_id)
    repository.insert_lift(tx, entry, consent_note=consent_note, lifted_by=lifted_by)
    return entry, bool(suppressed(tx, [entry.email], SuppressionScope(entry.workspace_id, entry.campaign_type)))
