"""What the list endpoints take and answer."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel, Storable

ListType = Literal["static", "dynamic"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100), Storable]
Description = Annotated[str, StringConstraints(max_length=1000), Storable]
MAX_LINKS = 1_000


class NewList(RequestModel):
    """A list to be added."""

    name: Name = Field(description="Unique in the account.", examples=["Newsletter"])
    description: Description | None = Field(default=None, description="What the list is for.")
    type: ListType | None = Field(
        default=None, description="`dynamic` holds whom a segment finds; it is what a list with `segment_id` is."
    )
    segment_id: UUID | None = Field(default=None, description="The segment of a dynamic list.")


class ListChange(RequestModel):
    """Fields to change; absent ones stay. Type and segment stay what they were."""

    name: Name | None = Field(default=None, description="A new name.")
    description: Description | None = Field(default=None, description="What the list is for; null clears.")


class ContactList(ResponseModel):
    """A list of contacts."""

    unversioned: ClassVar = {"contact_count": True}

    id: UUID
    name: str
    description: str | None
    type: ListType
    segment_id: UUID | None
    contact_count: int | None = Field(
        description="Contacts on the list; of a dynamic one, those whom its segment found when it was counted last."
    )
    created_at: datetime
    updated_at: datetime


class DeletedList(ResponseModel):
    """The confirmation that the list is gone; its contacts stay."""

    id: UUID
    deleted: Literal[True] = True


class ListedContact(ResponseModel):
    """A contact on a list."""

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None
    status: str
    created_at: datetime
    assigned_at: datetime | None = Field(description="When the contact was put on the list; null for a dynamic one.")


class ContactsToAdd(RequestModel):
    """Contacts to put on a list."""

    contact_ids: Annotated[list[UUID], Field(max_length=MAX_LINKS)] = Field(description=f"Up to {MAX_LINKS} contacts.")


class AddedContacts(ResponseModel):
    """What became of contacts that were to be put on a list."""

    added: int
    already_listed: int


class RemovedContacts(ResponseModel):
    """What became of contacts that were to be taken off a list."""

    removed: int
