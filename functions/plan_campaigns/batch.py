"""One batch of recipients whose turn it is: what each gets, within what the limits leave, stored in one statement."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from penguinmails.db import Tx, transaction
from penguinmails.domain import campaign_line, mailbox_days, pace, send_quota
from penguinmails.domain import sending_windows as windows
from penguinmails.domain.campaign_line import PLANNED_AHEAD
from penguinmails.domain.campaign_texts import derived_text
from penguinmails.domain.campaign_versions import version_of
from penguinmails.domain.emails import suppressed
from penguinmails.domain.suppression import SuppressionScope
from penguinmails.ids import new_uuid7
from penguinmails.logging import count
from penguinmails.settings import get_settings
from plan_campaigns import effects, repository, writes
from plan_campaigns.journey import AWAITING_TEST, Journey, Move
from plan_campaigns.repository import CampaignRow, DueRow, RoomRow, SignRow, StepRow

BATCH = 1_000
_QUOTA_PAUSE = timedelta(hours=1)


class LimitRaced(Exception):
    """Somebody else used up a limit since it was read; the batch is undone and planned anew."""


def send_some(tx: Tx, campaign: CampaignRow, now: datetime) -> datetime | None:
    """Move a batch on; when to go on with the campaign, or None when nobody's turn it is."""
    sender = _sender(campaign)
    mailbox, day = parseaddr(sender)[1].lower(), windows.local_day(campaign.timezone, now)
    room = repository.room(tx, mailbox=mailbox, day=day)
    most, until = _allowed(tx, campaign, room, now)
    if most <= 0:
        return until
    rows = repository.lock_due(tx, campaign.id, now=now, limit=most)
    if not rows:
        return None
    steps = _with_winners(tx, campaign, repository.steps_of(tx, campaign.id), now)
    journey = _journey(tx, campaign, steps, rows, now)
    moves = [journey.move(row) for row in rows]
    begun = {move.step_id for move in moves if move.step_id and _begins_test(move, steps[move.step_id])}
    if begun:
        writes.begin_tests(tx, sorted(begun), now)
    effects.apply(tx, moves)
    _store(tx, _Batch(campaign, steps, sender, room, now), rows, moves)
    mails = sum(move.outcome == "mail" for move in moves)
    if mails and not mailbox_days.count(
        tx, mailbox=mailbox, day=day, number=mails, limit=campaign.settings["daily_limit"]
    ):
        raise LimitRaced(mailbox)
    # Last, as all of the tenant's requests need its row.
    if mails and tx.mode == "live" and not send_quota.count_towards_limit(tx, mails, room.monthly_limit):
        raise LimitRaced("month")
    count("campaign_mails_planned_total", value=mails)
    return now


def _begins_test(move: Move, step: StepRow) -> bool:
    """Who only waits for the step's turn to come has no part in its test; who waits for the winner may be all there are."""
    at_its_turn = move.outcome == "mail" or move.reason == AWAITING_TEST
    return at_its_turn and step.variant is not None and step.test_started_at is None


def _sender(campaign: CampaignRow) -> str:
    if campaign.from_email is None:
        return campaign.default_sender or get_settings().mail_from
    from email.headerregistry import Address

    name, _, domain = campaign.from_email.rpartition("@")
    return str(Address(display_name=campaign.from_name or "", username=name, domain=domain))


def _allowed(tx: Tx, campaign: CampaignRow, room: RoomRow, now: datetime) -> tuple[int, datetime]:
    """How many may be planned now, and when to come back if none; what is planned leaves before the window or day ends."""
    today = campaign.settings["daily_limit"] - room.planned_today
    if today <= 0:
        return 0, windows.next_day(campaign.timezone, now)
    if tx.mode == "test":
        return min(BATCH, today), now
    if room.rate_per_second <= 0 or (room.monthly_limit is not None and room.monthly_limit <= room.used_this_month):
        return 0, now + _QUOTA_PAUSE
    ahead = max(room.free_from or now, now) - now
    if ahead >= PLANNED_AHEAD:
        # Looked at each minute however long the line is, since the campaign may end meanwhile.
        return 0, now + min(ahead - PLANNED_AHEAD / 2, PLANNED_AHEAD)
    boundary = windows.next_boundary(campaign.settings["sending_window"], campaign.timezone, now)
    seconds = min(PLANNED_AHEAD, boundary - now - ahead).total_seconds()
    most = min(BATCH, today, int(room.rate_per_second * seconds))
    if most <= 0:
        return 0, boundary
    if room.monthly_limit is not None:
        most = min(most, room.monthly_limit - room.used_this_month)
    return most, now


def _with_winners(tx: Tx, campaign: CampaignRow, found: list[StepRow], now: datetime) -> dict[UUID, StepRow]:
    """The steps by id; A/B tests whose time is over get their winner."""
    test = campaign.settings["ab_test"]
    over = now - timedelta(hours=test["wait_hours"])
    steps: dict[UUID, StepRow] = {}
    for step in found:
        if step.variant and step.winner is None and step.test_started_at and step.test_started_at <= over:
            winner = repository.better_variant(tx, step.id, by_clicks=test["metric"] == "clicked")
            writes.set_winner(tx, step.id, winner)
            steps[step.id] = _replace(step, winner=winner)
        else:
            steps[step.id] = step
    return steps


