"""SQL of templates."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "t.created_at", "updated_at": "t.updated_at", "name": "t.name"}
KINDS = {"created_at": "time", "updated_at": "time", "name": "text"}
_SELECT: LiteralString = """
SELECT t.id, t.name, t.subject, t.html_body, t.text_body, t.variables, t.workspace_id, t.created_at, t.updated_at
FROM templates t"""


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One template."""

    id: UUID
    name: str
    subject: str
    html_body: str | None
    text_body: str | None
    variables: list[str]
    workspace_id: UUID | None
    created_at: datetime
    updated_at: datetime


def list_templates(
    tx: Tx, keyset: Keyset, *, name: str | None, workspace_id: UUID | None
) -> tuple[list[TemplateRow], int | None]:
    """A page of templates."""
    where = Conditions()
    where.add_given("t.name = %(name)s", name=name)
    where.add_given("t.workspace_id = %(workspace_id)s", workspace_id=workspace_id)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, TemplateRow, id_column="t.id")


def find(tx: Tx, template_id: UUID) -> TemplateRow | None:
    """One template."""
    return tx.one(_SELECT + " WHERE t.id = %(id)s", {"id": template_id}, TemplateRow)


def find_locked(tx: Tx, template_id: UUID) -> TemplateRow | None:
    """One template, which nobody else changes meanwhile."""
    return tx.one(_SELECT + " WHERE t.id = %(id)s FOR UPDATE", {"id": template_id}, TemplateRow)


def insert(tx: Tx, template_id: UUID, values: dict[str, Any]) -> None:
    """Store a template; raises UniqueViolation for a taken name, ForeignKeyViolation for an unknown workspace."""
    tx.run(
        """
        INSERT INTO templates (id, tenant_id, mode, workspace_id, name, subject, html_body, text_body, variables)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(workspace_id)s, %(name)s, %(subject)s, %(html_body)s, %(text_body)s,
                %(variables)s)
        """,
        {"id": template_id, "tenant_id": tx.tenant_id, "mode": tx.mode, **values},
    )


def update(tx: Tx, template_id: UUID, values: dict[str, Any]) -> None:
    """Set every field of a template; raises as `insert`."""
    tx.run(
        """
        UPDATE templates
        SET workspace_id = %(workspace_id)s, name = %(name)s, subject = %(subject)s, html_body = %(html_body)s,
            text_body = %(text_body)s, variables = %(variables)s
        WHERE id = %(id)s
        """,
        {"id": template_id, **values},
    )


def delete(tx: Tx, template_id: UUID) -> None:
    """Forget a template."""
    tx.run("DELETE FROM templates WHERE id = %(id)s", {"id": template_id})
