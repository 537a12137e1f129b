"""The platform's figures of a month, kept as they were measured when it was over."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from penguinmails import clock
from penguinmails.db import Tx, jsonb
from penguinmails.domain.roadmap_metrics import Figure


@dataclass(frozen=True, slots=True)
class KeptReport:
    """What was measured, and when."""

    figures: list[dict[str, Any]]
    measured_at: datetime


def month_of(moment: datetime) -> datetime:
    """The beginning of the calendar month that a moment lies in."""
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_after(month: datetime) -> datetime:
    """The beginning of the month after one."""
    return month_of(month + timedelta(days=32))


def month_before(month: datetime) -> datetime:
    """The beginning of the month before one."""
    return month_of(month - timedelta(days=1))


def kept(tx: Tx, month: datetime) -> KeptReport | None:
    """The report of the month that begins then, or None where none was made."""
    return tx.one(
        "SELECT figures, measured_at FROM monthly_reports WHERE month = %(month)s", {"month": month.date()}, KeptReport
    )


def keep(tx: Tx, month: datetime, figures: Sequence[Figure]) -> None:
    """Keep what was measured; what is kept already stays as it is."""
    tx.run(
        """
        INSERT INTO monthly_reports (month, figures, measured_at) VALUES (%(month)s, %(figures)s, %(now)s)
        ON CONFLICT (month) DO NOTHING
        """,
        {"month": month.date(), "figures": jsonb([asdict(figure) for figure in figures]), "now": clock.now()},
    )
