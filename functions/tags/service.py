"""The rules of tags: one tag per name."""

from uuid import UUID

from penguinmails.db import Tx, UniqueViolation
from penguinmails.errors import Conflict, FieldError, NotFound
from penguinmails.ids import new_uuid7
from tags import repository
from tags.repository import TagRow


def create_tag(tx: Tx, name: str) -> TagRow:
    """Add a tag. Raises Conflict when there is one of that name."""
    tag_id = new_uuid7()
    try:
        with tx.savepoint():
            repository.insert_tag(tx, tag_id, name)
    except UniqueViolation:
        raise _taken(name) from None
    return existing(tx, tag_id)


def existing(tx: Tx, tag_id: UUID) -> TagRow:
    """A tag. Raises NotFound."""
    found = repository.find_tag(tx, tag_id)
    if found is None:
        raise NotFound.of("tag", tag_id)
    return found


def hold_tag(tx: Tx, tag_id: UUID) -> TagRow:
    """A tag that nobody else changes until the transaction ends. Raises NotFound."""
    found = repository.lock_tag(tx, tag_id)
    if found is None:
        raise NotFound.of("tag", tag_id)
    return found


def rename_tag(tx: Tx, present: TagRow, name: str) -> TagRow:
    """Give a tag that is held another name. Raises Conflict when it is taken."""
    if present.name == name:
        return present
    try:
        with tx.savepoint():
            repository.rename_tag(tx, present.id, name)
    except UniqueViolation:
        raise _taken(name) from None
    return existing(tx, present.id)


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is a tag {name} already. Use that one, or choose another name.",
        errors=[FieldError("name", "is taken by another tag", "taken")],
    )
