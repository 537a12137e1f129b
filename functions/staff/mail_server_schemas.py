"""What the staff endpoints of accounts' own mail servers take and answer."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel

Host = Annotated[
    str,
    StringConstraints(
        to_lower=True, min_length=1, max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
    ),
]
Security = Literal["starttls", "tls", "none"]


class NewMailServer(RequestModel):
    """The mail server that an account's mail is to go out by."""

    host: Host = Field(
        description="Its name, as its certificate has it; on the public Internet.", examples=["mail.example.com"]
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="25, 465, 587, 2525 or any from 1024 on; 465 for `tls` and 587 otherwise when left out.",
    )
    security: Security = Field(
        default="starttls",
        description="`starttls`, without which nothing is sent; `tls` from the first byte; `none` only on the machine itself, "
        "for development.",
    )
    username: str = Field(
        min_length=1, max_length=320, pattern=r"^[!-~]+$", description="Signs in.", examples=["sending@example.com"]
    )
    password: str = Field(
        min_length=1, max_length=256, pattern=r"^[ -~]+$", description="It is kept in Vault and never shown again."
    )


class MailServerView(ResponseModel):
    """An account's own mail server, without its password."""

    host: str
    port: int
    security: Security
    username: str
    status: Literal["active", "error"] = Field(
        description="`error` when it takes no mail until somebody puts right what `status_detail` names."
    )
    status_detail: str | None
    checked_at: datetime = Field(description="When the status was found out.")
