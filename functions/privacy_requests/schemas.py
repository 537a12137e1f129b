"""What the endpoints of privacy requests take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import EmailStr, Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel, Storable

RequestType = Literal["access", "erasure"]
RequestStatus = Literal["pending", "processing", "completed", "failed", "expired"]
Email = Annotated[EmailStr, StringConstraints(to_lower=True, max_length=255)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True), Storable]


class NewPrivacyRequest(RequestModel):
    """What somebody has asked of you."""

    type: RequestType = Field(
        description="`access`: a copy of all that is held. `erasure`: that it is erased for good."
    )
    email: Email = Field(description="Whose data.", examples=["ada@example.com"])
    reference: Reference | None = Field(
        default=None, description="The number of the case with you; it outlives the address, so put no name into it."
    )


class PrivacyRequest(ResponseModel):
    """A request and what became of it."""

    id: UUID
    type: RequestType
    status: RequestStatus
    email: str | None = Field(description="Whose data; null once it is erased.")
    reference: str | None
    found: dict[str, int] = Field(description="How many things of each kind were copied or erased.")
    file_size: int | None = Field(description="Bytes of the copy.")
    error: str | None = Field(description="Why it failed.")
    created_at: datetime
    completed_at: datetime | None
    expires_at: datetime | None = Field(description="When the copy is removed.")


class CopyLink(ResponseModel):
    """Where the copy can be fetched."""

    url: str
    expires_at: datetime
