"""The rules of lists: what a static one and a dynamic one may do."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from lists import repository
from lists.repository import ListRow, MemberRow
from penguinmails.db import ForeignKeyViolation, Tx, UniqueViolation
from penguinmails.domain.contact_fields import declared_fields
from penguinmails.domain.segment_members import page_of_found
from penguinmails.domain.segments import compile_segment
from penguinmails.errors import Conflict, FieldError, NotFound, ValidationFailed
from penguinmails.ids import new_uuid7
from penguinmails.keyset import Keyset


@dataclass(frozen=True, slots=True)
class Added:
    """What became of contacts that were to be put on a list."""

    added: int
    already_listed: int
    not_found: list[UUID]


def create_list(tx: Tx, values: dict[str, Any]) -> ListRow:
    """Add a list. Raises Conflict when the name is taken, ValidationFailed when type and segment do not go together."""
    if (values["type"] == "dynamic") != (values["segment_id"] is not None):
        raise ValidationFailed.of(
            "segment_id", "belongs to a dynamic list, which must name one; a static list has none"
        )
    list_id = new_uuid7()
    with _explained(tx, values):
        repository.insert_list(tx, list_id, values)
    return existing(tx, list_id)


def existing(tx: Tx, list_id: UUID) -> ListRow:
    """A list. Raises NotFound."""
    found = repository.find_list(tx, list_id)
    if found is None:
        raise NotFound.of("list", list_id)
    return found


def hold_list(tx: Tx, list_id: UUID) -> ListRow:
    """A list that nobody else changes until the transaction ends. Raises NotFound."""
    found = repository.lock_list(tx, list_id)
    if found is None:
        raise NotFound.of("list", list_id)
    return found


def change_list(tx: Tx, present: ListRow, changes: dict[str, Any]) -> ListRow:
    """Change a list that is held. Raises as `create_list` does."""
    if present.type == "static" and changes.get("segment_id") is not None:
        raise ValidationFailed.of("segment_id", "belongs to a dynamic list; this one is static")
    before = {"name": present.name, "description": present.description, "segment_id": present.segment_id}
    values = {**before, **changes}
    with _explained(tx, values):
        repository.update_list(tx, present.id, values)
    return existing(tx, present.id)


def delete_list(tx: Tx, present: ListRow) -> None:
    """Remove a list that is held; its contacts stay. Raises Conflict while a campaign uses it."""
    try:
        with tx.savepoint():
            repository.delete_list(tx, present.id)
    except ForeignKeyViolation:
        raise Conflict(
            f"The list {present.name} is used by a campaign. Point it at another list, or delete it first."
        ) from None


def members(tx: Tx, found: ListRow, keyset: Keyset) -> tuple[list[MemberRow], int | None]:
    """A page of a list's contacts."""
    if found.segment_id is None:
        return repository.list_members(tx, keyset, found.id)
    definition = repository.segment_definition(tx, found.segment_id)
    rows, total = page_of_found(tx, keyset, compile_segment(definition, declared_fields(tx)))
    return [MemberRow(**asdict(row), assigned_at=None) for row in rows], total


def add_contacts(tx: Tx, list_id: UUID, contact_ids: Sequence[UUID]) -> Added:
    """Put contacts on a static list. Raises Conflict for a dynamic one."""
    _require_static(existing(tx, list_id))
    wanted = set(contact_ids)
    present = repository.contacts_among(tx, sorted(wanted))
    added = repository.add_members(tx, list_id, sorted(present))
    return Added(added, len(present) - added, sorted(wanted - present))


def remove_contacts(tx: Tx, list_id: UUID, contact_ids: Sequence[UUID]) -> int:
    """Take contacts off a static list; how many were on it. Raises Conflict for a dynamic one."""
    _require_static(existing(tx, list_id))
    return repository.remove_members(tx, list_id, contact_ids)


def _require_static(found: ListRow) -> None:
    if found.type != "static":
        raise Conflict(
            f"The list {found.name} is dynamic: its segment says who is on it. Change the segment, or use a static list."
        )


@contextmanager
def _explained(tx: Tx, values: dict[str, Any]) -> Generator[None]:
    """A write that may fail alone, and then says which field stood in its way."""
    try:
        with tx.savepoint():
            yield
    except UniqueViolation:
        raise Conflict(
            f"There is a list {values['name']} already. Change that one, or choose another name.",
            errors=[FieldError("name", "is taken by another list", "taken")],
        ) from None
    except ForeignKeyViolation:
        raise ValidationFailed.of("segment_id", "names a segment that does not exist", "not_found") from None
