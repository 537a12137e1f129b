"""Links by which clients upload files: one PUT of the announced type and size, within an hour."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from penguinmails import clock
from penguinmails.domain.files import UPLOAD_SECONDS
from penguinmails.http.models import ResponseModel


class Upload(ResponseModel):
    """Where and how to send the file."""

    url: str = Field(description="Takes one PUT of exactly the announced size.")
    method: Literal["PUT"] = "PUT"
    headers: dict[str, str] = Field(description="Headers to send with it.")
    expires_at: datetime


def upload_of(url: str, content_type: str) -> Upload:
    """What a client is told of a link that was made just now."""
    expires_at = clock.now() + timedelta(seconds=UPLOAD_SECONDS)
    return Upload(url=url, headers={"Content-Type": content_type}, expires_at=expires_at)
