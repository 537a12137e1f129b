"""From days in a time zone to the moments between which mails are counted.

A day is what a clock on the wall of that zone shows, so it has 23 or 25 hours when the clock is changed.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from penguinmails.errors import InvalidTimeRange, MissingRequiredField, ValidationFailed

TimeRange = Literal["7d", "30d", "90d", "custom"]
GroupBy = Literal["hour", "day", "week", "month"]
_DAYS: dict[TimeRange, int] = {"7d": 7, "30d": 30, "90d": 90}
MAX_DAYS = 366
MAX_DAYS_BY_HOUR = 31
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Periods:
    """Periods without gaps: the n-th is named `labels[n]` and lasts from `edges[n]` to before `edges[n + 1]`, in UTC."""

    labels: list[str]
    edges: list[datetime]

    @property
    def grain(self) -> Literal["hour", "quarter"]:
        """The coarsest roll-ups that none of the edges cuts."""
        return "hour" if all(edge.minute == 0 for edge in self.edges) else "quarter"


def asked_days(
    time_range: TimeRange | None, start: date | None, end: date | None, *, today: date, group_by: GroupBy
) -> Days:
    """The days that a request names; days without `time_range` are custom. Raises ValidationFailed."""
    if time_range in {None, "custom"} and (start is not None or end is not None or time_range == "custom"):
        days = _custom(start, end)
    elif start is not None or end is not None:
        name = "start_date" if start is not None else "end_date"
        raise ValidationFailed.of(name, f"cannot be combined with time_range={time_range}; send time_range=custom")
    else:
        days = Days(today - timedelta(days=_DAYS[time_range or "30d"] - 1), today)
    if group_by == "hour" and (days.last - days.first).days >= MAX_DAYS_BY_HOUR:
        raise InvalidTimeRange.of("group_by", f"hour takes at most {MAX_DAYS_BY_HOUR} days; ask for fewer, or for day")
    return days


def _custom(start: date | None, end: date | None) -> Days:
    if start is None or end is None:
        missing = "start_date" if start is None else "end_date"
        raise MissingRequiredField.of(missing, "is required with time_range=custom, such as 2026-01-31", "missing")
    if start > end:
        raise InvalidTimeRange.of("start_date", "must not be later than end_date")
    if start < _FIRST_DAY or end > _LAST_DAY:
        name = "start_date" if start < _FIRST_DAY else "end_date"
        raise InvalidTimeRange.of(name, f"must lie between {_FIRST_DAY} and {_LAST_DAY}")
    if (end - start).days >= MAX_DAYS:
        raise InvalidTimeRange.of("end_date", f"must make at most {MAX_DAYS} days; ask for several spans")
    return Days(start, end)


def periods(days: Days, group_by: GroupBy, zone: ZoneInfo) -> Periods:
    """The periods that the days fall into; the first and last week or month hold the asked days alone.

    Labels are dates, the Monday of a week and the first of a month; those of hours are moments with their offset.
    """
    if group_by == "hour":
        return _hours(days, zone)
    labels: list[str] = []
    edges: list[datetime] = []
    day = days.first
    while day <= days.last:
        label = _beginning(day, group_by).isoformat()
        if not labels or labels[-1] != label:
            labels.append(label)
            edges.append(_begins(day, zone))
        day += timedelta(days=1)
    return Periods(labels, [*edges, _begins(day, zone)])


def _beginning(day: date, group_by: GroupBy) -> date:
    match group_by:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case _:
            return day


def _begins(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins: where clocks skip midnight, the moment at which they do."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _hours(days: Days, zone: ZoneInfo) -> Periods:
    """Hours that pass, so that the one that a clock shows twice is two. Half of one is left where clocks move by half."""
    starts = [_begins(days.first + timedelta(days=n), zone) for n in range((days.last - days.first).days + 2)]
    edges: list[datetime] = []
    for begins, ends in pairwise(starts):
        moment = begins
        while moment < ends:
            edges.append(moment)
            moment += _HOUR
    return Periods([edge.astimezone(zone).isoformat() for edge in edges], [*edges, starts[-1]])
