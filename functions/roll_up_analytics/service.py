"""Rolls figures up, each part in a transaction of its own."""

from penguinmails.db import transaction
from roll_up_analytics import repository, webhook_repository

BATCH = 20_000
_CONTACTS = 2_000


def roll_up() -> int:
    """One batch of each part; 0 when nothing is left to do."""
    with transaction(role="jobs") as tx:
        done = repository.add_changes(tx, BATCH)
    with transaction(role="jobs") as tx:
        done += webhook_repository.add_changes(tx, BATCH)
    with transaction(role="jobs") as tx:
        done += repository.lower_scores(tx, _CONTACTS)
    return done
