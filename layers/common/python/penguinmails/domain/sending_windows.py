"""When a campaign may send: its days and hours in its own time zone, daylight saving included."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def next_opening(window: dict[str, Any] | None, zone: str, now: datetime) -> datetime:
    """The first moment from `now` on at which mails may leave; `now` itself while the window is open."""
    if window is None:
        return now
    place = ZoneInfo(zone)
    today = now.astimezone(place).date()
    # A window of one day a week may fall into the hour that is left out when the clock is put forward.
    for ahead in range(15):
        day = today + timedelta(days=ahead)
        if _DAYS[day.weekday()] not in window["days"]:
            continue
        opens, closes = _moment(day, window["start"], place), _moment(day, window["end"], place)
        if now < closes and opens < closes:
            return max(now, opens)
    raise ValueError("the sending window has no day")


def next_boundary(window: dict[str, Any] | None, zone: str, now: datetime) -> datetime:
    """When the open window closes, or the day ends whose limit counts: until then what is planned now has to leave."""
    end = next_day(zone, now)
    if window is None:
        return end
    place = ZoneInfo(zone)
    closes = _moment(now.astimezone(place).date(), window["end"], place)
    return min(end, closes) if closes > now else end


def next_hour_like(moment: datetime, zone: str, now: datetime) -> datetime:
    """When the hour of the day begins next in which a moment was; `now` itself within that hour."""
    place = ZoneInfo(zone)
    here, hour = now.astimezone(place), moment.astimezone(place).hour
    if here.hour == hour:
        return now
    day = here.date() + timedelta(days=hour < here.hour)
    return _moment(day, f"{hour:02}:00", place)


def local_day(zone: str, now: datetime) -> date:
    """Which day it is in the campaign's time zone."""
    return now.astimezone(ZoneInfo(zone)).date()


def next_day(zone: str, now: datetime) -> datetime:
    """When the next day begins in the campaign's time zone."""
    place = ZoneInfo(zone)
    return _moment(now.astimezone(place).date() + timedelta(days=1), "00:00", place)


def _moment(day: date, clock: str, place: ZoneInfo) -> datetime:
    """In UTC, as moments of one zone would be compared by the face of the clock."""
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), place).astimezone(UTC)
