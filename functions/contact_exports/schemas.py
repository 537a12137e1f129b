"""What the export endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from penguinmails.http.models import Moment, RequestModel, ResponseModel, Storable

FileFormat = Literal["csv", "xlsx", "json"]
ExportStatus = Literal["pending", "processing", "completed", "failed", "expired"]
FieldName = Annotated[str, StringConstraints(max_length=100)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=50), Storable]


class ExportFilters(RequestModel):
    """What the exported contacts have in common; filters combine with AND."""

    status: Literal["active", "unsubscribed", "bounced"] | None = Field(default=None, description="Only in this state.")
    tag: Tag | None = Field(default=None, description="Only with this tag.")
    list_id: UUID | None = Field(default=None, description="Only on this list.")
    workspace_id: UUID | None = Field(default=None, description="Only of this workspace.")
    created_after: Moment | None = Field(default=None, description="Only added after this moment.")
    created_before: Moment | None = Field(default=None, description="Only added before this moment.")


class NewExport(ExportFilters):
    """A file to be made."""

    format: FileFormat = Field(
        default="csv",
        description="In CSV a text that a spreadsheet would run gets an apostrophe before it, phone numbers such as "
        "`+49 30 1234` included: what begins with =, +, -, @, a tab or a line end, also behind apostrophes. Imports take it "
        "away again; other programs must. JSON and XLSX hold texts as they are. Tags are joined by `;` in CSV and XLSX; one "
        'that holds `;`, `,`, `|` or `"` stands in quotation marks.',
    )
    fields: Annotated[list[FieldName], Field(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="Columns in their order: fields of a contact, and `attributes.<key>`. All fields, and all declared custom "
        "fields, when absent.",
    )
    segment_id: UUID | None = Field(default=None, description="Only contacts whom this segment finds.")


class ContactExport(ResponseModel):
    """An export and how far it is."""

    id: UUID
    status: ExportStatus
    export_type: Literal["full", "filtered", "segment"]
    format: FileFormat
    fields: list[str]
    filters: dict[str, Any]
    file_size: int | None = Field(description="Bytes of the file.")
    processed_contacts: int
    error: str | None = Field(description="Why it failed.")
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime | None = Field(description="When the file is removed: seven days after it was made.")


class Link(ResponseModel):
    """A link to a file."""

    url: str = Field(description="Serves the file as an attachment.")
    expires_at: datetime = Field(description="Five minutes after it was made.")
