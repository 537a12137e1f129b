"""What the contact endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import EmailStr, Field, StringConstraints, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from penguinmails.http.models import RequestModel, ResponseModel, Storable

ContactStatus = Literal["active", "unsubscribed", "bounced"]


Email = Annotated[EmailStr, StringConstraints(to_lower=True, max_length=254)]
ShortText = Annotated[str, StringConstraints(max_length=100), Storable]
LongText = Annotated[str, StringConstraints(max_length=255), Storable]
Phone = Annotated[str, StringConstraints(max_length=50), Storable]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=50), Storable]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
AttributeText = Annotated[str, StringConstraints(max_length=1000), Storable]
AttributeNumber = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]


def _attribute(value: Any, accept: ValidatorFunctionWrapHandler) -> Any:
    """One refusal in plain words instead of one per type that the value might have had."""
    try:
        return accept(value)
    except ValidationError:
        raise ValueError(
            "must be a text of at most 1000 characters without NUL, a number between -10^15 and 10^15, true, false or null"
        ) from None


AttributeValue = Annotated[
    bool | Annotated[int, Field(ge=-(10**15), le=10**15)] | AttributeNumber | AttributeText | None,
    WrapValidator(_attribute),
]
Attributes = Annotated[dict[AttributeName, AttributeValue], Field(max_length=50)]
Tags = Annotated[list[Tag], Field(max_length=50)]


class ContactFields(RequestModel):
    """What may be said about a contact; all optional."""

    first_name: ShortText | None = Field(default=None, description="Given name.", examples=["Ada"])
    last_name: ShortText | None = Field(default=None, description="Family name.", examples=["Lovelace"])
    company: LongText | None = Field(default=None, description="Employer.")
    job_title: LongText | None = Field(default=None, description="Position.")
    phone: Phone | None = Field(default=None, description="Telephone number, as you write it.")
    city: ShortText | None = Field(default=None, description="City.")
    state: ShortText | None = Field(default=None, description="State or region.")
    country: ShortText | None = Field(default=None, description="Country.")
    lead_source: ShortText | None = Field(default=None, description="Where the contact came from.")
    external_id: LongText | None = Field(default=None, description="Your own id; unique among your contacts.")
    attributes: Attributes = Field(
        default_factory=dict[AttributeName, AttributeValue],
        description="Up to 50 fields of your own: text, number, boolean, or a date as text.",
        examples=[{"industry": "SaaS", "seats": 12}],
    )
    tags: Tags = Field(default_factory=list[Tag], description="Up to 50 tags.", examples=[["customer"]])
    workspace_ids: Annotated[list[UUID], Field(max_length=100)] = Field(
        default_factory=list[UUID], description="Workspaces that the contact is linked to."
    )


class NewContact(ContactFields):
    """A contact to be added."""

    email: Email = Field(description="Stored in lower case; unique in the account.", examples=["ada@example.com"])
    status: Literal["active", "unsubscribed"] = Field(
        default="active", description="Whether mail is wanted; if not, it is suppressed."
    )


class ContactChange(ContactFields):
    """Fields to change; absent ones stay, null clears."""

    email: Email | None = Field(default=None, description="A new address.")
    status: Literal["active", "unsubscribed"] | None = Field(
        default=None, description="Whether mail is wanted; if not, it is suppressed."
    )


class Contact(ResponseModel):
    """A person whom the account writes to."""

    unversioned: ClassVar = {
        "lead_score": True,
        "total_opens": True,
        "total_clicks": True,
        "last_email_opened_at": True,
        "last_campaign_id": True,
        "updated_at": True,
    }

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None
    company: str | None
    job_title: str | None
    phone: str | None
    city: str | None
    state: str | None
    country: str | None
    lead_source: str | None
    external_id: str | None
    attributes: dict[str, str | bool | int | float | None]
    tags: list[str]
    workspace_ids: list[UUID]
    status: ContactStatus
    lead_score: int = Field(description="0 to 100, computed.")
    total_opens: int
    total_clicks: int
    last_email_opened_at: datetime | None
    last_campaign_id: UUID | None
    source: str = Field(description="How the contact came in, e.g. `api`.")
    created_at: datetime
    updated_at: datetime


class DeletedContact(ResponseModel):
    """The confirmation that a contact and its personal data are gone."""

    id: UUID
    deleted: Literal[True] = True


MAX_BULK = 1_000


class BulkRequest(RequestModel):
    """Contacts to be created, updated or deleted together."""

    action: Literal["create", "update", "upsert", "delete"] = Field(
        description="What is done to every contact of the request."
    )
    contacts: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_BULK)] = Field(
        description=(
            f"Up to {MAX_BULK} contacts with the fields of a single request. `create` and `upsert` go by `email`; "
            "`update` and `delete` by `id`, or by `email` when there is no `id`."
        ),
        examples=[[{"email": "ada@example.com", "first_name": "Ada"}]],
    )


class ContactToUpdate(ContactChange):
    """A contact of a bulk update."""

    id: UUID | None = Field(default=None, description="The contact; `email` is a new address then.")


class ContactToDelete(RequestModel):
    """A contact of a bulk deletion."""

    id: UUID | None = Field(default=None, description="The contact.")
    email: Email | None = Field(default=None, description="The contact with this address.")


class ItemFault(ResponseModel):
    """Why one item was refused."""

    field: str
    message: str
    code: str


class BulkResult(ResponseModel):
    """What became of one contact of the request."""

    index: int = Field(description="Its place in `contacts`, from 0.")
    status: int = Field(description="What the single request would have answered: 200, 201, 400, 404 or 409.")
    id: UUID | None
    email: str | None
    code: str | None = Field(description="The code of the problem, when there is one.")
    errors: list[ItemFault]


class BulkAnswer(ResponseModel):
    """What became of every contact of the request, in its order."""

    succeeded: int
    failed: int
    results: list[BulkResult]
