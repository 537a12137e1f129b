"""What previews and test sends take and answer."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import EmailStr, Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel

MAX_TEST_RECIPIENTS = 5
Address = Annotated[EmailStr, StringConstraints(to_lower=True, max_length=254)]


class CampaignPreviewRequest(RequestModel):
    """Which mail of a campaign is to be seen, and with whose fields."""

    step: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="The `order` of a step of type email; the first one when absent."
    )
    version: Literal["a", "b"] = Field(
        default="a", description="Of an A/B test: the step's own text, or the other one."
    )
    contact_id: UUID | None = Field(default=None, description="The contact whose fields fill the text.")
    values: dict[str, Any] = Field(
        default_factory=dict[str, Any],
        description="Fields by name that win over the contact's, `attributes` with its keys among them.",
        examples=[{"first_name": "Ada"}],
    )


class CampaignPreview(ResponseModel):
    """A mail as the contact would get it, before links are followed and the footer is added."""

    subject: str
    html_body: str | None
    text_body: str


class TestSend(CampaignPreviewRequest):
    """A mail of a campaign to people of your own."""

    to: Annotated[list[Address], Field(min_length=1, max_length=MAX_TEST_RECIPIENTS)] = Field(
        description=f"Up to {MAX_TEST_RECIPIENTS} addresses."
    )


class SentTest(ResponseModel):
    """One mail of a test."""

    id: UUID = Field(description="The email; GET /api/v1/emails/{id} follows it.")
    to: str
    status: str


class SentTests(ResponseModel):
    """The mails of a test."""

    items: list[SentTest]
