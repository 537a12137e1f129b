"""What the analytics endpoints answer."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from analytics.periods import GroupBy
from penguinmails.http.models import Page, ResponseModel

EmailType = Literal["transactional", "marketing", "cold_outreach"]
ActivityType = Literal["sent", "delivered", "bounced", "opened", "clicked", "replied", "complained", "unsubscribed"]


class Summary(ResponseModel):
    """Numbers of mails. A mail counts once, when the thing first happened to it."""

    emails_sent: int = Field(description="Handed over, those that bounced included.")
    emails_delivered: int = Field(
        description="Arrived and did not bounce. Where the way of sending tells of no delivery, all that did not bounce."
    )
    emails_bounced: int
    emails_opened: int = Field(description="Mails, however often each was opened.")
    emails_clicked: int = Field(description="Mails, however often a link in each was followed.")
    emails_replied: int
    spam_complaints: int
    unsubscribes: int
    total_opens: int = Field(description="Every open counts.")
    total_clicks: int = Field(description="Every click counts.")


class MachineSummary(Summary):
    """Numbers of mails, and what machines did apart."""

    machine_opens: int = Field(description="Every open by a program that loads what nobody looks at.")
    machine_clicks: int = Field(description="Every click by a program that follows what nobody has read.")


class Rates(ResponseModel):
    """Percent with two decimals; 0 where there is nothing to divide by. Above 100 when old mails are opened in a new period."""

    delivery_rate: float = Field(description="Delivered of sent.")
    bounce_rate: float = Field(description="Bounced of sent.")
    open_rate: float = Field(description="Opened of delivered.")
    click_rate: float = Field(description="Clicked of delivered.")
    click_to_open_rate: float = Field(description="Clicked of opened.")
    reply_rate: float = Field(description="Answered of delivered.")
    spam_rate: float = Field(description="Complained about of delivered.")
    unsubscribe_rate: float = Field(description="Unsubscribed by, of delivered.")


class Point(ResponseModel):
    """One period."""

    date: str = Field(
        description="A day, the Monday of a week or the first of a month; of an hour its beginning, with the offset."
    )
    sent: int
    delivered: int
    opened: int
    clicked: int
    replied: int
    bounced: int
    spam_complaints: int
    unsubscribes: int
    total_opens: int
    total_clicks: int


class Meta(ResponseModel):
    """What the figures are about and how fresh they are."""

    start_date: date = Field(description="First day.")
    end_date: date = Field(description="Last day, included.")
    group_by: GroupBy
    timezone: str
    exclude_machine_opens: bool
    last_updated: datetime = Field(description="All that was recorded before is counted.")


class EmailAnalytics(ResponseModel):
    """Figures about mails over time."""

    summary: MachineSummary
    rates: Rates
    time_series: list[Point] = Field(description="Every period in order, also those in which nothing happened.")
    meta: Meta


class VersionAnalytics(ResponseModel):
    """One version of a step's mail."""

    version: Literal["a", "b"]
    summary: MachineSummary
    rates: Rates


class StepAnalytics(ResponseModel):
    """The mails of one step."""

    step_id: UUID | None = Field(description="Null for mails of the campaign that belong to no step.")
    step_order: int | None = Field(description="Null when the step is gone.")
    name: str | None
    subject: str | None = Field(description="Of version a, as a template.")
    summary: MachineSummary
    rates: Rates
    versions: list[VersionAnalytics] = Field(description="Those that were sent; one where nothing was tested.")


class CampaignAnalytics(EmailAnalytics):
    """Figures about a campaign's mails over time, and by step and version."""

    campaign_id: UUID
    name: str
    steps: list[StepAnalytics] = Field(description="All in their order; then those that are gone.")


class Activity(ResponseModel):
    """One thing that happened with a mail to the contact."""

    id: UUID
    type: ActivityType
    occurred_at: datetime
    email_id: UUID
    subject: str
    campaign_id: UUID | None
    campaign_name: str | None = Field(description="Null when the campaign is gone, and for mails of none.")
    is_machine: bool = Field(description="Whether a program did it that loads what nobody looks at.")


class ContactMeta(ResponseModel):
    """How fresh the figures are."""

    last_updated: datetime = Field(description="All that was recorded before is counted.")


class ContactAnalytics(ResponseModel):
    """What became of all mails to a contact's address; opens and clicks of people alone."""

    contact_id: UUID
    lead_score: int = Field(description="0 to 100, from opens, clicks and answers, lower when they are long ago.")
    summary: Summary
    rates: Rates
    last_activity_at: datetime | None
    last_email_opened_at: datetime | None
    last_engaged_at: datetime | None = Field(description="The last open, click or answer of a person.")
    last_campaign_id: UUID | None = Field(description="The campaign whose mail was last opened, clicked or answered.")
    activities: Page[Activity] = Field(description="Newest first unless sorted otherwise.")
    meta: ContactMeta
