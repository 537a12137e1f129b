"""The states of a campaign: which action leads where, and which is refused."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from penguinmails.domain.campaign_states import DELETABLE, EDITABLE, Action, Raised, Status, transition
from penguinmails.errors import InvalidStateTransition

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
AHEAD = NOW + timedelta(days=1)
TABLE: dict[tuple[Status, Action, bool], tuple[Status, Raised | None]] = {
    ("draft", "start", False): ("active", "launched"),
    ("draft", "start", True): ("scheduled", None),
    ("scheduled", "arrive", False): ("active", "launched"),
    ("scheduled", "arrive", True): ("active", "launched"),
    ("scheduled", "pause", False): ("draft", None),
    ("scheduled", "pause", True): ("draft", None),
    ("active", "pause", False): ("paused", "paused"),
    ("active", "pause", True): ("paused", "paused"),
    ("active", "finish", False): ("completed", "completed"),
    ("active", "finish", True): ("completed", "completed"),
    ("paused", "start", False): ("active", None),
    ("paused", "start", True): ("active", None),
}


@pytest.mark.parametrize("status", get_args(Status))
@pytest.mark.parametrize("action", get_args(Action))
@pytest.mark.parametrize("is_ahead", [False, True])
def test_every_state_and_action_lead_where_the_table_says_or_are_refused(
    status: Status, action: Action, is_ahead: bool
) -> None:
    start_date = AHEAD if is_ahead else NOW - timedelta(days=1)
    expected = TABLE.get((status, action, is_ahead))
    if expected is None:
        with pytest.raises(InvalidStateTransition, match=f"is {status}"):
            transition(status, action, now=NOW, start_date=start_date)
    else:
        assert transition(status, action, now=NOW, start_date=start_date) == expected


@given(st.timedeltas(min_value=timedelta(days=-5), max_value=timedelta(days=5)))
def test_a_draft_is_scheduled_exactly_when_its_start_date_is_ahead(distance: timedelta) -> None:
    reached = transition("draft", "start", now=NOW, start_date=NOW + distance)

    assert reached.status == ("scheduled" if distance > timedelta(0) else "active")


class _Journey(RuleBasedStateMachine):
    """Any order of actions: what has been told once is not told again, and the end is the end."""

    def __init__(self) -> None:
        super().__init__()
        self.status: Status = "draft"
        self.told: list[Raised] = []
        self.ended = False

    @rule(action=st.sampled_from(get_args(Action)), is_ahead=st.booleans())
    def act(self, action: Action, is_ahead: bool) -> None:
        try:
            reached = transition(self.status, action, now=NOW, start_date=AHEAD if is_ahead else None)
        except InvalidStateTransition:
            return
        assert not self.ended
        self.status = reached.status
        self.told += [reached.event] if reached.event else []
        self.ended = reached.status == "completed"

    @invariant()
    def launched_once_and_before_everything_else(self) -> None:
        assert self.told.count("launched") <= 1
        assert self.told.count("completed") <= 1
        assert not self.told or self.told[0] == "launched"
        assert (self.status in {"active", "paused", "completed"}) == ("launched" in self.told)

    @invariant()
    def only_the_end_cannot_be_edited_and_only_the_active_not_deleted(self) -> None:
        assert (self.status in EDITABLE) == (self.status != "completed")
        assert (self.status in DELETABLE) == (self.status != "active")


TestJourney = _Journey.TestCase
