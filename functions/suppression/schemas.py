"""What the suppression endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import EmailStr, Field, StringConstraints, model_validator

from penguinmails.http.models import RequestModel, ResponseModel, Storable

Reason = Literal["user_request", "spam_complaint", "hard_bounce", "soft_bounces", "manual"]
GivenReason = Literal["user_request", "spam_complaint", "hard_bounce", "manual"]
ScopeName = Literal["tenant", "workspace", "campaign_type"]
CampaignType = Literal["broadcast", "drip", "triggered", "ab_test"]
Source = Literal["api", "manual", "abuse_report", "external_crm"]
Email = Annotated[EmailStr, StringConstraints(to_lower=True, max_length=255)]
ConsentNote = Annotated[str, StringConstraints(min_length=10, max_length=1000, strip_whitespace=True), Storable]
MAX_BULK = 1_000


class _Scoped(RequestModel):
    """What does not write to an address any more."""

    workspace_id: UUID | None = Field(
        default=None, description="Only campaigns of this workspace; nothing in the account without.", examples=[None]
    )
    campaign_type: CampaignType | None = Field(
        default=None, description="Only campaigns of this type; nothing in the account without.", examples=[None]
    )

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if self.workspace_id is not None and self.campaign_type is not None:
            raise ValueError("send workspace_id or campaign_type; two entries make two scopes")
        return self


class NewSuppression(_Scoped):
    """An address to be suppressed."""

    email: Email = Field(description="Stored in lower case.", examples=["ada@example.com"])
    reason: GivenReason = Field(default="manual", description="Why it must not be written to.")
    source: Source = Field(default="api", description="Where you know it from.")


class BulkSuppression(_Scoped):
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
    scope: ScopeName = Field(description="`tenant`: nothing in the account writes to it.")
    workspace_id: UUID | None = Field(description="The workspace whose campaigns do not.")
    campaign_type: CampaignType | None = Field(description="The type of the campaigns that do not.")
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
