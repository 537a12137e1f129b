"""What the account's endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel, Storable

ExportStatus = Literal["pending", "processing", "completed", "failed", "expired"]


class SenderIdentity(RequestModel):
    """Who stands behind the account's commercial mail."""

    company_name: (
        Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True), Storable] | None
    ) = Field(default=None, description="As recipients know it; the account's name when absent.")
    postal_address: Annotated[
        str, StringConstraints(min_length=10, max_length=300, strip_whitespace=True), Storable
    ] = Field(description="Where mail on paper reaches you.", examples=["1 Ice Shelf Road, Port Stanley FIQQ 1ZZ"])


class Sender(ResponseModel):
    """Who stands behind the account's commercial mail, as its footer says."""

    company_name: str
    postal_address: str | None = Field(description="Commercial mail is refused while there is none.")


class CloseAccount(RequestModel):
    """Asks for the end of an account."""

    account_name: Annotated[str, StringConstraints(min_length=1, max_length=100), Storable] = Field(
        description="The account's name as it stands, so that no slip of the mouse closes it."
    )


class Closing(ResponseModel):
    """Whether the account is about to be closed."""

    account_name: str
    is_closing: bool
    closes_at: datetime | None = Field(description="When everything of the account is erased.")


class AccountExport(ResponseModel):
    """An export of everything and how far it is."""

    id: UUID
    status: ExportStatus
    row_count: int = Field(description="Rows written so far.")
    error: str | None = Field(description="Why it failed.")
    created_at: datetime
    completed_at: datetime | None
    expires_at: datetime | None = Field(description="When the files are removed.")


class ExportFile(ResponseModel):
    """One file: a gzipped JSON document per line, at most 50,000 lines."""

    name: str = Field(description="The data set and the table, e.g. `live/contacts-0001.jsonl.gz`.")
    row_count: int
    file_size: int = Field(description="Bytes.")
    url: str = Field(description="A link that works until `expires_at`.")


class ExportFiles(ResponseModel):
    """The files of an export."""

    files: list[ExportFile]
    expires_at: datetime = Field(description="When the links stop working; ask again for new ones.")
