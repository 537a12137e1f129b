"""What the email endpoints take and answer."""

from datetime import datetime
from email.headerregistry import Address
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    EmailStr,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.networks import validate_email

from emails.attachment_schemas import AttachedFile, Attachment, check_attachments
from penguinmails.domain.mail_addresses import on_the_wire
from penguinmails.http.models import Moment, RequestModel, ResponseModel, Storable

MAX_RECIPIENTS = 100
_MAX_BODY_LENGTH = 3_500_000
_RESERVED_HEADERS = {
    "bcc", "cc", "date", "dkim-signature", "from", "list-unsubscribe",
    "list-unsubscribe-post", "message-id", "mime-version", "received", "reply-to", "return-path", "sender", "subject", "to",
}  # fmt: skip
_RESERVED_PREFIXES = ("content-", "resent-", "arc-", "x-penguinmails-")

EmailStatus = Literal[
    "scheduled", "queued", "sending", "sent", "delivered", "bounced", "failed", "suppressed", "cancelled"
]
EmailType = Literal["transactional", "marketing", "cold_outreach"]


def _one_line(text: str) -> str:
    if not all(character.isprintable() for character in text):
        raise ValueError("must be one line without control characters")
    return text


Recipient = Annotated[EmailStr, StringConstraints(to_lower=True, max_length=254)]
_RECIPIENTS = TypeAdapter(Annotated[list[Recipient], Field(min_length=1, max_length=MAX_RECIPIENTS)])


def _recipients(value: Any) -> Any:
    """One address, or a list of addresses that are all different; the position of a refused one is told."""
    if not isinstance(value, str | list):
        raise ValueError("must be an address, or a list of addresses")
    try:
        addresses = _RECIPIENTS.validate_python([value] if isinstance(value, str) else value)
    except ValidationError as error:
        raise ValueError("; ".join(_refusal(item, isinstance(value, str)) for item in error.errors()[:3])) from None
    if len(set(addresses)) < len(addresses):
        twice = next(address for address in addresses if addresses.count(address) > 1)
        raise ValueError(f"names {twice} twice; name each address once")
    return addresses[0] if isinstance(value, str) else addresses


def _refusal(item: Any, is_single: bool) -> str:
    where = "" if is_single or not item["loc"] else f"address {item['loc'][0] + 1}: "
    return where + str(item["msg"]).removeprefix("Value error, ")


def _mailbox(text: str) -> str:
    """`ada@example.com` or `Ada <ada@example.com>`, in the form that a From header has: its domain in ASCII."""
    name, address = validate_email(_one_line(text))
    local_part, _, domain = on_the_wire(address).rpartition("@")
    return str(Address(display_name=name if "<" in text else "", username=local_part, domain=domain))


def _header_name(name: str) -> str:
    lowered = name.lower()
    if lowered in _RESERVED_HEADERS or lowered.startswith(_RESERVED_PREFIXES):
        raise ValueError("is set by the platform; use the field for it where there is one")
    return name


def _distinct_names(headers: dict[str, str]) -> dict[str, str]:
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("names a header twice")
    return headers


def _tag_set(tags: list[str]) -> list[str]:
    return sorted(set(tags))


Recipients = Annotated[
    str | list[str],
    BeforeValidator(_recipients),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "email"},
                {
                    "type": "array",
                    "items": {"type": "string", "format": "email"},
                    "minItems": 1,
                    "maxItems": MAX_RECIPIENTS,
                },
            ]
        }
    ),
]
Mailbox = Annotated[str, StringConstraints(max_length=320), Storable, AfterValidator(_mailbox)]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=998), Storable, AfterValidator(_one_line)]
Body = Annotated[str, StringConstraints(min_length=1, max_length=_MAX_BODY_LENGTH), Storable]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=50), Storable]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[!-9;-~]{1,76}$"), AfterValidator(_header_name)]
HeaderValue = Annotated[str, StringConstraints(min_length=1, max_length=900), Storable, AfterValidator(_one_line)]
Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64), Storable],
        Annotated[str, StringConstraints(max_length=500), Storable],
    ],
    Field(max_length=20),
]
Attachments = Annotated[list[Attachment], Field(max_length=10), AfterValidator(check_attachments)]
Headers = Annotated[dict[HeaderName, HeaderValue], Field(max_length=20), AfterValidator(_distinct_names)]


