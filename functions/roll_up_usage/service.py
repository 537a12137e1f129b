"""Rolls usage up, each part in a transaction of its own."""

from penguinmails.db import transaction
from roll_up_usage import repository

BATCH = 5_000


def roll_up() -> int:
    """One batch of each part; 0 when nothing is left to do."""
    done = 0
    for part in (
        repository.set_percentiles,
        repository.shorten_addresses,
        repository.drop_old_figures,
        repository.drop_old_sources,
    ):
        with transaction(role="jobs") as tx:
            done += part(tx, BATCH)
    return done
