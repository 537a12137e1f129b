"""SQL of tags."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.removals import remove_rows_later
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "created_at", "name": "name"}
KINDS = {"created_at": "time", "name": "text"}
_SELECT: LiteralString = "SELECT id, name, created_at, updated_at FROM tags"


@dataclass(frozen=True, slots=True)
class TagRow:
    """One tag."""

    id: UUID
    name: str
    created_at: datetime
    updated_at: datetime


def list_tags(tx: Tx, keyset: Keyset, *, name: str | None) -> tuple[list[TagRow], int | None]:
    """A page of tags."""
    where = Conditions()
    where.add_given("name = %(name)s", name=name)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, TagRow)


def find_tag(tx: Tx, tag_id: UUID) -> TagRow | None:
    """One tag."""
    return tx.one(_SELECT + " WHERE id = %(id)s", {"id": tag_id}, TagRow)


def lock_tag(tx: Tx, tag_id: UUID) -> TagRow | None:
    """One tag, locked until the end of the transaction."""
    return tx.one(_SELECT + " WHERE id = %(id)s FOR UPDATE", {"id": tag_id}, TagRow)


def insert_tag(tx: Tx, tag_id: UUID, name: str) -> None:
    """Add a tag; raises UniqueViolation when the name is taken."""
    tx.run(
        "INSERT INTO tags (id, tenant_id, mode, name) VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(name)s)",
        {"id": tag_id, "tenant_id": tx.tenant_id, "mode": tx.mode, "name": name},
    )


def rename_tag(tx: Tx, tag_id: UUID, name: str) -> None:
    """Change the name; raises UniqueViolation when it is taken."""
    tx.run("UPDATE tags SET name = %(name)s WHERE id = %(id)s", {"id": tag_id, "name": name})


def delete_tag(tx: Tx, tag_id: UUID) -> None:
    """Remove a tag; nobody has it from now on."""
    tx.run("DELETE FROM tags WHERE id = %(id)s", {"id": tag_id})
    remove_rows_later(tx, "tag", tag_id)