def _replace(step: StepRow, **values: Any) -> StepRow:
    return StepRow(**{name: values.get(name, getattr(step, name)) for name in StepRow.__slots__})


def _journey(
    tx: Tx, campaign: CampaignRow, steps: dict[UUID, StepRow], rows: Sequence[DueRow], now: datetime
) -> Journey:
    exit_on_reply = bool(campaign.settings["pause_on_reply"])
    signs: defaultdict[UUID, list[SignRow]] = defaultdict(list)
    if exit_on_reply or any(step.step_type == "condition" for step in steps.values()):
        for sign in repository.signs(tx, campaign.id, [row.contact_id for row in rows]):
            signs[sign.contact_id].append(sign)
    return Journey(
        steps=steps,
        entry=next(iter(steps)),
        now=now,
        exit_on_reply=exit_on_reply,
        best_hour_in=campaign.timezone if campaign.send_strategy == "optimized" else None,
        sending_window=campaign.settings["sending_window"],
        end_date=campaign.end_date,
        provider=campaign.provider,
        share_percent=campaign.settings["ab_test"]["share_percent"],
        test_wait=timedelta(hours=campaign.settings["ab_test"]["wait_hours"]),
        suppressed=frozenset(
            suppressed(tx, [row.email for row in rows], SuppressionScope(campaign.workspace_id, campaign.campaign_type))
        ),
        signs=signs,
    )


def refresh_statistics() -> None:
    """Tell the database how its tables have been filled, outside the transaction that did."""
    with transaction(role="jobs") as tx:
        repository.refresh_statistics(tx)


def _contents(tx: Tx, steps: dict[UUID, StepRow], moves: Sequence[Move]) -> dict[tuple[UUID | None, str | None], UUID]:
    """What the mails of each step and version share, stored with the first of them."""
    keys: dict[tuple[UUID | None, str | None], UUID] = {}
    for step_id, variant in {(m.step_id, m.variant) for m in moves if m.outcome == "mail"}:
        if step_id is None or variant is None:
            continue
        step = steps[step_id]
        key = step.content_of(variant)
        if key is None:
            key, version = new_uuid7(), version_of(step, variant)
            text = version.text if version.text is not None else derived_text(version.html or "")
            writes.keep_content(tx, step.id, key, text=text, html=version.html, is_variant=variant == "b")
            tx.after_commit(refresh_statistics)
        keys[step_id, variant] = key
    return keys


_STATUS = {"mail": "active", "wait": "active", "completed": "completed", "exited": "exited"}


@dataclass(frozen=True, slots=True)
class _Batch:
    """What all recipients of a batch have in common."""

    campaign: CampaignRow
    steps: dict[UUID, StepRow]
    sender: str
    room: RoomRow
    now: datetime


def _store(tx: Tx, common: _Batch, rows: Sequence[DueRow], moves: Sequence[Move]) -> None:
    campaign, now = common.campaign, common.now
    contents = _contents(tx, common.steps, moves)
    email_ids = [new_uuid7() if move.outcome == "mail" else None for move in moves]
    sweep_ats = _hand_on(tx, [email_id for email_id in email_ids if email_id is not None], common.room, now)
    moved: dict[str, list[Any]] = {
        "contact_ids": [move.contact_id for move in moves],
        "statuses": [_STATUS[move.outcome] for move in moves],
        "step_ids": [move.step_id for move in moves],
        "reasons": [move.reason for move in moves],
        "steps_done": [move.steps_done for move in moves],
        "due_ats": [move.due_at for move in moves],
        "email_ids": email_ids,
        "event_ids": [email_id and new_uuid7() for email_id in email_ids],
        "variants": [move.variant for move in moves],
        "subjects": [move.subject for move in moves],
        "addresses": [row.email for row in rows],
        "content_keys": [contents.get((move.step_id, move.variant)) for move in moves],
        "sweep_ats": [email_id and sweep_ats[email_id] for email_id in email_ids],
    }
    shared = {"from_email": common.sender, "reply_to": campaign.reply_to_email, "now": now}
    writes.write_moves(tx, campaign.id, moved, shared)


def _hand_on(tx: Tx, email_ids: Sequence[UUID], room: RoomRow, now: datetime) -> dict[UUID, datetime]:
    """Send the mails to their queue in the tenant's pace; when the sweep takes each over."""
    if not email_ids:
        return {}
    turns = [now] * len(email_ids)
    if tx.mode == "live":
        turns = campaign_line.join(tx, len(email_ids), rate=room.rate_per_second, now=now, not_before=now)
    campaign_line.hand_on(tx, [(email_id, 0) for email_id in email_ids], turns, now)
    return {email_id: pace.sweep_at(turn, now) for email_id, turn in zip(email_ids, turns, strict=True)}
