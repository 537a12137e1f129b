"""The rules of workspaces."""

import re
from uuid import UUID

from penguinmails.db import ForeignKeyViolation, Tx, UniqueViolation
from penguinmails.errors import Conflict, NotFound
from penguinmails.ids import new_uuid7
from workspaces import repository
from workspaces.repository import WorkspaceRow

MOST_WORKSPACES = 500


def create(tx: Tx, *, name: str, slug: str | None) -> WorkspaceRow:
    """Add a workspace. Raises Conflict when its short name is taken, or when there are too many."""
    if repository.count(tx) >= MOST_WORKSPACES:
        raise Conflict(
            f"There are {MOST_WORKSPACES} workspaces already, the most an account may have. Delete one first."
        )
    workspace_id, slug = new_uuid7(), slug or slug_of(name)
    try:
        with tx.savepoint():
            repository.insert(tx, workspace_id=workspace_id, name=name, slug=slug)
    except UniqueViolation:
        raise _taken(slug) from None
    return existing(tx, workspace_id)


def change(tx: Tx, present: WorkspaceRow, *, name: str | None, slug: str | None) -> WorkspaceRow:
    """Change what is given."""
    try:
        with tx.savepoint():
            repository.update(tx, present.id, name=name or present.name, slug=slug or present.slug)
    except UniqueViolation:
        raise _taken(slug or present.slug) from None
    return existing(tx, present.id)


def delete(tx: Tx, present: WorkspaceRow) -> None:
    """Remove an empty workspace that is held and not the default one."""
    if present.is_default:
        raise Conflict("The default workspace takes what names no workspace and cannot be deleted. Rename it instead.")
    try:
        with tx.savepoint():
            repository.delete(tx, present.id)
    except ForeignKeyViolation:
        raise Conflict("Something still belongs to this workspace. Move or delete that first.") from None


def existing(tx: Tx, workspace_id: UUID) -> WorkspaceRow:
    """The workspace, or NotFound."""
    row = repository.find(tx, workspace_id)
    if row is None:
        raise NotFound.of("workspace", workspace_id)
    return row


def existing_locked(tx: Tx, workspace_id: UUID) -> WorkspaceRow:
    """The workspace, which nobody else changes meanwhile, or NotFound."""
    row = repository.find_locked(tx, workspace_id)
    if row is None:
        raise NotFound.of("workspace", workspace_id)
    return row


def slug_of(name: str) -> str:
    """A short name made from a name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-") or "workspace"


def _taken(slug: str) -> Conflict:
    return Conflict(f"The short name {slug} is taken by another workspace. Choose another as `slug`.")
