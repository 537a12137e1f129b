"""The rules of lists: what a static one and a dynamic one may do."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lists import repository
from lists.repository import ListRow, MemberRow
from penguinmails.db import ForeignKeyViolation, Tx, UniqueViolation, columns_of
from penguinmails.domain.contact_links import contacts_among
from penguinmails.domain.segment_pages import page_in_time, read_segment, segment_definition
from penguinmails.domain.segment_uses import segments_reading
from penguinmails.errors import Conflict, FieldError, NotFound, ValidationFailed
from penguinmails.ids import new_uuid7
from penguinmails.keyset import Keyset


@dataclass(frozen=True, slots=True)
class Added:
    """What became of contacts that were to be put on a list."""

    added: int
    already_listed: int


def create_list(tx: Tx, values: dict[str, Any]) -> ListRow:
    """Add a list. Raises Conflict when the name is taken, ValidationFailed when type and segment do not go together."""
    kind = values["type"] or ("static" if values["segment_id"] is None else "dynamic")
    if (kind == "dynamic") != (values["segment_id"] is not None):
        raise ValidationFailed.of(
            "segment_id", "belongs to a dynamic list, which must name one; a static list has none"
        )
    list_id = new_uuid7()
    with _explained(tx, values["name"]):
        repository.insert_list(tx, list_id, {**values, "type": kind})
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
    """Change a list that is held. Raises Conflict when the name is taken."""
    values: dict[str, Any] = {"name": present.name, "description": present.description, **changes}
    with _explained(tx, values["name"]):
        repository.update_list(tx, present.id, values)
    return existing(tx, present.id)


def delete_list(tx: Tx, present: ListRow) -> None:
    """Remove a list that is held; its contacts stay. Raises Conflict while a campaign or a segment uses it."""
    using = segments_reading(tx, "list", str(present.id))
    if using:
        # Else who was left out as being on the list would suddenly belong.
        raise Conflict(
            f"The list {present.name} is used by the segments {', '.join(using)}. Change or delete these first."
        )
    try:
        with tx.savepoint():
            repository.delete_list(tx, present.id)
    except ForeignKeyViolation:
        raise Conflict(
            f"The list {present.name} is used by a campaign. Point it at another list, or delete it first."
        ) from None


@dataclass(frozen=True, slots=True)
class Members:
    """Up to `limit + 1` of a list's contacts, and the total when the page was asked for by offset."""

    rows: list[MemberRow]
    total: int | None
    stopped_at: tuple[datetime, UUID] | None = None
    """Where to go on, when those of a dynamic list are found so slowly that the page was not filled."""


def members(tx: Tx, found: ListRow, keyset: Keyset) -> Members:
    """A page of a list's contacts."""
    if found.segment_id is None:
        return Members(*repository.list_members(tx, keyset, found.id))
    page = page_in_time(tx, keyset, read_segment(tx, segment_definition(tx, found.segment_id)))
    rows = [MemberRow(**columns_of(row), assigned_at=None) for row in page.rows]
    return Members(rows, page.total, page.stopped_at)


def add_contacts(tx: Tx, list_id: UUID, contact_ids: Sequence[UUID]) -> Added:
    """Put contacts on a static list, all or none. Raises Conflict for a dynamic one, ValidationFailed for unknown ids."""
    _require_static(existing(tx, list_id))
    _require_contacts(tx, contact_ids, "contact_ids")
    try:
        with tx.savepoint():
            added = repository.add_members(tx, list_id, contact_ids)
    except ForeignKeyViolation:
        raise Conflict(
            "The list or one of the contacts was deleted at the same moment. Nothing was changed; look what is left."
        ) from None
    return Added(added, len(set(contact_ids)) - added)


def remove_contacts(tx: Tx, list_id: UUID, contact_ids: Sequence[UUID]) -> int:
    """Take contacts off a static list; how many were on it. Raises as `add_contacts` does."""
    _require_static(existing(tx, list_id))
    _require_contacts(tx, contact_ids, "contact_id")
    return repository.remove_members(tx, list_id, contact_ids)


def _require_contacts(tx: Tx, contact_ids: Sequence[UUID], field: str) -> None:
    present = contacts_among(tx, contact_ids)
    faults = [
        FieldError(f"{field}.{place}", f"there is no contact {contact_id}", "not_found")
        for place, contact_id in enumerate(contact_ids)
        if contact_id not in present
    ]
    if faults:
        raise ValidationFailed(
            f"{len(faults)} of the ids are of no contact of yours; leave them out. Nothing was changed.", errors=faults
        )


def _require_static(found: ListRow) -> None:
    if found.type != "static":
        raise Conflict(
            f"The list {found.name} is dynamic: its segment says who is on it. Change the segment, or use a static list."
        )


@contextmanager
def _explained(tx: Tx, name: str) -> Generator[None]:
    """A write that may fail alone, and then says which field stood in its way."""
    try:
        with tx.savepoint():
            yield
    except UniqueViolation:
        raise Conflict(
            f"There is a list {name} already. Change that one, or choose another name.",
            errors=[FieldError("name", "is taken by another list", "taken")],
        ) from None
    except ForeignKeyViolation:
        raise ValidationFailed.of("segment_id", "names a segment that does not exist", "not_found") from None
