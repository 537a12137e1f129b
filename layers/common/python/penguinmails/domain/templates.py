"""A message as a template: subject and bodies with variables, checked when stored and rendered when sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.plain_text import plain_text
from penguinmails.domain.rendering import (
    MissingVariable,
    TemplateFault,
    UnusableVariables,
    check_variables,
    compile_template,
)
from penguinmails.errors import FieldError, ValidationFailed

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What somebody wrote."""

    subject: str
    html_body: str | None
    text_body: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """What a recipient gets."""

    subject: str
    html: str | None
    text: str


def find_source(tx: Tx, template_id: UUID) -> Source | None:
    """What a template of the account says; None when there is no such template in this mode."""
    return tx.one("SELECT subject, html_body, text_body FROM templates WHERE id = %(id)s", {"id": template_id}, Source)


def variables_of(source: Source) -> list[str]:
    """The names that a template reads. Raises ValidationFailed with the field and line of what cannot be used."""
    found: set[str] = set()
    for field, text, is_html in _parts(source):
        compiled = _told(field, lambda t=text, h=is_html: compile_template(t, is_html=h))
        found |= set(compiled.variables)
    return sorted(found)


def render(source: Source, variables: Mapping[str, Any]) -> Message:
    """The message with these values. Raises ValidationFailed that names a missing variable, or what does not fit."""
    try:
        check_variables(variables)
    except UnusableVariables as error:
        raise ValidationFailed.of("variables", str(error), "too_large") from None
    rendered = {
        field: _told(field, lambda t=text, h=is_html: compile_template(t, is_html=h).render(variables))
        for field, text, is_html in _parts(source)
    }
    subject = " ".join(rendered["subject"].split())
    if not subject:
        raise ValidationFailed.of("variables", "leave the subject empty", "empty_subject")
    html = rendered.get("html_body")
    text = rendered.get("text_body")
    return Message(subject[:998], html, text if text is not None else plain_text(html or ""))


def _parts(source: Source) -> list[tuple[str, str, bool]]:
    parts = [("subject", source.subject, False), ("html_body", source.html_body, True)]
    parts.append(("text_body", source.text_body, False))
    return [(field, text, is_html) for field, text, is_html in parts if text is not None]


def _told(field: str, work: Callable[[], Value]) -> Value:
    try:
        return work()
    except TemplateFault as fault:
        raise ValidationFailed(
            f"{field}, line {fault.line}: {fault.message}.",
            errors=[FieldError(field, f"line {fault.line}: {fault.message}", "template")],
        ) from None
    except MissingVariable as missing:
        raise ValidationFailed(
            f"The {field} reads {missing.name}, which was not given. Give it, or write {{{{ {missing.name}|default('') }}}}.",
            errors=[FieldError(f"variables.{missing.name}", f"is read by {field} and not given", "missing_variable")],
        ) from None
