"""Whether everything arrived: counts of a span of time, and page by page the events that did not."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.errors import InvalidTimeRange
from webhooks import reconcile_repository
from webhooks.history_service import refusals
from webhooks.quarters import QUARTER, quarter_from, quarter_of
from webhooks.reconcile_repository import MOST_REPLAYED, Examined, Position
from webhooks.repository import WebhookRow

MOST_GAPS = 1_000
"""On a page."""
MOST_EXAMINED = 50_000
"""Events that one page looks at: nearly all of them have arrived, and a week may have millions."""
EXAMINED_AT_ONCE = 2_000
LONGEST_SPAN = timedelta(days=31)
_DAY = timedelta(days=1)
_DAY_TWO = datetime.min.replace(tzinfo=UTC) + _DAY

_OUTCOMES = {"success": "delivered", "queued": "pending", "sending": "pending", "pending_retry": "pending"}
_COUNTED = ("delivered", "pending", "held", "failed", "dropped")


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the events of a span of time, and a page of those that did not arrive."""

    start: datetime
    end: datetime
    counts: dict[str, int]
    is_exact: bool
    first_sequence: int | None
    last_sequence: int | None
    gaps: list[Examined]
    next_position: Position | None
    """Where the next page goes on; None when there is nothing left to look at."""


def reconcile(
    tx: Tx, webhook: WebhookRow, start: datetime | None, end: datetime | None, after: Position | None
) -> Account:
    """What became of the events of the quarters of an hour from that of `start` to that before `end`.

    `end` is now when None or later, `start` a day before when None. Gaps are those behind `after`. Raises InvalidTimeRange.
    """
    now = clock.now()
    end = min(end or now, now)
    start = start or max(end, _DAY_TWO) - _DAY
    if not start < end:
        raise InvalidTimeRange.of("to", "must be later than from, and from must be in the past")
    start, end = quarter_of(start), quarter_from(end)
    # A span that is no longer than it may be is a quarter of an hour longer when it comes back with the cursor.
    if end - start > LONGEST_SPAN + QUARTER:
        raise InvalidTimeRange.of("to", f"must be at most {LONGEST_SPAN.days} days after from; ask for several spans")
    counted = reconcile_repository.counts_between(tx, webhook.id, start, end)
    replayed = reconcile_repository.replayed_between(tx, webhook.id, start, end)
    counts = Counter({name: getattr(counted, name) for name in _COUNTED})
    for first, now, events in replayed.moves:
        counts[_OUTCOMES.get(now, now)] += events
        if first is not None:
            counts[_OUTCOMES.get(first, first)] -= events
    gaps, next_position = _page(tx, webhook, after or (start, UUID(int=0)), end)
    return Account(
        start=start,
        end=end,
        counts={"matched": counts.total(), **counts},
        is_exact=replayed.deliveries <= MOST_REPLAYED,
        first_sequence=counted.first_sequence,
        last_sequence=counted.last_sequence,
        gaps=gaps,
        next_position=next_position,
    )


def _page(tx: Tx, webhook: WebhookRow, after: Position, end: datetime) -> tuple[list[Examined], Position | None]:
    """The next gaps in the order of their events, and where to go on."""

    def given_up(after: Position) -> list[Examined]:
        return reconcile_repository.given_up(tx, webhook.id, after, end, EXAMINED_AT_ONCE)

    def missing(after: Position) -> list[Examined]:
        found = reconcile_repository.without_delivery(
            tx,
            webhook.id,
            after,
            end,
            webhook.event_types,
            is_filtered=bool(webhook.event_filters),
            piece=EXAMINED_AT_ONCE,
        )
        return _wanted(tx, webhook, found)

    gaps: list[Examined] = []
    stops: list[Position] = []
    # What was raised before there was the webhook was never for it, save what a replay has sent.
    for look, begin in ((given_up, after), (missing, max(after, (webhook.created_at, UUID(int=0))))):
        found, stopped_at = _walk(look, begin)
        gaps += found
        stops += [stopped_at] if stopped_at is not None else []
    next_position = min(stops, default=None)
    if next_position is not None:
        gaps = [gap for gap in gaps if gap.position() <= next_position]
    gaps.sort(key=Examined.position)
    if len(gaps) > MOST_GAPS:
        gaps = gaps[:MOST_GAPS]
        next_position = gaps[-1].position()
    return gaps, next_position


def _wanted(tx: Tx, webhook: WebhookRow, found: list[Examined]) -> list[Examined]:
    """What the webhook's filter leaves out is no gap."""
    gaps = [event for event in found if event.is_gap]
    clauses = refusals(tx, webhook.event_filters, gaps)
    refused = {event.event_id for event, clause in zip(gaps, clauses, strict=True) if clause is not None}
    return [replace(event, is_gap=False) if event.event_id in refused else event for event in found]


def _walk(look: Callable[[Position], list[Examined]], after: Position) -> tuple[list[Examined], Position | None]:
    """Gaps from a position on, and where it stopped: after more than a page of them, or much that is none."""
    gaps: list[Examined] = []
    for _ in range(0, MOST_EXAMINED, EXAMINED_AT_ONCE):
        found = look(after)
        gaps += [event for event in found if event.is_gap]
        if not found or not found[-1].is_last:
            return gaps, None
        after = found[-1].position()
        if len(gaps) > MOST_GAPS:
            break
    return gaps, after
