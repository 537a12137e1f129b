"""What the endpoints of provider accounts take and answer."""

from datetime import datetime
from email.utils import parseaddr
from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, StringConstraints

from penguinmails.domain.provider_accounts import takes
from penguinmails.http.models import RequestModel, ResponseModel, Storable

Status = Literal["active", "error", "not_configured"]


def _mailbox(text: str) -> str:
    try:
        validate_email(parseaddr(text)[1], check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    if not text.isprintable():
        raise ValueError("must be one line")
    return text


def _taken_by_postmark(text: str) -> str:
    if not takes("postmark", text):
        raise ValueError("Postmark takes no address with characters beyond ASCII before the @")
    return text


Secret = Annotated[str, StringConstraints(min_length=8, max_length=200, pattern=r"^[!-~]+$")]
Mailbox = Annotated[str, StringConstraints(max_length=320), Storable, AfterValidator(_mailbox)]
PostmarkMailbox = Annotated[Mailbox, AfterValidator(_taken_by_postmark)]
Stream = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,30}$")]
Domain = Annotated[
    str, StringConstraints(to_lower=True, max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")
]


class PostmarkAccount(RequestModel):
    """A Postmark server."""

    api_key: Secret = Field(description="Server API token.", examples=["sandbox-server-token"])
    default_sender: PostmarkMailbox = Field(
        description="Sender of mails that name none; Postmark must have verified it.", examples=["a@example.com"]
    )
    message_stream: Stream = Field(default="outbound", description="Message stream that single mails go to.")
    broadcast_stream: Stream = Field(
        default="broadcast",
        description="Message stream that mails of campaigns go to; Postmark wants bulk mail apart from single mail.",
    )


class MailgunAccount(RequestModel):
    """A Mailgun sending domain."""

    api_key: Secret = Field(
        description="Private API key, or a sending key of the domain.", examples=["sandbox-api-key"]
    )
    signing_key: Secret = Field(
        description="HTTP webhook signing key: reports are taken from who can sign with it.",
        examples=["sandbox-signing"],
    )
    domain: Domain = Field(description="Sending domain.", examples=["mg.example.com"])
    default_sender: Mailbox = Field(description="Sender of mails that name none.", examples=["a@example.com"])
    region: Literal["us", "eu"] = Field(default="us", description="Where the domain is.")
    test_mode: bool = Field(default=False, description="Have Mailgun accept mails and not deliver them.")


class ProviderView(ResponseModel):
    """A provider and what is known of the account with it."""

    provider: Literal["smtp", "postmark", "mailgun"]
    status: Status
    status_detail: str | None = Field(description="Why the status is `error`.")
    key_last4: str | None = Field(description="The end of the API key.")
    default_sender: str | None
    domain: str | None
    region: str | None
    message_stream: str | None
    broadcast_stream: str | None
    checked_at: datetime | None
    server: Literal["own", "shared"] | None = Field(
        default=None,
        description="Of the built-in server: whether mail goes out by a server of the account's own or by the platform's.",
    )
    host: str | None = Field(default=None, description="The name of the account's own server.")


class Providers(ResponseModel):
    """All providers; the built-in server is always there."""

    data: list[ProviderView]


class ConfiguredProvider(ProviderView):
    """An account that was just set up, with what to enter at the provider. Shown once."""

    webhook_url: str | None = Field(
        description="Where the provider is to report to. It is secret; null when the request is replayed."
    )
    webhook_username: str | None = Field(description="For HTTP basic authentication; Postmark only.")
    webhook_password: str | None = Field(
        description="For HTTP basic authentication; Postmark only. Null when the request is replayed."
    )
