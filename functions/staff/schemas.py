"""What the staff endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import EmailStr, Field, StringConstraints

from penguinmails.auth.principal import StaffGrant, StaffRole
from penguinmails.http.models import RequestModel, ResponseModel, Storable

Email = Annotated[EmailStr, StringConstraints(to_lower=True, max_length=254)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$"), Storable]
ReasonText = Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True), Storable]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
TenantStatus = Literal["active", "suspended", "canceled"]
_REASON = Field(description="Why; it is kept in the account's audit log.", examples=["Invoice of May is unpaid."])


class StaffIdentity(ResponseModel):
    """The member of staff who asks."""

    user_id: UUID
    email: str
    role: StaffRole
    grants: list[str] = Field(description="What the member may do beyond the role.")


class Owner(ResponseModel):
    """The first owner of an account; the support role sees the address masked and no name."""

    name: str | None
    email: str


class Tenant(ResponseModel):
    """An account."""

    id: UUID
    name: str
    status: TenantStatus
    status_reason: str | None = Field(description="Why the status was last changed by staff.")
    plan: str
    subscription_status: str
    owner: Owner | None
    created_at: datetime


class Limits(ResponseModel):
    """What holds for the account: its plan with the overrides. Null is unlimited."""

    api_access: bool
    api_rate_limit: int = Field(description="Requests per minute and API key.")
    api_burst_limit: int
    send_rate_per_second: int
    max_contacts: int | None
    max_emails_per_month: int | None
    max_webhooks: int
    max_domains: int | None


class Plan(Limits):
    """What is sold."""

    slug: str
    name: str
    price_monthly_cents: int | None = Field(description="Null is by agreement.")
    is_active: bool = Field(description="Whether accounts can be put on it.")


class PlanList(ResponseModel):
    """All plans, the cheapest first."""

    data: list[Plan]


class Overrides(ResponseModel):
    """What staff have allowed the account beyond, or below, its plan."""

    limits: dict[str, int]
    reason: str
    set_at: datetime


class Metric(ResponseModel):
    """One figure against its target."""

    name: str
    value: float | None = Field(description="Null when nothing was there to be measured.")
    unit: Literal["percent", "ms", "count"]
    target: float
    is_met: bool | None
    previous: float | None = Field(description="The same for the period before.")
    trend: float | None = Field(description="The difference between the two.")
    method: str = Field(description="How it is counted.")


class MetricsReport(ResponseModel):
    """The platform's figures of one period."""

    start: datetime
    end: datetime
    measured_at: datetime = Field(
        description="When they were counted: for a month that is over, when its report was made and mailed."
    )
    data: list[Metric]


class Usage(ResponseModel):
    """What the account uses, in its live data."""

    users: int
    active_api_keys: int
    contacts: int
    webhooks: int
    emails_this_month: int = Field(description="Of the calendar month in UTC.")


class TenantDetails(Tenant):
    """An account with its limits and what it uses of them."""

    limits: Limits
    overrides: Overrides | None
    usage: Usage


class Reason(RequestModel):
    """Why something is done to an account."""

    reason: ReasonText = _REASON


class PlanChange(RequestModel):
    """An account's new plan."""

    plan: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,50}$")] = Field(examples=["pro"])
    reason: ReasonText = _REASON


class NewOverrides(RequestModel):
    """Limits that win over the plan; those that are left out are the plan's again."""

    api_rate_limit: Count | None = Field(default=None, description="Requests per minute and API key.")
    api_burst_limit: Count | None = None
    send_rate_per_second: Count | None = None
    max_contacts: Count | None = None
    max_emails_per_month: Count | None = None
    max_webhooks: Count | None = None
    max_domains: Count | None = None
    max_daily_limit: Count | None = Field(
        default=None, description="Most mails per mailbox and day that a campaign may set; 500 without an override."
    )
    reason: ReasonText = _REASON


class SecondFactorReset(RequestModel):
    """Who has lost their second factor."""

    email: Email = Field(description="The address that the person signs in with.", examples=["ada@example.com"])
    reason: ReasonText = _REASON


class Done(ResponseModel):
    """What was done."""

    message: str
    user_id: UUID


class StaffMember(ResponseModel):
    """A member of the platform's staff."""

    id: UUID
    email: str
    name: str
    role: StaffRole
    grants: list[str] = Field(description="What the member may do beyond the role.")
    is_active: bool
    has_second_factor: bool
    created_at: datetime


class NewStaffMember(RequestModel):
    """Who joins the staff."""

    email: Email = Field(description="An address that signs in to no account.", examples=["ada@penguinmails.example"])
    name: Name = Field(examples=["Ada Lovelace"])
    role: StaffRole
    grants: Annotated[list[StaffGrant], Field(max_length=10)] = Field(default_factory=list)


class StaffMemberChange(RequestModel):
    """What changes about a member of staff; fields that are left out stay."""

    role: StaffRole | None = None
    grants: Annotated[list[StaffGrant], Field(max_length=10)] | None = None
    is_active: bool | None = Field(default=None, description="False ends every session at once.")
