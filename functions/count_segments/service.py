"""One step: the next part of the count that has waited longest."""

from datetime import timedelta

from count_segments import repository
from penguinmails.db import transaction
from penguinmails.domain.segment_counts import forget_count, keep_count
from penguinmails.domain.segment_pages import count_in_time, read_segment
from penguinmails.errors import ValidationFailed
from penguinmails.logging import logger

PART = timedelta(seconds=2)
"""How long one part is counted: a change of the rules waits for it."""


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
