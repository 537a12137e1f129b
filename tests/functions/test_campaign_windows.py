"""Sending windows in their time zones, daylight saving included."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penguinmails.domain.sending_windows import local_day, next_boundary, next_day, next_hour_like, next_opening

OFFICE = {"days": ["monday", "tuesday", "wednesday", "thursday", "friday"], "start": "09:00", "end": "17:00"}
BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-05-01T06:59", "2026-05-01T07:00"),  # Friday in summer: nine o'clock is seven in UTC
        ("2026-05-01T07:00", "2026-05-01T07:00"),
        ("2026-05-01T14:59", "2026-05-01T14:59"),
        ("2026-05-01T15:00", "2026-05-04T07:00"),  # closed: Monday
        ("2026-05-02T12:00", "2026-05-04T07:00"),
        ("2026-10-23T15:00", "2026-10-26T08:00"),  # over the change to winter time
        ("2026-03-27T16:00", "2026-03-30T07:00"),  # over the change to summer time
    ],
)
def test_office_hours_are_those_of_the_place(now: str, opening: str) -> None:
    assert next_opening(OFFICE, BERLIN, at(now)) == at(opening)


def test_without_a_window_it_is_always_open() -> None:
    assert next_opening(None, BERLIN, at("2026-05-02T03:00")) == at("2026-05-02T03:00")


def test_an_hour_that_the_clock_skips_opens_nothing_that_night() -> None:
    night = {"days": ["sunday"], "start": "02:15", "end": "02:45"}

    assert next_opening(night, BERLIN, at("2026-03-29T00:00")) >= at("2026-03-29T01:00")


def test_a_window_that_the_clock_skips_is_open_a_week_later() -> None:
    night = {"days": ["sunday"], "start": "02:00", "end": "03:00"}

    assert next_opening(night, "America/New_York", at("2027-03-08T12:00")) == at("2027-03-21T06:00")


@pytest.mark.parametrize(
    ("zone", "now", "day", "following"),
    [
        (BERLIN, "2026-05-01T21:59", "2026-05-01", "2026-05-01T22:00"),
        (BERLIN, "2026-05-01T22:00", "2026-05-02", "2026-05-02T22:00"),
        (BERLIN, "2026-10-24T22:00", "2026-10-25", "2026-10-25T23:00"),  # a day of 25 hours
        ("Pacific/Auckland", "2026-05-01T12:00", "2026-05-02", "2026-05-02T12:00"),
    ],
)
def test_a_day_is_one_of_the_place(zone: str, now: str, day: str, following: str) -> None:
    assert local_day(zone, at(now)).isoformat() == day
    assert next_day(zone, at(now)) == at(following)


@pytest.mark.parametrize(
    ("window", "now", "boundary"),
    [
        (OFFICE, "2026-05-01T14:30", "2026-05-01T15:00"),  # closes at five
        ({**OFFICE, "end": "24:00"}, "2026-05-01T14:30", "2026-05-01T22:00"),
        (None, "2026-05-01T14:30", "2026-05-01T22:00"),  # midnight, as the day's limit ends
        (None, "2026-10-25T21:30", "2026-10-25T23:00"),
    ],
)
def test_what_is_planned_has_to_leave_before_the_window_closes_or_the_day_ends(
    window: dict[str, object] | None, now: str, boundary: str
) -> None:
    assert next_boundary(window, BERLIN, at(now)) == at(boundary)


@pytest.mark.parametrize(
    ("now", "hour"),
    [
        ("2026-05-01T06:59", "2026-05-01T07:00"),  # opened at 9:20 in Berlin
        ("2026-05-01T07:30", "2026-05-01T07:30"),
        ("2026-05-01T08:00", "2026-05-02T07:00"),
        ("2026-10-24T08:00", "2026-10-25T08:00"),  # nine o'clock in winter
    ],
)
def test_an_hour_of_the_day_is_one_of_the_place(now: str, hour: str) -> None:
    assert next_hour_like(at("2026-04-20T07:20"), BERLIN, at(now)) == at(hour)


@given(
    st.timedeltas(timedelta(0), timedelta(days=365)),
    st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
    st.sets(st.sampled_from(OFFICE["days"]), min_size=1),
)
def test_an_opening_lies_within_a_week_and_is_open(later: timedelta, zone: str, days: set[str]) -> None:
    window = {"days": sorted(days), "start": "00:00", "end": "24:00"}
    now = at("2026-01-01T00:00") + later
    opening = next_opening(window, zone, now)

    assert now <= opening <= now + timedelta(days=8)
    assert next_opening(window, zone, opening) == opening
