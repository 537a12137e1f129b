"""The states of a campaign and what leads from one to another, without a database."""

from datetime import datetime
from typing import Literal, NamedTuple

from penguinmails.errors import InvalidStateTransition

Status = Literal["draft", "scheduled", "active", "paused", "completed"]
PausedReason = Literal["user", "domain_lost", "provider_refused"]
Action = Literal["start", "pause", "arrive", "finish"]
"""`arrive`: the start date has come. `finish`: no recipient is left."""
Raised = Literal["launched", "paused", "completed"]

DELETABLE: frozenset[Status] = frozenset({"draft", "scheduled", "paused", "completed"})
EDITABLE: frozenset[Status] = frozenset({"draft", "scheduled", "active", "paused"})
LAUNCHED: frozenset[Status] = frozenset({"active", "paused", "completed"})


class Transition(NamedTuple):
    """Where an action leads, and the campaign event that it raises."""

    status: Status
    event: Raised | None


_TRANSITIONS: dict[tuple[Status, Action], Transition] = {
    ("draft", "start"): Transition("active", "launched"),
    ("scheduled", "arrive"): Transition("active", "launched"),
    ("scheduled", "pause"): Transition("draft", None),
    ("active", "pause"): Transition("paused", "paused"),
    ("active", "finish"): Transition("completed", "completed"),
    ("paused", "start"): Transition("active", None),
}
_ALLOWING: dict[Action, str] = {
    "start": "a draft or a paused campaign can be started",
    "pause": "an active or a scheduled campaign can be paused",
    "arrive": "a scheduled campaign begins by itself",
    "finish": "an active campaign ends by itself",
}


def transition(status: Status, action: Action, *, now: datetime, start_date: datetime | None = None) -> Transition:
    """What an action makes of a campaign; a draft whose start date is ahead is scheduled instead of launched.

    Raises InvalidStateTransition, which names the present state.
    """
    if (status, action) == ("draft", "start") and start_date is not None and start_date > now:
        return Transition("scheduled", None)
    found = _TRANSITIONS.get((status, action))
    if found is None:
        raise refusal(status, f"only {_ALLOWING[action]}")
    return found


def refusal(status: Status, rule: str) -> InvalidStateTransition:
    """The error that says in which state the campaign is, and which rule forbids what was asked for."""
    return InvalidStateTransition(f"The campaign is {status}; {rule}.", status_now=status)
