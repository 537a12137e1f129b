"""Days, weeks, months and hours of a time zone: without gaps, and as long as clocks make them."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.periods import Days, GroupBy, asked_days, periods
from analytics.service import percent
from penguinmails.errors import InvalidTimeRange, MissingRequiredField, ValidationFailed

ZONES = sorted(available_timezones())
TODAY = date(2026, 5, 20)
spans = st.tuples(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(0, 30)).map(
    lambda span: Days(span[0], span[0] + timedelta(days=span[1]))
)


@settings(deadline=None)
@given(days=spans, zone=st.sampled_from(ZONES))
def test_hours_days_weeks_and_months_cover_the_same_time_without_gaps(days: Days, zone: str) -> None:
    found = [periods(days, group_by, ZoneInfo(zone)) for group_by in ("hour", "day", "week", "month")]

    assert len({(each.edges[0], each.edges[-1]) for each in found}) == 1
    for each in found:
        assert all(earlier < later for earlier, later in pairwise(each.edges))
        assert len(each.edges) == len(each.labels) + 1 == len(set(each.labels)) + 1
    hours, day_periods, *longer = found
    assert set(day_periods.edges) <= set(hours.edges)
    for each in longer:
        assert set(each.edges) <= set(day_periods.edges)


@settings(deadline=None)
@given(days=spans, zone=st.sampled_from(ZONES), group_by=st.sampled_from(["hour", "day", "week", "month"]))
def test_no_zone_cuts_a_quarter_of_an_hour(days: Days, zone: str, group_by: GroupBy) -> None:
    found = periods(days, group_by, ZoneInfo(zone))

    assert all(edge.timestamp() % 900 == 0 for edge in found.edges)
    assert found.grain == ("hour" if all(edge.timestamp() % 3600 == 0 for edge in found.edges) else "quarter")


@settings(deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_moment_falls_into_the_day_that_a_clock_on_the_wall_shows(zone: str, moment: datetime) -> None:
    shown = moment.astimezone(ZoneInfo(zone)).date()

    found = periods(Days(shown, shown), "day", ZoneInfo(zone))

    assert found.labels == [shown.isoformat()]
    assert found.edges[0] <= moment < found.edges[1]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # clocks skip midnight
        ("America/Havana", date(2026, 11, 1), 25),  # clocks show midnight twice
        ("Asia/Kolkata", date(2026, 3, 29), 24),
        ("Asia/Kathmandu", date(2026, 3, 29), 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
    ],
)
def test_a_day_is_as_long_as_clocks_make_it(zone: str, day: date, hours: float) -> None:
    begins, ends = periods(Days(day, day), "day", ZoneInfo(zone)).edges

    assert ends - begins == timedelta(hours=hours)
    by_hour = periods(Days(day, day), "hour", ZoneInfo(zone))
    assert len(by_hour.labels) == -(-hours // 1)


def test_the_hour_that_a_clock_shows_twice_is_two_hours() -> None:
    labels = periods(Days(date(2026, 10, 25), date(2026, 10, 25)), "hour", ZoneInfo("Europe/Berlin")).labels

    assert labels[1:5] == [
        "2026-10-25T01:00:00+02:00",
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


def test_weeks_begin_on_monday_and_months_on_their_first_and_hold_the_asked_days_alone() -> None:
    days = Days(date(2026, 4, 29), date(2026, 5, 5))

    weeks, months = (periods(days, group_by, ZoneInfo("UTC")) for group_by in ("week", "month"))

    assert weeks.labels == ["2026-04-27", "2026-05-04"]
    assert months.labels == ["2026-04-01", "2026-05-01"]
    assert weeks.edges[0] == months.edges[0] == datetime(2026, 4, 29, tzinfo=UTC)


@pytest.mark.parametrize(("time_range", "count"), [("7d", 7), ("30d", 30), ("90d", 90), (None, 30)])
def test_a_range_is_so_many_days_with_today(time_range: str | None, count: int) -> None:
    days = asked_days(time_range, None, None, today=TODAY, group_by="day")  # pyright: ignore[reportArgumentType]

    assert days == Days(TODAY - timedelta(days=count - 1), TODAY)


def test_days_without_a_range_are_custom() -> None:
    first, last = date(2026, 1, 1), date(2026, 1, 31)

    assert asked_days(None, first, last, today=TODAY, group_by="day") == Days(first, last)


@pytest.mark.parametrize(
    ("time_range", "start", "end", "group_by", "error", "field"),
    [
        ("custom", date(2026, 2, 1), date(2026, 1, 31), "day", InvalidTimeRange, "start_date"),
        ("custom", date(1999, 12, 31), date(2000, 1, 31), "day", InvalidTimeRange, "start_date"),
        ("custom", date(2100, 12, 1), date(2101, 1, 1), "day", InvalidTimeRange, "end_date"),
        ("custom", date(2025, 1, 1), date(2026, 1, 2), "day", InvalidTimeRange, "end_date"),
        ("custom", date(2026, 1, 1), None, "day", MissingRequiredField, "end_date"),
        (None, None, date(2026, 1, 1), "day", MissingRequiredField, "start_date"),
        ("custom", None, None, "day", MissingRequiredField, "start_date"),
        ("7d", date(2026, 1, 1), None, "day", ValidationFailed, "start_date"),
        ("7d", None, date(2026, 1, 1), "day", ValidationFailed, "end_date"),
        ("90d", None, None, "hour", InvalidTimeRange, "group_by"),
    ],
)
def test_days_that_make_no_range_are_refused_by_name(
    time_range: str | None, start: date | None, end: date | None, group_by: GroupBy, error: type, field: str
) -> None:
    with pytest.raises(error) as refused:
        asked_days(time_range, start, end, today=TODAY, group_by=group_by)  # pyright: ignore[reportArgumentType]

    assert type(refused.value) is error
    assert refused.value.errors[0].field == field


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(1, 3, 33.33), (2, 3, 66.67), (1, 800, 0.13), (0, 5, 0.0), (5, 5, 100.0), (3, 0, 0.0), (7, 5, 140.0)],
)
def test_a_rate_has_two_decimals_and_is_0_of_nothing(part: int, whole: int, expected: float) -> None:
    assert percent(part, whole) == expected
