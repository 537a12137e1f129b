"""Whether a mail may still leave, asked when it is handed over: since it was planned much may have changed, or time passed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from math import ceil

from penguinmails.db import Tx
from penguinmails.domain import mailbox_days, pace
from penguinmails.domain import sending_windows as windows
from penguinmails.domain.emails import suppressed
from penguinmails.domain.sending import SUPPRESSED
from penguinmails.domain.suppression import SuppressionScope
from penguinmails.logging import count
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
    in_window, closed = _in_their_window(wanted, now)
    # Before the day's limit, which counts what it lets pass, and in the order in which the planner locks the two.
    in_turn, put_off = _in_their_turn(tx, in_window, now)
    leaving, late = _within_the_day(tx, in_turn, now)
    return leaving, [*outcomes, *closed, *put_off, *late]


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


def _in_their_window(claims: Sequence[Claim], now: datetime) -> tuple[list[Claim], list[Outcome]]:
    leaving: list[Claim] = []
    waiting: list[Outcome] = []
    for claim in claims:
        opening = windows.next_opening(claim.sending_window, claim.timezone, now)
        if opening > now:
            waiting.append(_waits_until(claim, opening, now))
        else:
            leaving.append(claim)
    return leaving, waiting


def _in_their_turn(tx: Tx, claims: Sequence[Claim], now: datetime) -> tuple[list[Claim], list[Outcome]]:
    """What the tenant's pace lets leave now; the others join the line of campaigns, in which the ledger keeps them."""
    if tx.mode != "live" or tx.tenant_id is None or not claims:
        return list(claims), []
    most, seconds = pace.slots_now(tx, tx.tenant_id, len(claims))
    leaving, waiting = list(claims[:most]), claims[most:]
    if not waiting:
        return leaving, []
    from penguinmails.domain import campaign_line

    rate = pace.rate(tx, tx.tenant_id)
    turns = campaign_line.join(tx, len(waiting), rate=rate, now=now, not_before=now + timedelta(seconds=seconds))
    campaign_line.hand_on(tx, [(claim.id, claim.attempts - 1) for claim in waiting], turns, now)
    tx.after_commit(lambda: count("emails_paced_total", len(waiting)))
    return leaving, [
        replace(_waits_until(claim, pace.sweep_at(turn, now), now), paced_until=turn)
        for claim, turn in zip(waiting, turns, strict=True)
    ]


def _within_the_day(tx: Tx, claims: Sequence[Claim], now: datetime) -> tuple[list[Claim], list[Outcome]]:
    """What the limit of the sender's day has room for.

    Mails were counted for the day on which they were planned. Those that leave on a later one, after a pause or a refusal,
    count for it too.
    """
    leaving: list[Claim] = []
    waiting: list[Outcome] = []
    late: defaultdict[tuple[str, date, str, int], list[Claim]] = defaultdict(list)
    for claim in claims:
        today = windows.local_day(claim.timezone, now)
        if windows.local_day(claim.timezone, claim.created_at) < today:
            mailbox = parseaddr(claim.from_email)[1].lower()
            late[mailbox, today, claim.timezone, claim.daily_limit].append(claim)
        else:
            leaving.append(claim)
    for (mailbox, today, zone, limit), found in sorted(late.items()):
        room = mailbox_days.take(tx, mailbox=mailbox, day=today, number=len(found), limit=limit)
        leaving += found[:room]
        # A second each, as the queue takes up what is due in the order of its time.
        waiting += [
            _waits_until(claim, windows.next_day(zone, now) + timedelta(seconds=place), now)
            for place, claim in enumerate(found[room:])
        ]
    return leaving, waiting


def _waits_until(claim: Claim, moment: datetime, now: datetime) -> Outcome:
    return Outcome(claim, "untried", retry_in_seconds=ceil((moment - now).total_seconds()))
