"""What the template endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from penguinmails.domain.rendering import MAX_SOURCE_CHARACTERS
from penguinmails.http.models import RequestModel, ResponseModel, Storable

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$"), Storable]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=998, pattern=r"^[^\x00-\x1f]+$"), Storable]
Body = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SOURCE_CHARACTERS), Storable]
Variables = Annotated[dict[str, Any], Field(max_length=200)]

_SUBJECT = Field(description="One line; may hold variables.", examples=["Welcome, {{ first_name }}"])
_HTML = Field(
    default=None,
    description="HTML with variables, whose values are escaped.",
    examples=["<p>Hello {{ first_name|default('there') }}</p>"],
)
_TEXT = Field(default=None, description="Plain text with variables; derived from the HTML when absent.")


class NewTemplate(RequestModel):
    """A text to be kept."""

    name: Name = Field(description="Unique in the account and mode.", examples=["Welcome"])
    subject: Subject = _SUBJECT
    html_body: Body | None = _HTML
    text_body: Body | None = _TEXT
    workspace_id: UUID | None = Field(default=None, description="The workspace that it belongs to, if any.")


class TemplateChange(RequestModel):
    """Fields to change; absent ones stay, null takes a body or the workspace away."""

    name: Name | None = Field(default=None, description="A new name.")
    subject: Subject | None = Field(default=None, description="A new subject.")
    html_body: Body | None = _HTML
    text_body: Body | None = _TEXT
    workspace_id: UUID | None = Field(default=None, description="The workspace that it belongs to.")


class Template(ResponseModel):
    """A text with variables."""

    id: UUID
    name: str
    subject: str
    html_body: str | None
    text_body: str | None
    variables: list[str] = Field(description="What subject and bodies read; give these when you send.")
    workspace_id: UUID | None
    created_at: datetime
    updated_at: datetime


class DeletedTemplate(ResponseModel):
    """The confirmation of a deletion. Emails that were made of it keep their text."""

    deleted: Literal[True] = True
    id: UUID


class RenderRequest(RequestModel):
    """Values to see the template with."""

    variables: Variables = Field(
        default_factory=dict[str, Any], description="By name.", examples=[{"first_name": "Ada"}]
    )


class Rendered(ResponseModel):
    """What a recipient would get."""

    subject: str
    html_body: str | None
    text_body: str = Field(description="Derived from the HTML where the template has no text of its own.")
