"""The rules of segments: a definition is kept only when it compiles, and with its count."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from penguinmails.db import ForeignKeyViolation, Tx, UniqueViolation
from penguinmails.domain.contact_search import Place
from penguinmails.domain.segment_counts import forget_count, keep_count
from penguinmails.domain.segment_pages import FoundContact, Segment, count_in_time, page_in_time, read_segment
from penguinmails.domain.segment_uses import comparisons
from penguinmails.errors import Conflict, FieldError, NotFound, ValidationFailed
from penguinmails.ids import new_uuid7
from penguinmails.keyset import MOST_COUNTED, Keyset
from segments import repository
from segments.repository import SegmentRow


@dataclass(frozen=True, slots=True)
class Found:
    """Contacts that a definition finds: the newest of them, and how many there are, at least when `is_more`."""

    newest: list[FoundContact]
    count: int
    is_more: bool
    stopped_at: Place | None
    """Where to go on when the time was over."""


def preview(tx: Tx, definition: dict[str, Any], size: int, after: Place | None) -> Found:
    """Whom a definition finds among the contacts behind a place, as far as the time goes. Raises ValidationFailed."""
    newest = Keyset(MOST_COUNTED, "desc", "created_at", "time", None, after)
    page = page_in_time(tx, newest, _read(tx, definition))
    is_more = len(page.rows) > MOST_COUNTED or page.stopped_at is not None
    return Found(page.rows[:size], min(len(page.rows), MOST_COUNTED), is_more, page.stopped_at)


def create_segment(tx: Tx, *, name: str, definition: dict[str, Any]) -> SegmentRow:
    """Keep a segment. Raises ValidationFailed for wrong rules, Conflict when the name is taken."""
    segment = _read(tx, definition)
    segment_id = new_uuid7()
    try:
        with tx.savepoint():
            repository.insert_segment(tx, segment_id, name=name, definition=definition)
    except UniqueViolation:
        raise _taken(name) from None
    keep_count(tx, segment_id, count_in_time(tx, segment))
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
    segment = None if definition is None else _read(tx, definition)
    try:
        with tx.savepoint():
            repository.update_segment(
                tx, present.id, name=name or present.name, definition=definition or present.definition
            )
    except UniqueViolation:
        raise _taken(name or present.name) from None
    if segment is not None:
        forget_count(tx, present.id)
        keep_count(tx, present.id, count_in_time(tx, segment))
    return existing(tx, present.id)


def count_segment(tx: Tx, segment_id: UUID) -> SegmentRow:
    """Count a segment anew, unless that is under way; what is not counted in time the job counts. Raises NotFound."""
    present = hold_segment(tx, segment_id)
    if present.counting:
        return present
    keep_count(tx, segment_id, count_in_time(tx, read_segment(tx, present.definition)))
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


def _read(tx: Tx, definition: dict[str, Any]) -> Segment:
    """The segment of rules that are new. Raises ValidationFailed, also when they name a list that nobody can be on."""
    segment = read_segment(tx, definition)
    named = [
        (path, UUID(rule["value"])) for path, rule in comparisons(definition) if rule["field"] in {"list", "workspace"}
    ]
    kinds = repository.kinds_of(tx, [id_ for _, id_ in named]) if named else {}
    faults = [
        FieldError(f"{path}.value", "names nothing that exists", "not_found")
        if id_ not in kinds
        else FieldError(f"{path}.value", "names a dynamic list; use the rules of its segment instead", "dynamic")
        for path, id_ in named
        if kinds.get(id_) in {None, "dynamic"}
    ]
    if faults:
        raise ValidationFailed(f"{faults[0].field}: {faults[0].message}", errors=faults)
    return segment


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is a segment {name} already. Change that one, or choose another name.",
        errors=[FieldError("name", "is taken by another segment", "taken")],
    )
