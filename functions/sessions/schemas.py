"""What the session endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import EmailStr, Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel

Email = Annotated[EmailStr, StringConstraints(to_lower=True, max_length=254)]
Password = Annotated[str, Field(min_length=1, max_length=200, json_schema_extra={"format": "password"})]
Code = Annotated[
    str,
    Field(
        min_length=6,
        max_length=30,
        description="Six digits of the authenticator app, or a recovery code; needed by users with a second factor.",
        examples=["123456"],
    ),
]
Purpose = Literal["api_keys", "webhooks", "account", "team", "staff"]


class SignIn(RequestModel):
    """Who signs in."""

    email: Email = Field(examples=["ada@example.com"])
    password: Password
    code: Code | None = None
    cookie: bool = Field(
        default=False, description="Also set the session cookie of the console (HTTP-only, same site)."
    )


class Refresh(RequestModel):
    """The token that continues a session."""

    refresh_token: Annotated[str, Field(min_length=20, max_length=200)]


class StepUp(RequestModel):
    """A fresh proof of identity."""

    password: Password
    code: Code | None = None
    purpose: Purpose = Field(default="api_keys", description="What the token will be used for.")


class SessionTokens(ResponseModel):
    """What a program needs to act as the user."""

    access_token: str = Field(description="Send as `Authorization: Bearer ...`.")
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = Field(description="Life of the access token in seconds.")
    refresh_token: str = Field(description="Good for one refresh within 30 days.")
    csrf_token: str = Field(description="Send as X-CSRF-Token with writes that use the cookie.")
    session_id: UUID


class ReauthToken(ResponseModel):
    """The proof to send with a dangerous request."""

    reauth_token: str = Field(description="Send as X-Reauth-Token.")
    expires_in: int = Field(description="Seconds.")
    purpose: Purpose


class SessionItem(ResponseModel):
    """One live session of the user."""

    id: UUID
    current: bool
    ip_address: str | None
    user_agent: str | None
    created_at: datetime
    last_used_at: datetime


class SessionList(ResponseModel):
    """The user's live sessions, at most five."""

    data: list[SessionItem]


class Ended(ResponseModel):
    """How many sessions were ended."""

    ended: int
