"""What the suppression endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import EmailStr, Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel, Storable

Reason = Literal["user_request", "spam_complaint", "hard_bounce", "soft_bounces", "manual"]
GivenReason = Literal["user_request", "spam_complaint", "hard_bounce", "manual"]
Source = Literal["api", "manual", "abuse_report", "external_crm"]
Email = Annotated[EmailStr, StringConstraints(to_lower=True, max_length=255)]
ConsentNote = Annotated[str, StringConstraints(min_length=10, max_length=1000, strip_whitespace=True), Storable]
MAX_BULK = 1_000


class NewSuppression(RequestModel):
    """An address to be suppressed."""

    email: Email = Field(description="Stored in lower case.", examples=["ada@example.com"])
    reason: GivenReason = Field(default="manual", description="Why it must not be written to.")
    source: Source = Field(default="api", description="Where you know it from.")


class BulkSuppression(RequestModel):
    """Addresses to be suppressed for one reason."""

    emails: Annotated[list[Email], Field(min_length=1, max_length=MAX_BULK)] = Field(
        description=f"Up to {MAX_BULK} addresses."
    )
    reason: GivenReason = Field(default="manual", description="Why they must not be written to.")
    source: Source = Field(default="api", description="Where you know them from.")


class Suppression(ResponseModel):
    """An address that must not be written to."""

    id: UUID
    email: str
    reason: Reason
    source: str
    scope: str = Field(description="`tenant`: nothing in the account writes to it.")
    added_at: datetime


class AddedSuppressions(ResponseModel):
    """What became of many addresses."""

    added: int
    already_suppressed: int


class SuppressionCheck(ResponseModel):
    """Whether an address may be written to."""

    email: str
    suppressed: bool = Field(
        description="True too when the contact opted out or bounced, or the platform suppresses the address."
    )
    entry: Suppression | None = Field(description="The account's own entry, when there is one.")


class LiftedSuppression(ResponseModel):
    """The confirmation that an entry is gone."""

    id: UUID
    deleted: Literal[True] = True
    still_suppressed: bool = Field(
        description="Whether the address is kept from mail all the same: by its contact's status, or by the platform."
    )
