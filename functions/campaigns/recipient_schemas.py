"""What the endpoints of recipients take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from penguinmails.http.models import RequestModel, ResponseModel

Enrolment = Literal["enrolled", "active", "completed", "exited"]


class ContactsToEnrol(RequestModel):
    """Whom to enrol."""

    contact_ids: Annotated[list[UUID], Field(max_length=1_000)] = Field(
        description="Up to 1,000 contacts; those who are enrolled already stay where they stand."
    )


class EnrolledContacts(ResponseModel):
    """What became of them."""

    enrolled: int
    already_enrolled: int


class Recipient(ResponseModel):
    """Where a recipient stands."""

    contact_id: UUID
    email: str
    status: Literal["enrolled", "active", "paused", "completed", "exited"]
    step: int | None = Field(description="`order` of the step whose turn it is, or at which they left.")
    reason: str | None = Field(description="Code that says why they wait or left.", examples=["unsubscribed"])
    steps_completed: int
    enrolled_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_email_sent_at: datetime | None
    next_email_at: datetime | None = Field(
        description="When their turn comes; null while a mail is on its way, unless that waits for the plan's pace "
        "(`reason` is `pace`)."
    )


class RecipientMail(ResponseModel):
    """One mail that they got, or were to get."""

    email_id: UUID
    step: int | None
    variant: Literal["a", "b"]
    subject: str
    status: str
    attempts: int
    error: str | None
    opens: int
    clicks: int
    created_at: datetime
    sent_at: datetime | None


class RecipientDetails(Recipient):
    """A recipient with the reason for where they stand, and their mails."""

    explanation: str = Field(description="One sentence: why a mail was sent, was not, or waits.")
    mails: list[RecipientMail] = Field(description="Oldest first.")
