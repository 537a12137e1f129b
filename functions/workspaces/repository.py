"""SQL of workspaces."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.removals import remove_rows_later
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "w.created_at", "name": "w.name"}
KINDS = {"created_at": "time", "name": "text"}
_SELECT: LiteralString = "SELECT w.id, w.name, w.slug, w.is_default, w.created_at, w.updated_at FROM workspaces w"


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """One workspace."""

    id: UUID
    name: str
    slug: str
    is_default: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Somebody who works in a workspace."""

    user_id: UUID
    name: str
    email: str
    role: str


def list_workspaces(tx: Tx, keyset: Keyset) -> tuple[list[WorkspaceRow], int | None]:
    """A page of workspaces."""
    return select_page(tx, _SELECT, Conditions(), keyset, COLUMNS, WorkspaceRow, id_column="w.id")


def find(tx: Tx, workspace_id: UUID) -> WorkspaceRow | None:
    """One workspace."""
    return tx.one(_SELECT + " WHERE w.id = %(id)s", {"id": workspace_id}, WorkspaceRow)


def find_locked(tx: Tx, workspace_id: UUID) -> WorkspaceRow | None:
    """One workspace, which nobody else changes meanwhile."""
    return tx.one(_SELECT + " WHERE w.id = %(id)s FOR UPDATE", {"id": workspace_id}, WorkspaceRow)


def count(tx: Tx) -> int:
    """How many workspaces there are."""
    return tx.one("SELECT count(*) FROM workspaces", {})


def insert(tx: Tx, *, workspace_id: UUID, name: str, slug: str) -> None:
    """Add a workspace; raises UniqueViolation when the slug is taken."""
    tx.run(
        "INSERT INTO workspaces (id, tenant_id, name, slug) VALUES (%(id)s, %(tenant_id)s, %(name)s, %(slug)s)",
        {"id": workspace_id, "tenant_id": tx.tenant_id, "name": name, "slug": slug},
    )


def update(tx: Tx, workspace_id: UUID, *, name: str, slug: str) -> None:
    """Change a workspace; raises UniqueViolation when the slug is taken."""
    tx.run(
        "UPDATE workspaces SET name = %(name)s, slug = %(slug)s WHERE id = %(id)s",
        {"id": workspace_id, "name": name, "slug": slug},
    )


def delete(tx: Tx, workspace_id: UUID) -> None:
    """Remove a workspace; contacts stay and are unlinked. Raises ForeignKeyViolation when something is still in it."""
    tx.run("DELETE FROM workspaces WHERE id = %(id)s", {"id": workspace_id})
    remove_rows_later(tx, "workspace", workspace_id)


def members(tx: Tx, workspace_id: UUID) -> list[MemberRow]:
    """Everybody who works there."""
    return tx.all(
        """
        SELECT m.user_id, u.name, u.email, m.role
        FROM workspace_members m JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
        WHERE m.workspace_id = %(id)s ORDER BY u.name, u.id
        """,
        {"id": workspace_id},
        MemberRow,
    )


def set_member(tx: Tx, workspace_id: UUID, user_id: UUID, role: str) -> bool:
    """Let somebody work there; False when there is no such person."""
    return (
        tx.run(
            """
            INSERT INTO workspace_members (tenant_id, workspace_id, user_id, role)
            SELECT %(tenant_id)s, %(workspace_id)s, u.id, %(role)s
            FROM users u WHERE u.id = %(user_id)s AND u.deleted_at IS NULL
            ON CONFLICT (tenant_id, workspace_id, user_id) DO UPDATE SET role = excluded.role
            """,
            {"tenant_id": tx.tenant_id, "workspace_id": workspace_id, "user_id": user_id, "role": role},
        )
        == 1
    )


def remove_member(tx: Tx, workspace_id: UUID, user_id: UUID) -> bool:
    """End somebody's work there; False when they did not work there."""
    return (
        tx.run(
            "DELETE FROM workspace_members WHERE workspace_id = %(workspace_id)s AND user_id = %(user_id)s",
            {"workspace_id": workspace_id, "user_id": user_id},
        )
        == 1
    )
