"""What a step of a campaign looks like, in requests and in answers."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel, Storable

MAX_STEPS = 30
_MAX_BODY_LENGTH = 900_000

StepType = Literal["email", "wait", "condition", "action"]
WaitUnit = Literal["minutes", "hours", "days", "weeks"]
Sign = Literal["opened", "clicked", "replied"]
ActionType = Literal["add_tag", "remove_tag", "add_to_list", "exit"]


def _one_line(text: str) -> str:
    if not all(character.isprintable() for character in text):
        raise ValueError("must be one line without control characters")
    return text


Subject = Annotated[str, StringConstraints(min_length=1, max_length=500), Storable, AfterValidator(_one_line)]
Body = Annotated[str, StringConstraints(min_length=1, max_length=_MAX_BODY_LENGTH), Storable]
Order = Annotated[int, Field(ge=1, le=MAX_STEPS)]


class Wait(RequestModel):
    """How long to wait, counted from the mail before."""

    value: Annotated[int, Field(ge=1, le=1000)] = Field(examples=[2])
    unit: WaitUnit = Field(examples=["days"])


class Condition(RequestModel):
    """What a recipient must have done with a mail of this campaign."""

    sign: Sign = Field(description="What is looked for.", examples=["opened"])
    of: Order | None = Field(
        default=None, description="`order` of the email step that is meant; any mail of the campaign when absent."
    )


class Action(RequestModel):
    """What happens to the contact."""

    type: ActionType = Field(description="`exit` ends the recipient's journey.", examples=["add_tag"])
    tag: Annotated[str, StringConstraints(min_length=1, max_length=50), Storable] | None = Field(
        default=None, description="Of add_tag and remove_tag."
    )
    list_id: UUID | None = Field(default=None, description="Of add_to_list: a static list.")


class Variant(RequestModel):
    """The other version of an A/B test; what is absent is as in the step."""

    subject: Subject | None = None
    html_body: Body | None = Field(default=None, validation_alias=AliasChoices("html_body", "body"))
    text_body: Body | None = None


class NewStep(RequestModel):
    """One step of a journey. After it comes the following one, unless `next` names another."""

    id: UUID | None = Field(default=None, description="Of a step that is kept while a campaign is changed.")
    order: Order | None = Field(default=None, description="Its number, from 1; its place in the list when absent.")
    type: StepType
    name: Annotated[str, StringConstraints(min_length=1, max_length=100), Storable] | None = None
    template_id: UUID | None = Field(
        default=None,
        description="Of an email: the template whose texts it takes as they are now, where none are sent beside it.",
    )
    subject: Subject | None = Field(
        default=None,
        description='Of an email. Fields of the contact may stand in it: `{{ first_name | default("there") }}`.',
        examples=["A question, {{ first_name }}"],
    )
    html_body: Body | None = Field(
        default=None,
        validation_alias=AliasChoices("html_body", "body"),
        description="Of an email, as HTML; `body` is accepted as another name.",
        examples=["<p>Hello {{ first_name }}</p>"],
    )
    text_body: Body | None = Field(default=None, description="Of an email; derived from the HTML when absent.")
    variant_b: Variant | None = Field(default=None, description="Of an email: the version that it is tested against.")
    wait: Wait | None = Field(default=None, description="Of a wait.")
    condition: Condition | None = Field(default=None, description="Of a condition.")
    action: Action | None = Field(default=None, description="Of an action.")
    next: Order | None = Field(default=None, description="`order` of the step that comes after this one, further down.")
    on_true: Order | None = Field(default=None, description="Of a condition: where it leads when it holds.")
    on_false: Order | None = Field(default=None, description="Of a condition: where it leads when it does not.")


class Step(ResponseModel):
    """One step of a journey."""

    id: UUID
    order: int
    type: StepType
    name: str | None
    subject: str | None
    html_body: str | None
    text_body: str | None
    variant_b: dict[str, Any] | None
    winner: Literal["a", "b"] | None = Field(description="Which version won its test; null before, or without one.")
    wait: dict[str, Any] | None
    condition: dict[str, Any] | None
    action: dict[str, Any] | None
    next: int | None = Field(description="`order` of the step after it; null ends the journey.")
    on_true: int | None
    on_false: int | None
