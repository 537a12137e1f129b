"""Deletes what nobody may or needs to read any more."""

from penguinmails.db import Mode, transaction
from penguinmails.domain.removals import cancel_waiting_emails
from purge_expired import removals, repository
from purge_expired.removals import Pending

BATCH = 1_000
_AT_ONCE = 20
"""So many deleted lists, tags and so on are worked at by turns, so that a large one holds up no small one."""
_MODES: tuple[Mode, ...] = ("live", "test")


def purge() -> int:
    """One batch of each kind; how many rows that concerned, 0 once nothing is left."""
    with transaction(role="jobs") as tx:
        expired = sum(delete(tx, BATCH) for delete in repository.ALL)
    with transaction(role="jobs") as tx:
        deleted = removals.pending(tx, _AT_ONCE)
    return expired + sum(map(_remove_rows, deleted))


def _remove_rows(of: Pending) -> int:
    """One batch of each mode; how many rows, and one more for the last word that nothing is left."""
    removed, is_left = 0, False
    for mode in _MODES:
        with transaction(tenant_id=of.tenant_id, mode=mode) as tx:
            if of.kind == "campaign":
                removed += cancel_waiting_emails(tx, of.id, BATCH)
            removed += removals.remove(tx, of, BATCH)
            is_left |= removals.is_left(tx, of)
    if is_left:
        return removed
    with transaction(tenant_id=of.tenant_id, mode="live") as tx:
        removals.finish(tx, of)
    return removed + 1
