"""One step: the next part of the count that has waited longest, and the next contacts of a field that was declared."""

from datetime import timedelta

from count_segments import repository
from penguinmails.db import transaction
from penguinmails.domain.field_preparation import Misfit, give_up, hold_unprepared, prepare
from penguinmails.domain.segment_counts import forget_count, keep_count
from penguinmails.domain.segment_pages import count_in_time, read_segment
from penguinmails.errors import ValidationFailed
from penguinmails.logging import logger

PART = timedelta(seconds=2)
"""How long one part is counted: a change of the rules waits for it."""


def work() -> int:
    """One part of one count and of one field; how many there were, 0 when none is under way."""
    return count() + prepare_field()


def prepare_field() -> int:
    """The next contacts of one field; 0 when none is being prepared."""
    with transaction(role="jobs") as tx:
        due = repository.unprepared_field(tx)
    if due is None:
        return 0
    try:
        with transaction(tenant_id=due.tenant_id, mode=due.mode) as tx:
            field = hold_unprepared(tx, due.id)
            if field is None:
                return 0
            prepare(tx, field)
    except Misfit as misfit:
        with transaction(tenant_id=due.tenant_id, mode=due.mode) as tx:
            give_up(tx, due.id, f"{misfit} Correct it, delete this field and declare it again.")
    return 1


def count() -> int:
    """One part of one segment's count; 0 when none is under way."""
    with transaction(role="jobs") as tx:
        due = repository.take_due(tx)
    if due is None:
        return 0
    with transaction(tenant_id=due.tenant_id, mode=due.mode) as tx:
        counting = repository.hold(tx, due.id)
        if counting is None:
            return 1
        try:
            segment = read_segment(tx, counting.definition)
        except ValidationFailed as refusal:
            logger.warning("segment not counted", extra={"segment_id": str(due.id), "reason": refusal.detail})
            forget_count(tx, due.id)
            return 1
        after = (counting.count_from_at, counting.count_from_id)
        counted = count_in_time(tx, segment, after=after, budget=PART)
        keep_count(tx, due.id, counted, before=counting.count_found)
    return 1
