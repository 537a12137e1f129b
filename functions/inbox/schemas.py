"""What the inbox endpoints take and answer."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from penguinmails.http.models import Moment, RequestModel, ResponseModel

ThreadStatus = Literal["open", "archived", "snoozed"]


class Thread(ResponseModel):
    """One conversation."""

    id: UUID
    correspondent: str = Field(description="Address of who answered.")
    contact_id: UUID | None = Field(description="The contact with that address.")
    campaign_id: UUID | None = Field(description="The campaign whose mail was answered.")
    subject: str
    snippet: str = Field(description="The beginning of the latest message.")
    status: ThreadStatus = Field(description="`snoozed` until `snoozed_until` or the next message, then `open` again.")
    snoozed_until: datetime | None
    unread: bool
    last_message_at: datetime
    created_at: datetime


class Attachment(ResponseModel):
    """A file that came with a message."""

    id: UUID
    file_name: str
    content_type: str = Field(description="What the sender says that it is.")
    size: int = Field(description="Bytes.")


class Message(ResponseModel):
    """One message that came in."""

    id: UUID
    email_id: UUID | None = Field(description="The email that it answers.")
    from_email: str
    from_name: str
    subject: str
    text: str
    automatic: bool = Field(description="Whether a program wrote it, such as a note of absence.")
    received_at: datetime
    attachments: list[Attachment]


class ThreadDetails(Thread):
    """One conversation and its latest messages."""

    messages: list[Message] = Field(description="Oldest first; the latest 100.")


class ThreadChange(RequestModel):
    """What is to become of a conversation; what is absent stays."""

    status: ThreadStatus | None = Field(default=None, description="`snoozed` needs `snoozed_until`.")
    snoozed_until: Moment | None = Field(default=None, description="When it is to come back.")
    unread: bool | None = None

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if (self.status == "snoozed") != (self.snoozed_until is not None):
            raise ValueError("send snoozed_until together with the status snoozed, and with no other")
        return self
