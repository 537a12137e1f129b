"""Takes up mail whose time has come."""

from penguinmails.db import transaction
from penguinmails.domain.sweeps import Swept, requeue
from sweep_platform_mail import repository

BATCH = 200


def sweep() -> int:
    """One batch: put its next sweep off, and send its messages once that is committed."""
    with transaction(role="jobs") as tx:
        rows = repository.take_due(tx, BATCH)
    requeue(
        "platform_mail",
        [Swept(row.tenant_id, "live", {"mail_id": row.id}, traceparent=row.traceparent) for row in rows],
    )
    return len(rows)
