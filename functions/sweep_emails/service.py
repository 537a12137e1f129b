"""Takes up emails whose time has come."""

from penguinmails.db import transaction
from penguinmails.domain.emails import message
from penguinmails.domain.sweeps import Swept, requeue
from sweep_emails import repository

BATCH = 500


def sweep() -> int:
    """One batch: put its next sweep off, and send its messages once that is committed."""
    with transaction(role="jobs") as tx:
        rows = repository.take_due(tx, BATCH)
    requeue("emails", [Swept(row.tenant_id, row.mode, message(row.id, row.attempts)) for row in rows])
    return len(rows)
