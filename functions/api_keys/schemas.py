"""What the API key endpoints take and answer."""

from datetime import date, datetime
from ipaddress import ip_network
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from penguinmails.auth.scopes import Scope
from penguinmails.http.models import Moment, RequestModel, ResponseModel

KeyName = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=r"^[A-Za-z0-9 _-]+$")]


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError("is not a network in CIDR form, such as 203.0.113.0/24 or 2001:db8::/32") from None


Cidr = Annotated[str, StringConstraints(max_length=49), AfterValidator(_network)]
Quota = Annotated[int, Field(ge=1, le=1_000_000_000)]
KeyStatus = Literal["active", "revoked", "expired"]


class NewApiKey(RequestModel):
    """A key to be made."""

    name: KeyName = Field(description="1 to 50 letters, digits, spaces, `-` and `_`.", examples=["Billing service"])
    permissions: Annotated[list[Scope], Field(min_length=1, max_length=8)] = Field(
        description="Scopes of the key, at least one; only scopes that your own role has.", examples=[["send_email"]]
    )
    environment: Literal["live", "test"] = Field(default="live", description="Which data set the key sees.")
    expires_at: Moment | None = Field(default=None, description="When the key stops; never when absent.")
    allowed_cidrs: Annotated[list[Cidr], Field(max_length=50)] = Field(
        default_factory=list[Cidr], description="Networks (v4 or v6) that may use the key; all when empty."
    )
    monthly_quota: Quota | None = Field(
        default=None, description="Requests per calendar month (UTC); unlimited when absent."
    )


class ApiKeyChange(RequestModel):
    """Fields to change; absent ones stay, null clears what may be absent."""

    name: KeyName | None = Field(default=None, description="A new name.")
    permissions: Annotated[list[Scope], Field(min_length=1, max_length=8)] | None = Field(
        default=None, description="The scopes from now on."
    )
    expires_at: Moment | None = Field(default=None, description="When the key stops; null for never.")
    allowed_cidrs: Annotated[list[Cidr], Field(max_length=50)] | None = Field(
        default=None, description="Networks that may use the key; empty for all."
    )
    monthly_quota: Quota | None = Field(default=None, description="Requests per calendar month; null for unlimited.")


class ApiKeySecret(ResponseModel):
    """The only answer that ever carries the key itself."""

    api_key: str | None = Field(description="The key. Shown this once; null when the request is replayed.")
    key_id: UUID
    name: str
    permissions: list[Scope]
    environment: Literal["live", "test"]
    rate_limit: int = Field(description="Requests per minute.")
    expires_at: datetime | None
    created_at: datetime
    warning: str


class ApiKeyItem(ResponseModel):
    """A key as it is seen after it was made."""

    key_id: UUID
    name: str
    masked_key: str = Field(examples=["pm_live_a1b...o5p6"])
    environment: Literal["live", "test"]
    permissions: list[Scope]
    rate_limit: int = Field(description="Requests per minute.")
    status: KeyStatus
    created_at: datetime
    created_by: UUID
    last_used: datetime | None
    request_count: int = Field(description="Requests in the key's life, up to a minute ago.")
    error_count: int = Field(description="Those of them that were answered 4xx or 5xx.")
    expires_at: datetime | None
    allowed_cidrs: list[str]
    monthly_quota: int | None
    revoked_at: datetime | None


class UsageDay(ResponseModel):
    """Requests of one day (UTC)."""

    date: date
    requests: int
    errors: int


class EndpointUsage(ResponseModel):
    """Requests of one endpoint."""

    endpoint: str
    count: int
    avg_response_time_ms: float


class CountryUsage(ResponseModel):
    """Requests from one country."""

    country: str = Field(description="ISO 3166-1 alpha-2 code; empty when it is not known.", examples=["DE"])
    requests: int
    errors: int


class NetworkUsage(ResponseModel):
    """Requests from one network."""

    network: str = Field(description="A /24 of IPv4 or a /48 of IPv6.", examples=["203.0.113.0/24"])
    country: str = Field(description="ISO 3166-1 alpha-2 code; empty when it is not known.")
    requests: int
    errors: int


class UsageFigures(ResponseModel):
    """Usage of the last 30 days, up to a minute old."""

    usage_by_day: list[UsageDay]
    top_endpoints: list[EndpointUsage]
    by_country: list[CountryUsage]
    top_networks: list[NetworkUsage]


class ApiKeyDetails(ApiKeyItem, UsageFigures):
    """A key with its usage of the last 30 days."""


class RevokedApiKey(ResponseModel):
    """The confirmation that a key is dead."""

    message: str
    key_id: UUID
    revoked_at: datetime


class RevokeAllKeys(RequestModel):
    """Why every key has to end."""

    reason: Annotated[str, StringConstraints(min_length=3, max_length=500)] = Field(
        description="Kept in the audit trail.", examples=["Keys were found in a public repository"]
    )
    incident_id: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="The number of your own incident record.", examples=["INC-2041"]
    )


class RevokedApiKeys(ResponseModel):
    """The confirmation that all keys are dead."""

    message: str
    revoked: int = Field(description="How many keys were active until now.")
    key_ids: list[UUID]


class ApiUsage(UsageFigures):
    """Usage of all of the tenant's keys in the last 30 days."""

    requests: int
    errors: int
