"""What the tag endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel, Storable

TagName = Annotated[str, StringConstraints(min_length=1, max_length=50), Storable]


class NewTag(RequestModel):
    """A tag to be added."""

    name: TagName = Field(description="Unique in the account.", examples=["customer"])


class TagChange(NewTag):
    """A new name; contacts that carry the tag carry it under that name from then on."""


class Tag(ResponseModel):
    """A name that contacts are marked with."""

    id: UUID
    name: str
    created_at: datetime
    updated_at: datetime


class DeletedTag(ResponseModel):
    """The confirmation that no contact carries the tag any more."""

    id: UUID
    deleted: Literal[True] = True
