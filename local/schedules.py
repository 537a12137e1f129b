"""EventBridge schedules: rate(...) and cron(...) expressions, in UTC."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local.environments import InvocationError
from local.template import Schedule

Invoke = Callable[[str, Any], Awaitable[Any]]
_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400}
_SEARCH_MINUTES = 366 * 24 * 60


def rate_seconds(expression: str) -> int | None:
    """Seconds between two runs of a rate expression; None when it is not one."""
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    return int(found[1]) * _UNITS[found[2]] if found else None


def next_cron(expression: str, after: datetime) -> datetime:
    """The next moment of cron(minutes hours day-of-month month day-of-week year); raises ValueError when malformed.

    Numbers, `*`, `?`, lists, ranges and steps are understood; names and L, W, # are not.
    """
    found = re.fullmatch(r"cron\(([^)]+)\)", expression)
    fields = found[1].split() if found else []
    if len(fields) != 6:
        raise ValueError(f"{expression} is not a cron expression of six fields")
    bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
    minutes, hours, days, months, weekdays, years = (
        _values(text, low, high) for text, (low, high) in zip(fields, bounds, strict=True)
    )
    moment = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(_SEARCH_MINUTES):
        # Amazon counts weekdays from Sunday, which is 1.
        if (
            moment.minute in minutes
            and moment.hour in hours
            and moment.day in days
            and moment.month in months
            and moment.isoweekday() % 7 + 1 in weekdays
            and moment.year in years
        ):
            return moment
        moment += timedelta(minutes=1)
    raise ValueError(f"{expression} does not fire within a year")


def _values(text: str, low: int, high: int) -> set[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span in {"*", "?"}:
            first, last = low, high
        elif "-" in span:
            first, last = (int(number) for number in span.split("-"))
        else:
            first = int(span)
            last = high if step else first
        if not low <= first <= last <= high:
            raise ValueError(f"{part} is outside {low} to {high}")
        values.update(range(first, last + 1, int(step or 1)))
    return values


async def run_schedule(schedule: Schedule, invoke: Invoke) -> None:
    """Fire until cancelled. A run that takes longer than its interval is not overtaken by the next."""
    interval = rate_seconds(schedule.expression)
    while True:
        now = datetime.now(UTC)
        wait = interval or (next_cron(schedule.expression, now) - now).total_seconds()
        await asyncio.sleep(wait)
        try:
            await invoke(schedule.function, schedule.payload)
        except InvocationError:
            continue  # the function has logged why; the next run is due anyway
