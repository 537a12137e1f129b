"""Keeps partitioned tables ahead of the calendar and within their retention."""

from maintain_partitions import repository
from penguinmails.db import transaction
from penguinmails.logging import logger


def maintain() -> int:
    """Make what is missing, drop what has expired; how many were dropped, 0 once all is in order."""
    with transaction(role="jobs") as tx:
        dropped = repository.maintain_partitions(tx)
    if dropped:
        logger.info("partitions dropped", extra={"partitions": dropped})
    return len(dropped)
