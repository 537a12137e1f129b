"""What the contact field endpoints take and answer."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel, Storable

Kind = Literal["text", "number", "date", "boolean"]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100), Storable]


class NewContactField(RequestModel):
    """A custom field to be declared."""

    key: Key = Field(description="The key in a contact's `attributes`.", examples=["seats"])
    type: Kind = Field(description="What every value of the field is from now on.", examples=["number"])
    label: Label | None = Field(default=None, description="How people call it.", examples=["Seats bought"])


class ContactFieldChange(RequestModel):
    """A new label; key and type stay as they were declared."""

    label: Label | None = Field(description="How people call it; null for none.")


class ContactField(ResponseModel):
    """A declared attribute of contacts."""

    unversioned: ClassVar = {"status": True, "error": True}

    id: UUID
    key: str
    type: Kind
    label: str | None
    created_at: datetime
    updated_at: datetime
    status: Literal["ready", "preparing", "failed"] = Field(
        description="`preparing` while the values that contacts have already are taken up; nothing is found by it until then."
    )
    error: str | None = Field(description="The value that is not of the type, when it has failed.")


class DeletedContactField(ResponseModel):
    """The confirmation that the declaration is gone; the values stay in the contacts' attributes."""

    id: UUID
    deleted: Literal[True] = True
