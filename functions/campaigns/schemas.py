"""What the campaign endpoints take and answer."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, EmailStr, Field, StringConstraints, model_validator

from campaigns.step_schemas import MAX_STEPS, NewStep, Step
from campaigns.steps import MAX_EMAILS
from penguinmails.domain.campaign_states import PausedReason, Status
from penguinmails.domain.mail_addresses import on_the_wire
from penguinmails.http.models import Moment, RequestModel, ResponseModel, Storable, Zone

Goal = Literal["awareness", "lead_gen", "sales"]
CampaignType = Literal["broadcast", "drip", "triggered", "ab_test"]
Provider = Literal["smtp", "postmark", "mailgun"]
Strategy = Literal["immediate", "scheduled", "optimized"]
STRATEGIES = (
    "`immediate`: mails leave as soon as it is their recipient's turn. `scheduled`: the same, and the campaign needs a "
    "`start_date`. `optimized`: each mail waits for the hour of the day, in the campaign's time zone, in which its recipient "
    "last opened one; at most a day, not where that hour lies outside the sending window, and not for who never opened one."
)
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
ALL_DAYS: tuple[Day, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


Name = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000), Storable]
SenderName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f<>\"]{1,100}$"), Storable]
Address = Annotated[EmailStr, StringConstraints(to_lower=True, max_length=254), AfterValidator(on_the_wire)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Workspace = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable]


def _distinct_days(days: list[Day]) -> list[Day]:
    return [day for day in ALL_DAYS if day in days]


class SendingWindow(RequestModel):
    """When mails may leave, in the campaign's time zone."""

    days: Annotated[list[Day], Field(min_length=1, max_length=7), AfterValidator(_distinct_days)] = Field(
        default_factory=lambda: list(ALL_DAYS), description="Days of the week.", examples=[["monday", "tuesday"]]
    )
    start: TimeOfDay = Field(default="00:00", description="From this time of day on.", examples=["09:00"])
    end: TimeOfDay = Field(default="24:00", description="Until this time of day, not included.", examples=["17:00"])

    @model_validator(mode="after")
    def _in_order(self) -> "SendingWindow":
        if self.start >= self.end:
            raise ValueError("start must lie before end; 24:00 is the end of the day")
        return self


class ABTest(RequestModel):
    """How versions are compared: some recipients get either, and the better one goes to everybody else."""

    share_percent: Annotated[int, Field(ge=2, le=100)] = Field(
        default=20, description="Recipients who take part, half of them for each version."
    )
    metric: Literal["opened", "clicked"] = Field(default="opened", description="What decides, per mail that was sent.")
    wait_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=4, description="How long after the first mail of the test it is decided."
    )


class CampaignSettings(RequestModel):
    """How a campaign is carried out."""

    daily_limit: Annotated[int, Field(ge=10, le=1_000_000_000)] = Field(
        default=50,
        description="Mails per sending mailbox and day of the time zone; at most 500, or what your plan allows.",
    )
    track_opens: bool = True
    track_clicks: bool = True
    unsubscribe_enabled: bool = True
    sending_window: SendingWindow | None = Field(default=None, description="Any time when absent.")
    pause_on_reply: bool = Field(default=False, description="Whether who answers gets no further mail of the campaign.")
    ab_test: ABTest = Field(default_factory=ABTest)


class _Fields(RequestModel):
    description: Text | None = None
    goal: Goal | None = None
    segment_id: UUID | None = Field(default=None, description="Audience: whom the segment finds when it starts.")
    list_id: UUID | None = Field(
        default=None,
        description="Audience: the contacts of a list. Without segment and list: all contacts of the workspace.",
    )
    from_email: Address | None = Field(default=None, description="Sending mailbox; the account's default when absent.")
    from_name: SenderName | None = None
    reply_to_email: Address | None = None
    provider: Provider | None = Field(
        default=None,
        description="Who sends it: the built-in server (`smtp`, also when absent), or a provider that the account has set up. "
        "The latter checks the sender itself; without `from_email` it is the account's `default_sender`.",
    )
    start_date: Moment | None = Field(
        default=None, description="When it begins once it is started; at once when absent."
    )
    end_date: Moment | None = Field(default=None, description="When it ends, whoever is left.")
    steps: Annotated[list[NewStep], Field(max_length=MAX_STEPS)] | None = Field(
        default=None, description=f"Up to {MAX_STEPS}, of which {MAX_EMAILS} may be emails."
    )


class NewCampaign(_Fields):
    """A campaign to be drafted."""

    name: Name = Field(examples=["Spring launch"])
    workspace: Workspace | None = Field(
        default=None,
        description="Slug or id; may be left out by accounts that have one workspace.",
        examples=["default"],
    )
    campaign_type: CampaignType = Field(
        default="broadcast", description="A triggered one has no audience: recipients are enrolled one by one."
    )
    timezone: Zone = Field(default="UTC", description="IANA name.", examples=["Europe/Berlin"])
    send_strategy: Strategy = Field(default="immediate", description=STRATEGIES)
    settings: CampaignSettings = Field(default_factory=CampaignSettings)


class CampaignChange(_Fields):
    """Fields to change; absent ones stay. Steps and settings are replaced as a whole."""

    name: Name | None = None
    workspace: Workspace | None = None
    campaign_type: CampaignType | None = None
    timezone: Zone | None = None
    send_strategy: Strategy | None = Field(default=None, description=STRATEGIES)
    settings: CampaignSettings | None = None


class Clone(RequestModel):
    """What the copy is called."""

    name: Name | None = Field(default=None, description="The name with `(copy)` when absent.")


class ConsoleAction(RequestModel):
    """What is to be done, as the console says it."""

    action: Literal["start", "resume", "pause"]


class Stats(ResponseModel):
    """Mails of a campaign, counted as analytics count them; opened and clicked are mails, not repetitions."""

    sent: int
    delivered: int
    opened: int
    clicked: int
    replied: int
    bounced: int
    unsubscribed: int
    complained: int
    failed: int


class Campaign(ResponseModel):
    """A campaign without its steps."""

    id: UUID
    name: str
    workspace_id: UUID
    workspace: str = Field(description="Slug.")
    description: str | None
    goal: Goal | None
    campaign_type: CampaignType
    status: Status
    segment_id: UUID | None
    list_id: UUID | None
    from_email: str | None
    from_name: str | None
    reply_to_email: str | None
    provider: Provider | None
    start_date: datetime | None
    end_date: datetime | None
    timezone: str
    send_strategy: Strategy
    settings: CampaignSettings
    created_at: datetime
    updated_at: datetime
    launched_at: datetime | None
    completed_at: datetime | None
    paused_at: datetime | None = Field(description="When it was stopped; null once it is started again.")
    paused_reason: PausedReason | None = Field(
        description="What stopped it: somebody (`user`); the domain that it sends from is verified no more (`domain_lost`),"
        " which also makes a scheduled campaign a draft: verify the domain, then start the campaign again; or its provider"
        " takes no mail of it (`provider_refused`): put right what `paused_detail` names, then start it again.",
        examples=[None],
    )
    paused_detail: str | None = Field(description="What the provider said that stopped it.", examples=[None])


class CampaignDetails(Campaign):
    """A campaign with its steps and what became of its mails so far."""

    unversioned: ClassVar = {"total_contacts": True, "stats": True, "steps": {"__all__": {"winner"}}}

    steps: list[Step]
    total_contacts: int = Field(description="Recipients who are or were enrolled.")
    stats: Stats


class DeletedCampaign(ResponseModel):
    """The confirmation that the campaign is gone; the mails that it sent stay listed."""

    id: UUID
    deleted: Literal[True] = True
