"""One recipient's way through the steps, without a database: what happens to them now, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal
from uuid import UUID

from penguinmails.domain import campaign_texts
from penguinmails.domain import sending_windows as windows
from penguinmails.domain.campaign_versions import version_of
from penguinmails.domain.provider_accounts import takes
from penguinmails.domain.rendering import MissingVariable, TemplateFault
from plan_campaigns.repository import DueRow, SignRow, StepRow

_UNITS = {"minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}
BEST_TIME = "best_time"
AWAITING_TEST = "awaiting_test"
Outcome = Literal["mail", "wait", "completed", "exited"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What an action does to the contact."""

    type: str
    tag: str | None
    list_id: UUID | None


@dataclass(slots=True)
class Move:
    """What becomes of one recipient in this pass."""

    contact_id: UUID
    outcome: Outcome
    step_id: UUID | None
    """Of the mail that is sent, or where the recipient waits."""
    steps_done: int
    reason: str | None = None
    due_at: datetime | None = None
    variant: str | None = None
    subject: str | None = None
    effects: list[Effect] = field(default_factory=list[Effect])


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """The campaign's steps and what all recipients of a batch have in common."""

    steps: Mapping[UUID, StepRow]
    entry: UUID
    now: datetime
    exit_on_reply: bool
    best_hour_in: str | None
    """The time zone, where each mail leaves in the hour at which its recipient last opened one."""
    sending_window: dict[str, Any] | None
    end_date: datetime | None
    provider: str | None
    share_percent: int
    test_wait: timedelta
    suppressed: frozenset[str]
    signs: Mapping[UUID, list[SignRow]]

    def move(self, row: DueRow) -> Move:
        """Take a recipient from where they stand to the next mail or wait, or to the end."""
        at = row.due_at
        step_id = row.current_step_id or self.entry
        moved = Move(row.contact_id, "completed", None, 0)
        while step_id is not None:
            step = self.steps.get(step_id)
            if step is None:
                return _leave(moved, "step_removed")
            if step.step_type == "email":
                return self._mail(row, step, moved)
            if step.step_type == "wait":
                at = at + timedelta(seconds=_UNITS[step.wait_unit or ""] * (step.wait_value or 0))
                if at > self.now and step.next_step_id is not None:
                    moved.steps_done += 1
                    return _wait(moved, step.next_step_id, at, "waiting")
            moved.steps_done += 1
            if step.step_type == "action":
                effect = _effect(step.action or {})
                if effect.type == "exit":
                    return _leave(moved, "exit_step")
                moved.effects.append(effect)
            holds = step.step_type != "condition" or self._holds(row, step)
            step_id = step.next_step_id if holds else step.false_next_step_id
        return moved

    def _mail(self, row: DueRow, step: StepRow, moved: Move) -> Move:
        refusal = self._refusal(row)
        if refusal is not None:
            return _leave(moved, refusal)
        best_time = self._best_time(row)
        if best_time is not None:
            return _wait(moved, step.id, best_time, BEST_TIME)
        variant = self._variant(row, step)
        if variant is None:
            decided_at = (step.test_started_at or self.now) + self.test_wait
            return _wait(moved, step.id, decided_at, AWAITING_TEST)
        values = campaign_texts.values_of(row, row.attributes)
        try:
            version = version_of(step, variant)
            subject = campaign_texts.fill_subject(version.subject, values)
            for text, is_html in ((version.html, True), (version.text, False)):
                if text is not None:
                    campaign_texts.try_fill(text, values, is_html=is_html)
        except MissingVariable as missing:
            return _leave(moved, f"missing_field:{missing.name}")
        except TemplateFault:
            return _leave(moved, "text_unusable")
        moved.outcome, moved.step_id, moved.variant, moved.subject = "mail", step.id, variant, subject
        return moved

    def _refusal(self, row: DueRow) -> str | None:
        if row.contact_status != "active":
            return row.contact_status
        if row.email in self.suppressed:
            return "suppressed"
        if not takes(self.provider, row.email):
            return "address_unsupported"
        if self.exit_on_reply and any(sign.replied for sign in self.signs.get(row.contact_id, ())):
            return "replied"
        return None

    def _best_time(self, row: DueRow) -> datetime | None:
        """When the mail should leave instead; None when that is now, is not known, or cannot be had."""
        if self.best_hour_in is None or row.last_opened_at is None or row.waited_for == BEST_TIME:
            return None
        best = windows.next_hour_like(row.last_opened_at, self.best_hour_in, self.now)
        is_open = windows.next_opening(self.sending_window, self.best_hour_in, best) == best
        ends_before = self.end_date is not None and self.end_date <= best
        return best if best > self.now and is_open and not ends_before else None

    def _holds(self, row: DueRow, step: StepRow) -> bool:
        condition = step.condition or {}
        meant = condition.get("of")
        return any(
            getattr(sign, condition["sign"])
            for sign in self.signs.get(row.contact_id, ())
            if meant is None or str(sign.step_id) == meant
        )

    def _variant(self, row: DueRow, step: StepRow) -> str | None:
        """Which version the recipient gets; None until the test has a winner, for who takes no part in it."""
        if step.variant is None:
            return "a"
        if step.winner is not None:
            return step.winner
        # The same whenever the planner asks, and not the same people in every test.
        draw = int.from_bytes(blake2b(row.contact_id.bytes + step.id.bytes, digest_size=4).digest())
        if draw % 100 >= self.share_percent:
            return None
        return "a" if draw // 100 % 2 == 0 else "b"


def _wait(moved: Move, step_id: UUID, due_at: datetime, reason: str) -> Move:
    moved.outcome, moved.step_id, moved.due_at, moved.reason = "wait", step_id, due_at, reason
    return moved


def _leave(moved: Move, reason: str) -> Move:
    moved.outcome, moved.reason = "exited", reason
    return moved


def _effect(action: dict[str, Any]) -> Effect:
    return Effect(action["type"], action.get("tag"), UUID(action["list_id"]) if action.get("list_id") else None)
