"""What the segment endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from penguinmails.domain.segments import MAX_DEPTH, MAX_RULES
from penguinmails.http.models import RequestModel, ResponseModel, Storable

Name = Annotated[str, StringConstraints(min_length=1, max_length=100), Storable]
Definition = Annotated[
    dict[str, Any],
    Field(
        description=(
            'A rule: `{"all": [rules]}`, `{"any": [rules]}`, `{"not": rule}`, or a comparison '
            '`{"field", "operator", "value"}`. Fields are those of a contact, `tag`, `list`, `workspace`, and '
            "`attributes.<key>` of a declared custom field. "
            f"Up to {MAX_RULES} comparisons, {MAX_DEPTH} levels deep. Texts are compared without regard to case."
        ),
        examples=[
            {
                "all": [
                    {"field": "tag", "operator": "has", "value": "customer"},
                    {"field": "last_email_opened_at", "operator": "in_last_days", "value": 90},
                    {"not": {"field": "attributes.industry", "operator": "equals", "value": "SaaS"}},
                ]
            }
        ],
    ),
]


class NewSegment(RequestModel):
    """A segment to be kept."""

    name: Name = Field(description="Unique in the account.", examples=["Active customers"])
    definition: Definition


class SegmentChange(RequestModel):
    """Fields to change; absent ones stay."""

    name: Name | None = Field(default=None, description="A new name.")
    definition: Definition | None = Field(default=None, description="New rules.")


class Segment(ResponseModel):
    """Rules that say which contacts belong."""

    unversioned: ClassVar = {"count": True, "counted_at": True, "counting": True}

    id: UUID
    name: str
    definition: dict[str, Any]
    count: int | None = Field(
        description="Contacts that met the rules at `counted_at`; null until rules that are new have been counted."
    )
    counted_at: datetime | None
    counting: bool = Field(description="Whether the contacts are being counted in the background.")
    created_at: datetime
    updated_at: datetime


class PreviewRequest(RequestModel):
    """Rules to try out."""

    definition: Definition
    sample: Annotated[int, Field(ge=0, le=50)] = Field(default=10, description="How many contacts to show.")
    cursor: Annotated[str, Field(max_length=1000)] | None = Field(
        default=None, description="`next_cursor` of a preview of the same rules that was stopped."
    )


class SampleContact(ResponseModel):
    """A contact that meets the rules."""

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None
    status: str


class Preview(ResponseModel):
    """Whom the rules find at this moment."""

    count: int = Field(description="How many were found, those of `cursor` and after it when one was sent.")
    count_is: Literal["exact", "at_least"] = Field(
        description="`at_least` when there are more than 10,000, or not all contacts were looked at in time."
    )
    sample: list[SampleContact] = Field(description="The newest of them.")
    next_cursor: str | None = Field(
        description="Where looking stopped, to go on from as `cursor`; null when it did not stop. Valid for 24 hours."
    )


class DeletedSegment(ResponseModel):
    """The confirmation that the segment is gone; its contacts stay."""

    id: UUID
    deleted: Literal[True] = True
