"""The platform's figures of a month, or of now, with the period before for the trend."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain.monthly_reports import kept, month_after, month_before
from penguinmails.domain.roadmap_metrics import figures
from penguinmails.errors import ValidationFailed
from staff.schemas import Metric, MetricsReport

_ROLLING = timedelta(hours=24)


def report(tx: Tx, month: str | None) -> MetricsReport:
    """Figures of a calendar month in UTC (`2026-10`), or of the last 24 hours without one.

    Of a month that is over they are those of its report; without one they are counted from what is still there.
    """
    now = clock.now()
    if month is None:
        start, end, before = now - _ROLLING, now, now - 2 * _ROLLING
    else:
        start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        if start > now:
            raise ValidationFailed.of("month", f"has not begun; the latest is {now:%Y-%m}")
        end, before = min(month_after(start), now), month_before(start)
        made = kept(tx, start)
        if made is not None:
            metrics = [Metric(**figure) for figure in made.figures]
            return MetricsReport(start=start, end=end, measured_at=made.measured_at, data=metrics)
    metrics = [Metric(**asdict(figure)) for figure in figures(tx, start, end, before=before)]
    return MetricsReport(start=start, end=end, measured_at=now, data=metrics)
