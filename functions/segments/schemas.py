"""What the segment endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Any, Literal
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

    id: UUID
    name: str
    definition: dict[str, Any]
    count: int | None = Field(
        description="Contacts that met the rules at `counted_at`; null when counting took too long for the request."
    )
    counted_at: datetime | None
    created_at: datetime
    updated_at: datetime


class PreviewRequest(RequestModel):
    """Rules to try out."""

    definition: Definition
    sample: Annotated[int, Field(ge=0, le=50)] = Field(default=10, description="How many contacts to show.")


class SampleContact(ResponseModel):
    """A contact that meets the rules."""

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None
    status: str


class Preview(ResponseModel):
    """Whom the rules find at this moment."""

    count: int
    sample: list[SampleContact] = Field(description="The newest of them.")


class DeletedSegment(ResponseModel):
    """The confirmation that the segment is gone; its contacts stay."""

    id: UUID
    deleted: Literal[True] = True
