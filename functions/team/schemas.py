"""What the team endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import EmailStr, Field, StringConstraints

from penguinmails.auth.scopes import Role
from penguinmails.http.models import RequestModel, ResponseModel

Email = Annotated[EmailStr, StringConstraints(to_lower=True, max_length=254)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
Password = Annotated[str, Field(min_length=1, max_length=200, json_schema_extra={"format": "password"})]


class Member(ResponseModel):
    """A person of the account."""

    id: UUID
    email: str
    name: str
    role: Role
    has_second_factor: bool = Field(description="Whether sign-in asks for a code.")
    last_active_at: datetime | None = Field(description="When a session of theirs was last used.")
    created_at: datetime


class RoleChange(RequestModel):
    """A member's new role."""

    role: Role = Field(description="Nobody gives a role above their own; only owners make owners.")


class RemovedMember(ResponseModel):
    """The confirmation that somebody has left."""

    message: str
    id: UUID
    active_api_keys: int = Field(description="Keys that they made and that go on working. Review them.")


class NewInvitation(RequestModel):
    """Whom to invite."""

    email: Email = Field(examples=["grace@example.com"])
    role: Role = Field(description="Nobody gives a role above their own; only owners make owners.")


class Invitation(ResponseModel):
    """An invitation and what became of it."""

    id: UUID
    email: str
    role: Role
    status: Literal["open", "accepted", "revoked", "expired"]
    invited_by: UUID
    created_at: datetime
    expires_at: datetime


class AcceptInvitation(RequestModel):
    """What makes an invited person a member."""

    token: Annotated[str, Field(min_length=20, max_length=200, description="The part after `#token=` of the link.")]
    name: Name = Field(examples=["Grace Hopper"])
    password: Password = Field(description="8 characters to 72 bytes, upper and lower case and a digit.")


class Joined(ResponseModel):
    """What was done."""

    status: Literal["done"] = "done"
    message: str
