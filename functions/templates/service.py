"""The rules of templates."""

from typing import Any
from uuid import UUID

from penguinmails.db import ForeignKeyViolation, Tx, UniqueViolation
from penguinmails.domain.templates import Source, variables_of
from penguinmails.errors import Conflict, NotFound, ValidationFailed
from penguinmails.ids import new_uuid7
from templates import repository
from templates.repository import TemplateRow

_FIELDS = ("name", "subject", "html_body", "text_body", "workspace_id")


def create(tx: Tx, fields: dict[str, Any]) -> TemplateRow:
    """Store a template. Raises ValidationFailed with the line of what cannot be used, Conflict for a taken name."""
    template_id, values = new_uuid7(), _checked(fields)
    _store(lambda: repository.insert(tx, template_id, values), tx, values["name"])
    return existing(tx, template_id)


def change(tx: Tx, present: TemplateRow, changes: dict[str, Any]) -> TemplateRow:
    """Change what is given. Raises as `create`."""
    values = _checked({name: changes.get(name, getattr(present, name)) for name in _FIELDS})
    _store(lambda: repository.update(tx, present.id, values), tx, values["name"])
    return existing(tx, present.id)


def existing(tx: Tx, template_id: UUID) -> TemplateRow:
    """The template, or NotFound."""
    row = repository.find(tx, template_id)
    if row is None:
        raise NotFound.of("template", template_id)
    return row


def existing_locked(tx: Tx, template_id: UUID) -> TemplateRow:
    """The template, which nobody else changes meanwhile, or NotFound."""
    row = repository.find_locked(tx, template_id)
    if row is None:
        raise NotFound.of("template", template_id)
    return row


def source_of(row: TemplateRow) -> Source:
    """What was written."""
    return Source(subject=row.subject, html_body=row.html_body, text_body=row.text_body)


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    if fields["html_body"] is None and fields["text_body"] is None:
        raise ValidationFailed.of("html_body", "send html_body, text_body or both", "missing")
    source = Source(subject=fields["subject"], html_body=fields["html_body"], text_body=fields["text_body"])
    return {**fields, "variables": variables_of(source)}


def _store(write: Any, tx: Tx, name: str) -> None:
    try:
        with tx.savepoint():
            write()
    except UniqueViolation:
        raise Conflict(f"There is a template named {name} already. Change that one, or choose another name.") from None
    except ForeignKeyViolation:
        raise ValidationFailed.of("workspace_id", "names a workspace that does not exist", "not_found") from None
