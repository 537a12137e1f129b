"""Texts of campaigns: templates whose variables are the fields of the contact who gets the mail.

`{{ first_name }}`, `{{ company | default("your company") }}`, `{{ attributes.industry }}`: what a contact does not have
is missing, so a default holds for it, and without one the mail is not sent.
"""

from collections.abc import Mapping
from typing import Any

from penguinmails.domain.rendering import TemplateFault, compile_template

CONTACT_FIELDS = (
    "email", "first_name", "last_name", "company", "job_title", "phone", "city", "state", "country", "lead_source",
    "external_id",
)  # fmt: skip
ATTRIBUTES = "attributes"
_KNOWN = frozenset({*CONTACT_FIELDS, ATTRIBUTES})
MAX_SUBJECT = 900


def check(text: str, *, is_html: bool) -> None:
    """Raise TemplateFault for a text that cannot be used, or that names what no contact has."""
    unknown = sorted(set(compile_template(text, is_html=is_html).variables) - _KNOWN)
    if unknown:
        raise TemplateFault(
            f"{unknown[0]} is no field of a contact; there are {', '.join(CONTACT_FIELDS)} and attributes.<key>", 1
        )


def values_of(contact: Any, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a contact, anything that has the fields, can fill a text with: what is there and not empty."""
    values = {name: value for name in CONTACT_FIELDS if (value := getattr(contact, name))}
    values[ATTRIBUTES] = {key: value for key, value in (attributes or {}).items() if value is not None and value != ""}
    return values


def fill(text: str, values: Mapping[str, Any], *, is_html: bool) -> str:
    """A text with a contact's values. Raises MissingVariable and TemplateFault."""
    return compile_template(text, is_html=is_html).render(values)


def fill_subject(text: str, values: Mapping[str, Any]) -> str:
    """A subject, which is one line. Raises MissingVariable, and TemplateFault when nothing is left of it."""
    subject = " ".join(fill(text, values, is_html=False).split())[:MAX_SUBJECT]
    if not subject:
        raise TemplateFault("the subject is empty", 1)
    return subject


def try_fill(text: str, values: Mapping[str, Any], *, is_html: bool) -> None:
    """`fill` for its errors alone, and at no cost for a text all of whose fields the contact has."""
    variables = compile_template(text, is_html=is_html).variables
    if ATTRIBUTES in variables or not values.keys() >= set(variables):
        fill(text, values, is_html=is_html)


def derived_text(html: str) -> str:
    """The text part as a template of its own; empty when it can only be derived from the filled HTML."""
    from penguinmails.domain.plain_text import plain_text

    text = plain_text(html)
    try:
        same = compile_template(text, is_html=False).variables == compile_template(html, is_html=True).variables
    except TemplateFault:
        return ""
    return text if same else ""


def filled_text(text: str, html: str | None, values: Mapping[str, Any]) -> str:
    """The text part: of its own template, or derived from the HTML as it was filled."""
    if text or html is None:
        return fill(text, values, is_html=False)
    from penguinmails.domain.plain_text import plain_text

    return plain_text(html)
