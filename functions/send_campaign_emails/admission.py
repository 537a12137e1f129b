"""Whether a mail may still leave, asked when it is handed over: since it was planned much may have changed, or time passed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from math import ceil
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain import mailbox_days
from penguinmails.domain import sending_windows as windows
from penguinmails.domain.emails import suppressed
from penguinmails.domain.sending import SUPPRESSED
from penguinmails.domain.suppression import SuppressionScope
from send_campaign_emails.repository import Claim, Outcome


def admitted(tx: Tx, claims: Sequence[Claim], now: datetime) -> tuple[list[Claim], list[Outcome]]:
    """The mails that may leave at this moment, and what becomes of the others: they are given up, or wait."""
    if not claims:
        return [], []
    refused = {
        (scope, address)
        for scope in {_scope(claim) for claim in claims}
        for address in suppressed(tx, [claim.to_email for claim in claims if _scope(claim) == scope], scope)
    }
    wanted: list[Claim] = []
    outcomes: list[Outcome] = []
    for claim in claims:
        outcome = _given_up(claim, is_suppressed=(_scope(claim), claim.to_email) in refused, now=now)
        if outcome is None:
            wanted.append(claim)
        else:
            outcomes.append(outcome)
    waits = _waits(tx, wanted, now)
    outcomes += [
        Outcome(claim, "untried", retry_in_seconds=ceil((waits[claim.id] - now).total_seconds()))
        for claim in wanted
        if claim.id in waits
    ]
    return [claim for claim in wanted if claim.id not in waits], outcomes


def _scope(claim: Claim) -> SuppressionScope:
    return SuppressionScope(claim.workspace_id, claim.campaign_type)


def _given_up(claim: Claim, *, is_suppressed: bool, now: datetime) -> Outcome | None:
    if claim.contact_id is None:
        return Outcome(claim, "cancelled", "the contact was deleted")
    if is_suppressed or claim.contact_status != "active":
        opted_out = claim.contact_status if claim.contact_status != "active" else None
        return Outcome(claim, "suppressed", SUPPRESSED, reason=opted_out)
    if claim.has_answered:
        return Outcome(claim, "cancelled", "the recipient has answered", reason="replied")
    if claim.end_date is not None and claim.end_date <= now:
        return Outcome(claim, "cancelled", "the campaign had ended", reason="campaign_ended")
    return None


def _waits(tx: Tx, claims: Sequence[Claim], now: datetime) -> dict[UUID, datetime]:
    """Until when mails wait that come when the window is closed, or when the day's limit has been used by others.

    Mails are counted for the day on which they were planned. Those that leave on a later one, after a pause or a refusal,
    count for it too.
    """
    waits: dict[UUID, datetime] = {}
    late: defaultdict[tuple[str, date, str, int], list[Claim]] = defaultdict(list)
    for claim in claims:
        opening = windows.next_opening(claim.sending_window, claim.timezone, now)
        if opening > now:
            waits[claim.id] = opening
            continue
        today = windows.local_day(claim.timezone, now)
        if windows.local_day(claim.timezone, claim.created_at) < today:
            mailbox = parseaddr(claim.from_email)[1].lower()
            late[mailbox, today, claim.timezone, claim.daily_limit].append(claim)
    for (mailbox, today, zone, limit), found in sorted(late.items()):
        room = mailbox_days.take(tx, mailbox=mailbox, day=today, number=len(found), limit=limit)
        for place, claim in enumerate(found[room:]):
            # A second each, as the queue takes up what is due in the order of its time.
            waits[claim.id] = windows.next_day(zone, now) + timedelta(seconds=place)
    return waits
