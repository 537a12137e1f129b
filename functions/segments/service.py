"""The rules of segments: a definition is kept only when it compiles, and with its count."""

from typing import Any
from uuid import UUID

from penguinmails.db import ForeignKeyViolation, Tx, UniqueViolation
from penguinmails.domain.contact_fields import declared_among
from penguinmails.domain.segment_members import FoundContact, count_found, count_in_time
from penguinmails.domain.segment_pages import newest_found
from penguinmails.domain.segments import Condition, compile_segment, custom_keys
from penguinmails.errors import Conflict, FieldError, NotFound
from penguinmails.ids import new_uuid7
from segments import repository
from segments.repository import SegmentRow


def preview(tx: Tx, definition: dict[str, Any], size: int) -> tuple[int, list[FoundContact]]:
    """How many contacts a definition finds, and the newest of them. Raises ValidationFailed."""
    return count_found(tx, _compiled(tx, definition)), newest_found(tx, definition, size)


def create_segment(tx: Tx, *, name: str, definition: dict[str, Any]) -> SegmentRow:
    """Keep a segment. Raises ValidationFailed for wrong rules, Conflict when the name is taken."""
    count = count_in_time(tx, _compiled(tx, definition))
    segment_id = new_uuid7()
    try:
        with tx.savepoint():
            repository.insert_segment(tx, segment_id, name=name, definition=definition, count=count)
    except UniqueViolation:
        raise _taken(name) from None
    return existing(tx, segment_id)


def existing(tx: Tx, segment_id: UUID) -> SegmentRow:
    """A segment. Raises NotFound."""
    found = repository.find_segment(tx, segment_id)
    if found is None:
        raise NotFound.of("segment", segment_id)
    return found


def hold_segment(tx: Tx, segment_id: UUID) -> SegmentRow:
    """A segment that nobody else changes until the transaction ends. Raises NotFound."""
    found = repository.lock_segment(tx, segment_id)
    if found is None:
        raise NotFound.of("segment", segment_id)
    return found


def change_segment(tx: Tx, present: SegmentRow, *, name: str | None, definition: dict[str, Any] | None) -> SegmentRow:
    """Change a segment that is held, and count it anew when its rules change. Raises as `create_segment` does."""
    condition = None if definition is None else _compiled(tx, definition)
    try:
        with tx.savepoint():
            repository.update_segment(
                tx, present.id, name=name or present.name, definition=definition or present.definition
            )
    except UniqueViolation:
        raise _taken(name or present.name) from None
    if condition is not None:
        repository.keep_count(tx, present.id, count_in_time(tx, condition))
    return existing(tx, present.id)


def count_segment(tx: Tx, segment_id: UUID) -> SegmentRow:
    """Count a segment anew and remember it. Raises NotFound."""
    present = existing(tx, segment_id)
    repository.keep_count(tx, segment_id, count_found(tx, _compiled(tx, present.definition)))
    return existing(tx, segment_id)


def delete_segment(tx: Tx, present: SegmentRow) -> None:
    """Remove a segment that is held. Raises Conflict while a list or campaign uses it."""
    try:
        with tx.savepoint():
            repository.delete_segment(tx, present.id)
    except ForeignKeyViolation:
        raise Conflict(
            f"The segment {present.name} is used by a list or a campaign. Point these at another segment, "
            "or delete them first."
        ) from None


def _compiled(tx: Tx, definition: dict[str, Any]) -> Condition:
    return compile_segment(definition, declared_among(tx, custom_keys(definition)))


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is a segment {name} already. Change that one, or choose another name.",
        errors=[FieldError("name", "is taken by another segment", "taken")],
    )
