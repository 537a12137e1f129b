"""The report of a month: kept, and mailed to the staff who may see the figures."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from measure_targets import repository
from penguinmails.auth.principal import PLATFORM_TENANT_ID
from penguinmails.db import transaction
from penguinmails.domain.monthly_reports import keep, kept, month_before, month_of
from penguinmails.domain.platform_mail import queue_mail
from penguinmails.domain.roadmap_metrics import Figure, figures
from penguinmails.logging import logger

_SETTLES_AFTER = timedelta(hours=6)
"""Calls are noted late, by environments that rest."""
_SIGNS = {"percent": " %", "ms": " ms", "count": ""}


def make(now: datetime) -> None:
    """Make the report of the last month unless it is there. What a crash has left undone is done by the next run."""
    end = month_of(now)
    if now < end + _SETTLES_AFTER:
        return
    month = month_before(end)
    with transaction(role="jobs") as tx:
        if kept(tx, month) is not None or not repository.is_older_than(tx, end):
            return
        found = figures(tx, month, end, before=month_before(month))
    # First the mails: each has its key, so that a second run sends none twice, and a report that is kept was sent.
    with transaction(tenant_id=PLATFORM_TENANT_ID, mode="live") as tx:
        readers = repository.staff_who_see_figures(tx)
        for user_id in readers:
            queue_mail(
                tx,
                user_id=user_id,
                mail_type="monthly_report",
                dedupe_key=f"monthly_report:{month:%Y-%m}:{user_id}",
                variables={"month": f"{month:%Y-%m}", "figures": in_words(found)},
            )
    with transaction(role="jobs") as tx:
        keep(tx, month, found)
    logger.info("monthly report made", extra={"month": f"{month:%Y-%m}", "readers": len(readers)})


def in_words(found: Sequence[Figure]) -> str:
    """A line for each figure: value, target, whether it is met, and the difference to the month before."""
    return "".join(f"  {_line(figure)}\n" for figure in found)


def _line(figure: Figure) -> str:
    sign = _SIGNS[figure.unit]
    bound = "under" if figure.unit == "ms" else "at least" if figure.unit == "count" else "above"
    target = f"target {bound} {figure.target:g}{sign}"
    if figure.value is None:
        return f"{figure.name}: not measured ({target}; {figure.method})"
    met = "met" if figure.is_met else "MISSED"
    trend = "no figure of the month before" if figure.trend is None else f"{figure.trend:+g}{sign} to the month before"
    return f"{figure.name}: {figure.value:g}{sign} ({target}: {met}; {trend})"
