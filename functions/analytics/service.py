"""How figures become counts and rates.

A mail counts in the period in which a thing happened to it first, so periods add up to the whole. Rates are percent with two
decimals: of delivery and bounces over what was sent, of clicks per open over what was opened, all others over what was
delivered; 0 where there is nothing to divide by.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from analytics.repository import ContactFigures, FiguresRow

NO_STEP = UUID(int=0)
"""What the roll-ups hold for mails of no step."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers of mails, and how often they were opened and clicked."""

    sent: int = 0
    delivered: int = 0
    bounced: int = 0
    opened: int = 0
    clicked: int = 0
    replied: int = 0
    complained: int = 0
    unsubscribed: int = 0
    opens: int = 0
    clicks: int = 0
    machine_opens: int = 0
    machine_clicks: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        """Both together."""
        return Figures(*(getattr(self, name) + getattr(other, name) for name in Figures.__slots__))


@dataclass(frozen=True, slots=True)
class StepFigures:
    """What became of the mails of a step: of all, and of each version that was sent."""

    step_id: UUID | None
    total: Figures
    versions: dict[str, Figures]


def figures_of(row: FiguresRow, *, exclude_machine_opens: bool) -> Figures:
    """One row as it is to be shown: people alone, or with the machines that opened or clicked."""
    by_any = not exclude_machine_opens
    return Figures(
        sent=row.sent,
        delivered=row.delivered,
        bounced=row.bounced,
        opened=row.opened_by_any if by_any else row.opened,
        clicked=row.clicked_by_any if by_any else row.clicked,
        replied=row.replied,
        complained=row.complained,
        unsubscribed=row.unsubscribed,
        opens=row.opens + (row.machine_opens if by_any else 0),
        clicks=row.clicks + (row.machine_clicks if by_any else 0),
        machine_opens=row.machine_opens,
        machine_clicks=row.machine_clicks,
    )


def series(rows: Iterable[FiguresRow], periods: int, *, exclude_machine_opens: bool) -> list[Figures]:
    """The figures of each period; zeros where nothing happened."""
    found = {row.period: figures_of(row, exclude_machine_opens=exclude_machine_opens) for row in rows}
    return [found.get(n, Figures()) for n in range(periods)]


def steps(rows: Iterable[FiguresRow], *, exclude_machine_opens: bool) -> dict[UUID | None, StepFigures]:
    """The figures of each step, by its id; None holds mails of no step."""
    found: dict[UUID | None, dict[str, Figures]] = {}
    for row in rows:
        if row.step_id is not None:
            step_id = None if row.step_id == NO_STEP else row.step_id
            versions = found.setdefault(step_id, {})
            versions[row.variant or ""] = figures_of(row, exclude_machine_opens=exclude_machine_opens)
    return {step_id: StepFigures(step_id, total(versions.values()), versions) for step_id, versions in found.items()}


def total(parts: Iterable[Figures]) -> Figures:
    """All parts together."""
    return sum(parts, Figures())


def rates(of: Figures | ContactFigures) -> dict[str, Any]:
    """Each rate by its name."""
    return {
        "delivery_rate": percent(of.delivered, of.sent),
        "bounce_rate": percent(of.bounced, of.sent),
        "open_rate": percent(of.opened, of.delivered),
        "click_rate": percent(of.clicked, of.delivered),
        "click_to_open_rate": percent(of.clicked, of.opened),
        "reply_rate": percent(of.replied, of.delivered),
        "spam_rate": percent(of.complained, of.delivered),
        "unsubscribe_rate": percent(of.unsubscribed, of.delivered),
    }


def percent(part: int, whole: int) -> float:
    """A share with two decimals, halves away from zero; 0 of nothing is 0."""
    if whole == 0:
        return 0.0
    return float((Decimal(100 * part) / whole).quantize(Decimal("0.01"), ROUND_HALF_UP))
