"""Takes up emails whose time has come."""

from itertools import groupby
from uuid import UUID

from penguinmails.db import Mode, transaction
from penguinmails.domain import campaign_mails
from penguinmails.domain.emails import message
from penguinmails.domain.sweeps import Swept, requeue
from sweep_emails import repository
from sweep_emails.repository import DueRow

BATCH = 500


def sweep() -> int:
    """One batch: put its next sweep off, and send its messages once that is committed."""
    with transaction(role="jobs") as tx:
        rows = repository.take_due(tx, BATCH)
    single = [row for row in rows if row.step_id is None]
    requeue(
        "emails",
        [
            Swept(
                row.tenant_id, row.mode, message(row.id, row.attempts), row.delay_seconds, traceparent=row.traceparent
            )
            for row in single
        ],
    )
    requeue("campaign_emails", _of_campaigns([row for row in rows if row.step_id is not None]))
    return len(rows)


def _of_campaigns(rows: list[DueRow]) -> list[Swept]:
    """Mails of campaigns travel together, those of one account, mode and turn in as few messages as they fit in."""
    found: list[Swept] = []
    for (tenant_id, mode, delay), group in groupby(sorted(rows, key=_together), key=_together):
        pairs = [(row.id, row.attempts) for row in group]
        found += [Swept(tenant_id, mode, payload, delay) for payload in campaign_mails.messages(pairs)]
    return found


def _together(row: DueRow) -> tuple[UUID, Mode, int]:
    return row.tenant_id, row.mode, row.delay_seconds
