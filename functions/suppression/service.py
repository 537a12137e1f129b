"""The rules of the suppression list: one entry per address, and none is lifted without a trace."""

from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.emails import suppressed
from penguinmails.domain.suppression import Reason, suppress
from penguinmails.errors import NotFound
from suppression import repository
from suppression.repository import SuppressionRow


def add_entry(tx: Tx, email: str, *, reason: Reason, source: str, added_by: UUID) -> tuple[SuppressionRow, bool]:
    """Suppress an address; its entry, and True when it is new."""
    added = suppress(tx, [email], reason=reason, source=source, added_by=added_by)
    entry = repository.find_by_email(tx, email)
    if entry is None:
        raise LookupError("the entry that was just written is not there")
    return entry, bool(added)


def check(tx: Tx, email: str) -> tuple[bool, SuppressionRow | None]:
    """Whether an address is suppressed for any reason, and the account's own entry."""
    return bool(suppressed(tx, [email])), repository.find_by_email(tx, email)


def lift(tx: Tx, entry_id: UUID) -> tuple[SuppressionRow, bool]:
    """Remove an entry; what it was, and whether its address is suppressed all the same. Raises NotFound."""
    entry = repository.delete_entry(tx, entry_id)
    if entry is None:
        raise NotFound.of("suppression", entry_id)
    return entry, bool(suppressed(tx, [entry.email]))
