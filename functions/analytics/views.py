"""From figures to what is answered."""

from typing import Any, Literal, cast
from uuid import UUID

from analytics.periods import Periods
from analytics.repository import ActivityRow, ContactFigures, StepRow
from analytics.schemas import Activity, MachineSummary, Point, Rates, StepAnalytics, Summary, VersionAnalytics
from analytics.service import Figures, StepFigures, rates
from penguinmails.db import columns_of


def _counts(of: Figures | ContactFigures) -> dict[str, int]:
    return {
        "emails_sent": of.sent,
        "emails_delivered": of.delivered,
        "emails_bounced": of.bounced,
        "emails_opened": of.opened,
        "emails_clicked": of.clicked,
        "emails_replied": of.replied,
        "spam_complaints": of.complained,
        "unsubscribes": of.unsubscribed,
        "total_opens": of.opens,
        "total_clicks": of.clicks,
    }


def summary_view(of: Figures) -> MachineSummary:
    """The numbers under their public names."""
    return MachineSummary(**_counts(of), machine_opens=of.machine_opens, machine_clicks=of.machine_clicks)


def contact_summary_view(of: ContactFigures) -> Summary:
    """The numbers of a contact's mails."""
    return Summary(**_counts(of))


def rates_view(of: Figures | ContactFigures) -> Rates:
    """The rates."""
    return Rates(**rates(of))


def points_view(periods: Periods, figures: list[Figures]) -> list[Point]:
    """The time series."""
    return [
        Point(
            date=label,
            sent=of.sent,
            delivered=of.delivered,
            opened=of.opened,
            clicked=of.clicked,
            replied=of.replied,
            bounced=of.bounced,
            spam_complaints=of.complained,
            unsubscribes=of.unsubscribed,
            total_opens=of.opens,
            total_clicks=of.clicks,
        )
        for label, of in zip(periods.labels, figures, strict=True)
    ]


def steps_view(steps: list[StepRow], found: dict[UUID | None, StepFigures]) -> list[StepAnalytics]:
    """All steps in their order, also those that have sent nothing; then mails of steps that are gone, and of none."""
    present = {step.id for step in steps}
    gone = sorted((step_id for step_id in found if step_id not in present), key=str)
    return [
        *(_step_view(step.id, step, found.get(step.id)) for step in steps),
        *(_step_view(step_id, None, found[step_id]) for step_id in gone),
    ]


def _step_view(step_id: UUID | None, step: StepRow | None, found: StepFigures | None) -> StepAnalytics:
    all_versions = found.total if found else Figures()
    versions = found.versions if found else {}
    return StepAnalytics(
        step_id=step_id,
        step_order=step and step.step_order,
        name=step and step.name,
        subject=step and step.subject,
        summary=summary_view(all_versions),
        rates=rates_view(all_versions),
        versions=[
            VersionAnalytics(
                version=cast("Literal['a', 'b']", name), summary=summary_view(figures), rates=rates_view(figures)
            )
            for name, figures in sorted(versions.items())
            if name
        ],
    )


def activity_view(row: ActivityRow) -> Activity:
    """One activity."""
    values: dict[str, Any] = columns_of(row)
    return Activity(**values)
