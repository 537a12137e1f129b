"""The platform's figures of a month, or of now, with the period before for the trend."""

from datetime import UTC, datetime, timedelta

from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain.roadmap_metrics import TARGETS
from staff.schemas import Metric, MetricsReport

_ROLLING = timedelta(hours=24)


def report(tx: Tx, month: str | None) -> MetricsReport:
    """Figures of a calendar month in UTC (`2026-10`), or of the last 24 hours without one."""
    now = clock.now()
    if month is None:
        start, end, before = now - _ROLLING, now, now - 2 * _ROLLING
    else:
        start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        end, before = _next_month(start), _next_month(start - timedelta(days=40))
        end = min(end, now)
    metrics: list[Metric] = []
    for target in TARGETS:
        value, previous = target.measure(tx, start, end), target.measure(tx, before, start)
        metrics.append(
            Metric(
                name=target.name,
                value=value,
                unit=target.unit,
                target=target.target,
                is_met=target.is_met(value),
                previous=previous,
                trend=None if value is None or previous is None else round(value - previous, 2),
                method=target.method,
            )
        )
    return MetricsReport(start=start, end=end, data=metrics)


def _next_month(moment: datetime) -> datetime:
    """The beginning of the month after the one that a moment lies in."""
    return (moment.replace(day=1) + timedelta(days=32)).replace(day=1)
