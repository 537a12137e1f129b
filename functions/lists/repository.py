"""SQL of lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.removals import remove_rows_later
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "l.created_at", "name": "l.name"}
KINDS = {"created_at": "time", "name": "text"}
_SELECT: LiteralString = """
SELECT l.id, l.name, l.description, l.type, l.segment_id,
       CASE l.type WHEN 'static' THEN l.contact_count
       ELSE (SELECT s.count_cached FROM segments s WHERE s.id = l.segment_id) END AS contact_count,
       l.created_at, l.updated_at
FROM lists l"""
MEMBER_COLUMNS: dict[str, LiteralString] = {"created_at": "m.contact_created_at"}
MEMBER_KINDS = {"created_at": "time"}
_MEMBERS: LiteralString = """
SELECT c.id, c.email, c.first_name, c.last_name, c.status, m.contact_created_at AS created_at, m.assigned_at
FROM contact_lists m
JOIN contacts c ON c.tenant_id = m.tenant_id AND c.mode = m.mode AND c.id = m.contact_id"""


@dataclass(frozen=True, slots=True)
class ListRow:
    """One list."""

    id: UUID
    name: str
    description: str | None
    type: Literal["static", "dynamic"]
    segment_id: UUID | None
    contact_count: int | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One contact of a list."""

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None
    status: str
    created_at: datetime
    assigned_at: datetime | None


def list_lists(tx: Tx, keyset: Keyset, *, name: str | None, kind: str | None) -> tuple[list[ListRow], int | None]:
    """A page of lists."""
    where = Conditions()
    where.add_given("l.name = %(name)s", name=name)
    where.add_given("l.type = %(type)s", type=kind)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, ListRow, id_column="l.id", count_from=" FROM lists l")


def find_list(tx: Tx, list_id: UUID) -> ListRow | None:
    """One list."""
    return tx.one(_SELECT + " WHERE l.id = %(id)s", {"id": list_id}, ListRow)


def lock_list(tx: Tx, list_id: UUID) -> ListRow | None:
    """One list, locked until the end of the transaction."""
    return tx.one(_SELECT + " WHERE l.id = %(id)s FOR UPDATE OF l", {"id": list_id}, ListRow)


def insert_list(tx: Tx, list_id: UUID, values: dict[str, Any]) -> None:
    """Add a list; raises UniqueViolation when the name is taken, ForeignKeyViolation when there is no such segment."""
    tx.run(
        """
        INSERT INTO lists (id, tenant_id, mode, name, description, type, segment_id)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(name)s, %(description)s, %(type)s, %(segment_id)s)
        """,
        {"id": list_id, "tenant_id": tx.tenant_id, "mode": tx.mode, **values},
    )


def update_list(tx: Tx, list_id: UUID, values: dict[str, Any]) -> None:
    """Change a list; raises UniqueViolation when the name is taken."""
    tx.run(
        "UPDATE lists SET name = %(name)s, description = %(description)s WHERE id = %(id)s",
        {"id": list_id, **values},
    )


def delete_list(tx: Tx, list_id: UUID) -> None:
    """Remove a list; raises ForeignKeyViolation while something refers to it."""
    tx.run("DELETE FROM lists WHERE id = %(id)s", {"id": list_id})
    remove_rows_later(tx, "list", list_id)


def list_members(tx: Tx, keyset: Keyset, list_id: UUID) -> tuple[list[MemberRow], int | None]:
    """A page of the contacts on a static list."""
    where = Conditions()
    where.add("m.list_id = %(list_id)s", list_id=list_id)
    return select_page(
        tx, _MEMBERS, where, keyset, MEMBER_COLUMNS, MemberRow,
        id_column="m.contact_id", count_from=" FROM contact_lists m",
    )  # fmt: skip


def add_members(tx: Tx, list_id: UUID, contact_ids: Sequence[UUID]) -> int:
    """Put contacts on a list; how many were not on it before."""
    return tx.run(
        """
        INSERT INTO contact_lists (tenant_id, mode, contact_id, list_id, contact_created_at)
        SELECT tenant_id, mode, id, %(list_id)s, created_at FROM contacts WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id
        ON CONFLICT DO NOTHING
        """,
        {"list_id": list_id, "ids": list(contact_ids)},
    )


def remove_members(tx: Tx, list_id: UUID, contact_ids: Sequence[UUID]) -> int:
    """Take contacts off a list; how many were on it."""
    return tx.run(
        "DELETE FROM contact_lists WHERE list_id = %(list_id)s AND contact_id = ANY(%(ids)s::uuid[])",
        {"list_id": list_id, "ids": list(contact_ids)},
    )
