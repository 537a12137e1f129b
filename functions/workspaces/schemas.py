"""What the workspace endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
WorkspaceRole = Literal["admin", "member", "viewer"]


class NewWorkspace(RequestModel):
    """A workspace to be made."""

    name: Name = Field(examples=["Spring launch"])
    slug: Slug | None = Field(
        default=None, description="Short name for filters; made from the name when absent.", examples=["spring-launch"]
    )


class WorkspaceChange(RequestModel):
    """Fields to change; absent ones stay."""

    name: Name | None = Field(default=None, description="A new name.")
    slug: Slug | None = Field(default=None, description="A new short name.")


class Workspace(ResponseModel):
    """A workspace."""

    id: UUID
    name: str
    slug: str
    is_default: bool = Field(description="Whether it takes what names no workspace; it cannot be deleted.")
    created_at: datetime
    updated_at: datetime


class DeletedWorkspace(ResponseModel):
    """The confirmation of a deletion."""

    deleted: Literal[True] = True
    id: UUID


class WorkspaceMember(ResponseModel):
    """Somebody who works in a workspace."""

    user_id: UUID
    name: str
    email: str
    role: WorkspaceRole


class WorkspaceMembers(ResponseModel):
    """Everybody who works in a workspace."""

    data: list[WorkspaceMember]


class MemberRole(RequestModel):
    """What somebody may do in a workspace."""

    role: WorkspaceRole = Field(description="A viewer reads only.")
