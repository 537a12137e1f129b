"""The line in which a tenant's mails of campaigns wait for their turn to be handed over, across campaigns and workers.

Who joins it gets the next free turns at the tenant's pace: the planner for what it plans, a worker for what it may not hand
over yet (`pace`). What waits there stays in the ledger; while the line is long, the planner adds nothing to it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain import campaign_mails
from penguinmails.domain.campaign_mails import MAILS_PER_MESSAGE
from penguinmails.domain.pace import LONGEST_DELAY_SECONDS, seconds_until
from penguinmails.events.outbox import send_after_commit

PLANNED_AHEAD = timedelta(seconds=60)
"""How long the line may be for the planner to add to it; queue messages are delayed by the rest."""
_PATIENCE_SECONDS = 5.0


def join(tx: Tx, number: int, *, rate: int, now: datetime, not_before: datetime) -> list[datetime]:
    """The next free turns, at so many mails per second; those of one second come together, as they share a message."""
    begins = _reserve(tx, seconds=number / rate, now=now, not_before=not_before)
    size = min(MAILS_PER_MESSAGE, rate)
    return [begins + timedelta(seconds=place // size * size / rate) for place in range(number)]


def hand_on(tx: Tx, mails: Sequence[tuple[UUID, int]], turns: Sequence[datetime], now: datetime) -> None:
    """Send the messages that ask for attempts, each delayed until its mails' turn; those of later turns are the sweep's."""
    payloads: list[dict[str, Any]] = []
    delays: list[int] = []
    for turn, group in groupby(zip(turns, mails, strict=True), key=lambda pair: pair[0]):
        delay = seconds_until(turn, now)
        if delay > LONGEST_DELAY_SECONDS:
            continue
        found = campaign_mails.messages([mail for _turn, mail in group])
        payloads += found
        delays += [delay] * len(found)
    send_after_commit(tx, "campaign_emails", payloads, delays=delays, patience_seconds=_PATIENCE_SECONDS)


def goes_on_at(tx: Tx) -> datetime | None:
    """When the planner adds to the line again; it has passed, or is None, while the line is short."""
    free_from = tx.one("SELECT free_from FROM send_paces", {})
    return free_from - PLANNED_AHEAD if free_from is not None else None


def _reserve(tx: Tx, *, seconds: float, now: datetime, not_before: datetime) -> datetime:
    return tx.one(
        """
        INSERT INTO send_paces AS p (tenant_id, free_from)
        VALUES (%(tenant_id)s, greatest(%(now)s::timestamptz, %(not_before)s::timestamptz) + make_interval(secs => %(seconds)s))
        ON CONFLICT (tenant_id) DO UPDATE
        SET free_from = greatest(p.free_from, %(now)s::timestamptz, %(not_before)s::timestamptz)
                        + make_interval(secs => %(seconds)s)
        RETURNING free_from - make_interval(secs => %(seconds)s)
        """,
        {"tenant_id": tx.tenant_id, "seconds": seconds, "now": now, "not_before": not_before},
    )
