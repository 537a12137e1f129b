"""Tells the database how the tables of webhooks have been filled, for who fills them by the hundred or reads them so."""

import time

from penguinmails.db import Tx

MANY = 50
"""Rows at once from which a look is worth it."""
_PAUSE_SECONDS = 1.0
_next_look = 0.0


def is_due(rows: int) -> bool:
    """Whether so many rows are a reason to look now; once a second and process at most."""
    global _next_look  # noqa: PLW0603
    if rows < MANY or time.monotonic() < _next_look:
        return False
    _next_look = time.monotonic() + _PAUSE_SECONDS
    return True


def refresh(tx: Tx) -> None:
    """Have the planner look at tables that have grown much since it last did."""
    tx.run("SELECT refresh_webhook_statistics()", {})
