"""Recording what was done outside any transaction, also when the database goes away in between."""

import time
from collections.abc import Callable

from penguinmails.errors import ServiceUnavailable

PAUSES_SECONDS = (0.1, 0.3, 0.6, 1, 2, 4, 8, 8)
"""Together 24 s: longer than a restart or a failover's reconnect takes, and well within a worker's lease and time-out."""


def record_outcome(record: Callable[[], None]) -> None:
    """Run a transaction whose loss would make the deed be done again; while the database is away, try again.

    `record` must change nothing the second time, as a COMMIT that broke may have succeeded. Raises ServiceUnavailable
    when the database stays away for 24 s.
    """
    for pause in PAUSES_SECONDS:
        try:
            return record()
        except ServiceUnavailable:
            time.sleep(pause)
    return record()
