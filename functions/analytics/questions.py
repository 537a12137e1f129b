"""The query parameters that ask about days: which, whose, and how they are grouped."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from pydantic import BeforeValidator

from analytics.periods import MAX_DAYS, MAX_DAYS_BY_HOUR, Days, GroupBy, Periods, TimeRange, asked_days, periods
from analytics.schemas import EmailType
from penguinmails import clock
from penguinmails.http.models import Zone

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _written_out(value: Any) -> Any:
    """Numbers would be taken for seconds since 1970."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("must be a day such as 2026-01-31")
    return value


Day = Annotated[date, BeforeValidator(_written_out)]


@dataclass(frozen=True, slots=True)
class Window:
    """Which periods, and when that was asked."""

    days: Days
    periods: Periods
    group_by: GroupBy
    timezone: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """Which periods, and what counts in them."""

    window: Window
    email_type: EmailType | None
    exclude_machine_opens: bool


async def _window(
    time_range: Annotated[
        TimeRange | None,
        Query(description="The last days, today included; `30d` unless days are given. `custom` needs both days."),
    ] = None,
    start_date: Annotated[Day | None, Query(description="First day of a custom range, such as 2026-01-31.")] = None,
    end_date: Annotated[
        Day | None, Query(description=f"Last day of a custom range, included; at most {MAX_DAYS} days in all.")
    ] = None,
    group_by: Annotated[
        GroupBy,
        Query(description=f"Length of a period; weeks begin on Monday. `hour` for up to {MAX_DAYS_BY_HOUR} days."),
    ] = "day",
    timezone: Annotated[Zone, Query(description="Whose days: a name of the IANA database.")] = "UTC",
) -> Window:
    now, zone = clock.now(), ZoneInfo(timezone)
    days = asked_days(time_range, start_date, end_date, today=now.astimezone(zone).date(), group_by=group_by)
    return Window(days, periods(days, group_by, zone), group_by, timezone, now)


async def _question(
    window: Annotated[Window, Depends(_window)],
    email_type: Annotated[EmailType | None, Query(description="Only mails of this type.")] = None,
    exclude_machine_opens: Annotated[
        bool,
        Query(description="Count opens and clicks of people alone, as other endpoints do; false counts machines' too."),
    ] = True,
) -> Question:
    return Question(window, email_type, exclude_machine_opens)


Asked = Annotated[Question, Depends(_question)]
