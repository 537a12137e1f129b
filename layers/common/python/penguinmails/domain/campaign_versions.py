"""The versions of a campaign's mail: the step's own, `a`, and the other one of an A/B test, `b`."""

from dataclasses import dataclass
from typing import Any, Protocol

from penguinmails.domain import campaign_texts


class StepTexts(Protocol):
    """What any row of a step has."""

    @property
    def subject(self) -> str | None: ...
    @property
    def html(self) -> str | None: ...
    @property
    def text_body(self) -> str | None: ...
    @property
    def variant(self) -> dict[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Version:
    """One version's texts, templates still; `text` is None when it is to be derived from the HTML."""

    subject: str
    html: str | None
    text: str | None

    def filled(self, values: dict[str, Any]) -> "Version":
        """The texts as the contact with these values gets them. Raises MissingVariable and TemplateFault."""
        html = self.html and campaign_texts.fill(self.html, values, is_html=True)
        text = campaign_texts.filled_text(self.text or "", html, values)
        return Version(campaign_texts.fill_subject(self.subject, values), html, text)


def version_of(step: StepTexts, variant: str) -> Version:
    """A version of a step's mail; what the other version does not say is as in the step."""
    other = (step.variant or {}) if variant == "b" else {}
    html, text = other.get("html_body"), other.get("text_body")
    # The text of one version does not belong to the HTML of the other.
    own_text = None if html and not text else step.text_body
    return Version(other.get("subject") or step.subject or "", html or step.html, text or own_text)