class NewEmail(RequestModel):
    """A message to be sent; each recipient gets one of its own."""

    to: Recipients = Field(
        description="One address, or a list of up to 100. Each gets its own message and sees no other.",
        examples=["ada@example.com"],
    )
    sender: Mailbox | None = Field(
        default=None,
        alias="from",
        description="Sender; the account's default when absent.",
        examples=["Ada <a@b.example>"],
    )
    subject: Subject | None = Field(
        default=None, description="One line. Needed without template_id.", examples=["Welcome"]
    )
    html_body: Body | None = Field(
        default=None,
        validation_alias=AliasChoices("html_body", "body"),
        description="The message as HTML; `body` is accepted as another name.",
        examples=["<p>Hello Ada</p>"],
    )
    text_body: Body | None = Field(
        default=None, description="The message as plain text; derived from the HTML when absent."
    )
    template_id: UUID | None = Field(
        default=None, description="A template instead of subject and bodies.", examples=[None]
    )
    variables: Annotated[dict[str, Any], Field(max_length=200)] = Field(
        default_factory=dict[str, Any],
        description="Values for the template, by name; the same for every recipient.",
        examples=[{}],
    )
    scheduled_at: Moment | None = Field(
        default=None,
        description="When to send it, at most a year ahead; at once when absent. It can be cancelled until then.",
        examples=[None],
    )
    email_type: EmailType = Field(default="transactional", description="What kind of message it is.")
    provider: Literal["smtp", "postmark", "mailgun"] | None = Field(
        default=None,
        description="Who sends it: the built-in server, or a provider that the account has set up. "
        "The built-in server when absent.",
        examples=[None],
    )
    reply_to: Mailbox | None = Field(default=None, description="Where answers go.")
    tags: Annotated[list[Tag], Field(max_length=20), AfterValidator(_tag_set)] = Field(
        default_factory=list[Tag], description="Up to 20 tags to find it by.", examples=[["welcome"]]
    )
    headers: Headers = Field(
        default_factory=dict[HeaderName, HeaderValue],
        description="Up to 20 headers of your own; those that the platform sets are refused.",
        examples=[{"X-Order": "1234"}],
    )
    metadata: Metadata = Field(
        default_factory=dict[str, str],
        description="Up to 20 texts of your own, by name; kept with the email and shown with it, never sent.",
        examples=[{"order_id": "1234"}],
    )
    track_opens: bool = Field(default=True, description="Whether opening it is noticed, by a picture in the HTML.")
    track_clicks: bool = Field(
        default=True,
        validation_alias=AliasChoices("track_clicks", "track_links"),
        description="Whether its links lead by way of us; `track_links` is accepted as another name.",
    )
    attachments: Attachments = Field(
        default_factory=list[Attachment],
        description="Up to 10 files, together at most 10 MB, of which 3 MB in the request itself.",
        examples=[[]],
    )

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if self.template_id is None and self.html_body is None and self.text_body is None:
            raise ValueError("send html_body, text_body or both, or template_id")
        return self


class QueuedEmail(ResponseModel):
    """What became of one recipient."""

    id: UUID
    status: EmailStatus = Field(
        description="`queued`, `scheduled`, or `suppressed` when the address must not be written to."
    )
    to: str
    created_at: datetime


class QueuedEmails(ResponseModel):
    """What became of each recipient, in the order in which they were named."""

    items: list[QueuedEmail]


class Email(ResponseModel):
    """One message to one recipient."""

    id: UUID
    status: EmailStatus
    to: str
    sender: str = Field(serialization_alias="from")
    subject: str
    email_type: EmailType
    tags: list[str]
    metadata: dict[str, str]
    campaign_id: UUID | None
    provider: str | None = Field(description="Who took the message over; `simulated` in test mode.")
    opens: int
    clicks: int
    machine_opens: int = Field(
        description="By mail programs that load pictures ahead, and by scanners; not in `opens`."
    )
    machine_clicks: int = Field(description="By scanners of links; not in `clicks`.")
    error: str | None = Field(description="Why it was not sent.")
    created_at: datetime
    scheduled_at: datetime | None = Field(description="When it is due, if that was asked for.")
    sent_at: datetime | None
    paced_until: datetime | None = Field(
        description="When its turn comes, while it waits because the plan's emails per second are taken until then; "
        "null when it does not wait for that."
    )


class EmailEvent(ResponseModel):
    """Something that happened to a message."""

    type: str = Field(examples=["sent"])
    occurred_at: datetime
    data: dict[str, Any]


class EmailDetails(Email):
    """One message and what happened to it."""

    reply_to: str | None
    attachments: list[AttachedFile]
    events: list[EmailEvent] = Field(
        description="Oldest first; of opens and clicks the latest 200, which `opens` and `clicks` count all."
    )
