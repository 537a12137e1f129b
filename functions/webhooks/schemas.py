"""What the webhook endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from penguinmails.events.catalogue import EVENT_TYPES
from penguinmails.http.models import RequestModel, ResponseModel, Storable


def _known(event_type: str) -> str:
    if event_type not in EVENT_TYPES:
        raise ValueError(f"is not an event type; there are {', '.join(EVENT_TYPES)}")
    return event_type


EventType = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": [*EVENT_TYPES]})]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable]
Description = Annotated[str, StringConstraints(max_length=1000), Storable]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2048), Storable]
EventTypes = Annotated[list[EventType], Field(min_length=1, max_length=len(EVENT_TYPES))]
Retries = Annotated[int, Field(ge=1, le=10)]
Seconds = Annotated[int, Field(ge=1, le=30)]


_FILTERS = """Only events that meet all of this: `workspaces`, `campaigns` (ids), `tags` (of the contact, any of them), and
`filters`, which lead a dotted path through the event's data to a value, a list (any of), or operators: $eq, $ne, $in, $nin,
$gt, $gte, $lt, $lte, $exists (is there and not null; of an object too)."""
_FILTERS_EXAMPLE = {"tags": ["vip"], "filters": {"source": ["api", "import"], "contact.email": {"$exists": True}}}
EventFilters = dict[str, Any]
CustomHeaders = dict[str, str]
PerSecond = Annotated[int, Field(ge=1, le=1_000)]
_HEADERS = "Up to ten headers that each post carries. Their values are kept as secrets and never shown again."
_PACE = "Posts per second at most; what is above waits and costs no attempt."


Ordering = Literal["none", "contact", "campaign"]
BatchSize = Annotated[int, Field(ge=1, le=100)]
BatchWait = Annotated[int, Field(ge=0, le=60)]
_ORDERING = """Whose events arrive in their order: with `contact` or `campaign` the next event of one goes only when all before
it have been taken or given up. One that fails holds up those behind it, and nobody else's. Holds for events from now on."""
_BATCH_SIZE = """Events per post at most. Above 1 every post has the form `{"events": [...]}`, and its answer is that of all
its events."""
_BATCH_WAIT = "How long an event waits for others to share its post, in seconds. A full post goes at once."


class NewWebhook(RequestModel):
    """An endpoint that should receive events."""

    name: Name = Field(description="For people.", examples=["CRM sync"])
    description: Description | None = Field(default=None, description="For people.")
    endpoint_url: Url = Field(
        description="HTTPS URL on the public Internet, port 443 or above 1023.", examples=["https://example.com/hooks"]
    )
    event_types: EventTypes = Field(
        description="What to receive. Each type needs the scope of its data.", examples=[["email.sent"]]
    )
    event_filters: EventFilters | None = Field(default=None, description=_FILTERS, examples=[_FILTERS_EXAMPLE])
    custom_headers: CustomHeaders | None = Field(
        default=None, description=_HEADERS, examples=[{"X-Gateway-Token": "t0k3n"}]
    )
    max_per_second: PerSecond | None = Field(default=None, description=_PACE)
    ordering: Ordering = Field(default="none", description=_ORDERING)
    batch_size: BatchSize = Field(default=1, description=_BATCH_SIZE)
    batch_wait_seconds: BatchWait = Field(default=0, description=_BATCH_WAIT)
    is_active: bool = Field(default=True, description="Whether events are delivered.")
    retry_enabled: bool = Field(default=True, description="Whether failed deliveries are tried again.")
    max_retries: Retries = Field(default=5, description="Tries after the first.")
    timeout_seconds: Seconds = Field(default=5, description="For the whole exchange, the answer's body included.")


class WebhookChange(RequestModel):
    """Fields to change; absent ones stay."""

    name: Name | None = Field(default=None, description="For people.")
    description: Description | None = Field(default=None, description="For people; null clears.")
    endpoint_url: Url | None = Field(
        default=None, description="Where to post from now on. It takes the scopes of all the types."
    )
    event_types: EventTypes | None = Field(default=None, description="What to receive from now on.")
    event_filters: EventFilters | None = Field(
        default=None,
        description=_FILTERS
        + " Null takes every event of the types. Another filter takes the scopes of all the types.",
        examples=[_FILTERS_EXAMPLE],
    )
    custom_headers: CustomHeaders | None = Field(
        default=None, description=_HEADERS + " Null takes them all away.", examples=[{"X-Gateway-Token": "t0k3n"}]
    )
    max_per_second: PerSecond | None = Field(default=None, description=_PACE + " Null lifts the limit.")
    ordering: Ordering | None = Field(default=None, description=_ORDERING)
    batch_size: BatchSize | None = Field(default=None, description=_BATCH_SIZE)
    batch_wait_seconds: BatchWait | None = Field(default=None, description=_BATCH_WAIT)
    is_active: bool | None = Field(default=None, description="Whether events are delivered.")
    retry_enabled: bool | None = Field(default=None, description="Whether failed deliveries are tried again.")
    max_retries: Retries | None = Field(default=None, description="Tries after the first.")
    timeout_seconds: Seconds | None = Field(default=None, description="For the whole exchange.")


class Webhook(ResponseModel):
    """An endpoint and its health."""

    id: UUID
    name: str
    description: str | None
    endpoint_url: str
    masked_secret: str = Field(examples=["whsec_...xyz"])
    event_types: list[str]
    event_filters: dict[str, Any] | None
    custom_header_names: list[str] = Field(description="Headers of your own; their values are not shown.")
    max_per_second: int | None
    ordering: Ordering
    batch_size: int
    batch_wait_seconds: int
    previous_secret_until: datetime | None = Field(
        description="Until then posts are signed with the secret before this one too."
    )
    api_version: str
    status: Literal["active", "failing", "paused", "inactive"] = Field(
        description="`paused` by somebody, `inactive` when it was switched off because of failures or a 410."
    )
    is_active: bool
    paused_reason: str | None = Field(description="`failures` or `gone` when the platform has switched it off.")
    is_probing: bool = Field(
        description="Resumed after it was switched off: one post at a time until one succeeds; off again when one fails. A pause "
        "in between changes nothing of that."
    )
    is_failing: bool = Field(description="Three attempts in a row have failed.")
    consecutive_failures: int
    retry_enabled: bool
    max_retries: int
    timeout_seconds: int
    last_success_at: datetime | None
    last_failure_at: datetime | None
    created_by: UUID
    created_at: datetime
    updated_at: datetime


class WebhookWithSecret(Webhook):
    """The only answer that ever carries the signing secret."""

    secret_key: str | None = Field(description="Signs every post. Shown this once; null when the request is replayed.")


class Rotation(RequestModel):
    """How a secret is replaced."""

    overlap_hours: int = Field(
        default=0,
        ge=0,
        le=24,
        description="For how long posts carry signatures of both secrets; 0 drops the old one now.",
    )


class SourceIps(ResponseModel):
    """Where posts come from."""

    source_ips: list[str] = Field(description="Addresses or networks, for a firewall.", examples=[["192.0.2.10/32"]])


class DeletedWebhook(ResponseModel):
    """The confirmation that nothing is posted there any more."""

    id: UUID
    deleted: Literal[True] = True
