"""Deletes what nobody may or needs to read any more."""

from penguinmails.db import transaction
from purge_expired import repository

BATCH = 1_000


def purge() -> int:
    """One batch of each kind; how many rows that concerned, 0 once nothing is left."""
    with transaction(role="jobs") as tx:
        return sum(delete(tx, BATCH) for delete in repository.ALL)
