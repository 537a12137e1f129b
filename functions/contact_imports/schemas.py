"""What the import endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from penguinmails.http.models import RequestModel, ResponseModel, Storable
from penguinmails.http.uploads import Upload

FileType = Literal["csv", "tsv", "json", "xlsx"]
ImportStatus = Literal["pending", "processing", "completed", "failed", "cancelled", "rolling_back", "rolled_back"]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=50), Storable]
Target = Annotated[str, StringConstraints(max_length=100)]
Column = Annotated[str, StringConstraints(max_length=255), Storable]
MAX_SIZES = {"csv": 500_000_000, "tsv": 500_000_000, "json": 500_000_000, "xlsx": 50_000_000}
CONTENT_TYPES = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class NewImport(RequestModel):
    """A file to be imported: its content, or its size when it is going to be uploaded."""

    file_name: FileName = Field(description="How you call the file.", examples=["people.csv"])
    file_type: FileType = Field(description="What it is; JSON is an array of objects, or one object per line.")
    content: Annotated[str, StringConstraints(strip_whitespace=False)] | None = Field(
        default=None,
        description="The file itself, up to 4 MB with everything around it: text, or base64 for xlsx. In CSV and TSV "
        "an apostrophe before =, +, -, @, a tab or a line end is taken away, since exports put it there.",
    )
    size: int | None = Field(
        default=None, ge=1, description="Bytes of a file that you upload to the link in the answer."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.content is None) == (self.size is None):
            raise ValueError("send content, or size for an upload")
        return self


class ImportSettings(RequestModel):
    """How a file is imported."""

    mapping: dict[Column, Target | None] | None = Field(
        default=None,
        description="What each column is: `email`, another field of a contact, `tags`, `attributes.<key>`, or null to leave "
        "it out. The guess of the preview when absent. A `status` is `active`, `unsubscribed` or `bounced`. What a file says "
        "to be active stays opted out or bounced where it is; what it says to have bounced is added as such, so that no mail "
        "is sent to it, and changes nobody who is there. Several tags in a cell are divided by `;`, `,` or `|`; those that "
        "hold one of these stand in quotation marks.",
        examples=[{"E-Mail": "email", "Firm": "company", "Notes": None}],
    )
    duplicates: Literal["skip", "update", "create"] = Field(
        default="skip",
        description="For addresses that are there: leave the contact alone, change it where the file has a value, or "
        "report the row as an error.",
    )
    tags: Annotated[list[Tag], Field(max_length=20)] = Field(
        default_factory=list[Tag], description="Tags for every contact that is added or changed."
    )
    list_id: UUID | None = Field(default=None, description="A static list that every contact of the file is put on.")
    encoding: Literal["utf-8", "utf-16", "windows-1252", "iso-8859-1"] | None = Field(
        default=None, description="Of a CSV or TSV file; UTF-8 when absent. A byte order mark wins."
    )
    delimiter: Literal[",", ";", "\t", "|"] | None = Field(
        default=None, description="Of a CSV file; told from the header when absent."
    )


class ImportFault(ResponseModel):
    """Why a job failed."""

    code: str
    message: str
    line: int | None = Field(description="The line of the file, where there is one.")


class ContactImport(ResponseModel):
    """An import and how far it is."""

    id: UUID
    status: ImportStatus
    file_name: str
    file_type: FileType
    file_size: int
    mapping: dict[str, str | None] | None
    options: dict[str, Any]
    progress: float = Field(description="0 to 1: the reading of the file is the first half, the merge the second.")
    total_rows: int = Field(description="Rows that are read so far.")
    created_count: int
    updated_count: int
    skipped_count: int = Field(description="Contacts that were there and stayed as they are.")
    listed_count: int = Field(description="Contacts that were there and were put on the list of the import.")
    error_count: int = Field(description="Rows that were left out; known once the import is completed.")
    rolled_back_count: int
    kept_count: int = Field(
        description="Contacts that a rollback left, since they were changed after the import or another contact has the "
        "external id that they had before."
    )
    error: ImportFault | None
    has_error_file: bool
    can_rollback: bool
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    rolled_back_at: datetime | None


class StoredImport(ContactImport):
    """A new import, with the link to upload to when its file is not there yet."""

    upload: Upload | None


class ImportPreview(ResponseModel):
    """What the file looks like."""

    columns: list[str] = Field(
        description="The header. Of a workbook, that of the first sheet; of JSON, the fields of its first 1,000 objects, "
        "and fields that only later ones have are left out."
    )
    mapping: dict[str, str | None] = Field(
        description="What each column probably is; null is left out. An export is taken as it is: its columns that no contact "
        "can be given, such as `id`, `source` and `total_opens`, are left out."
    )
    encoding: str
    delimiter: str
    rows: list[dict[str, Any]] = Field(
        description="The first twenty rows, by column; long cells are cut at 200 characters."
    )


class Link(ResponseModel):
    """A link to a file."""

    url: str = Field(description="Serves the file as an attachment.")
    expires_at: datetime = Field(description="Five minutes after it was made.")
