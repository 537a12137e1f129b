"""The rules of replays: what may be sent again, how much at once, and when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx, UniqueViolation
from penguinmails.domain.webhook_filters import compile_filter
from penguinmails.domain.webhook_replays import LONGEST_DAYS, MOST_EVENTS, Selection, events_after, matching
from penguinmails.errors import InvalidStateTransition, InvalidTimeRange, NotFound, ValidationFailed
from penguinmails.events.outbox import send_after_commit
from penguinmails.ids import new_uuid4
from webhooks import replay_repository
from webhooks.replay_repository import ReplayRow
from webhooks.repository import WebhookRow

_COUNTED_AT_ONCE = 5_000


def selection(
    webhook: WebhookRow,
    *,
    start: datetime,
    end: datetime,
    event_types: Sequence[str] | None,
    event_filters: dict[str, Any] | None,
    only_undelivered: bool,
) -> Selection:
    """What a request selects. Raises InvalidTimeRange, and ValidationFailed for types and filters that cannot be."""
    # What happens from now on goes its first way.
    end = min(end, clock.now())
    if not start < end:
        raise InvalidTimeRange.of("to", "must be later than from, and from must be in the past")
    if end - start > timedelta(days=LONGEST_DAYS):
        raise InvalidTimeRange.of("to", f"must be at most {LONGEST_DAYS} days after from; ask for several replays")
    strangers = sorted(set(event_types or ()) - set(webhook.event_types))
    if strangers:
        raise ValidationFailed.of(
            "event_types", f"the webhook does not subscribe to {', '.join(strangers)}; add it there first"
        )
    filters = webhook.event_filters if event_filters is None else event_filters
    if filters:
        compile_filter(filters)
    return Selection(
        webhook_id=webhook.id,
        start=start,
        end=end,
        event_types=event_types or webhook.event_types,
        event_filters=filters or None,
        only_undelivered=only_undelivered,
    )


def count(tx: Tx, wanted: Selection) -> int:
    """How many events are selected. Raises InvalidTimeRange when there are too many to go through."""
    examined = replay_repository.count_events(tx, wanted.event_types, wanted.start, wanted.end, MOST_EVENTS + 1)
    if examined > MOST_EVENTS:
        raise InvalidTimeRange.of(
            "to", f"more than {MOST_EVENTS:,} events of these types lie between; ask for a shorter span or fewer types"
        )
    if not wanted.event_filters and not wanted.only_undelivered:
        return examined
    total, position = 0, None
    while found := events_after(tx, wanted, position, _COUNTED_AT_ONCE):
        total += len(matching(tx, wanted, found))
        position = (found[-1].created_at, found[-1].id)
    return total


def begin(tx: Tx, webhook: WebhookRow, wanted: Selection, *, per_second: int, created_by: UUID) -> ReplayRow:
    """Have the selected events sent again. Raises InvalidStateTransition for a paused webhook, or while another replay runs."""
    if not webhook.is_active:
        raise InvalidStateTransition("The webhook is paused. Resume it, then replay.")
    replay_id = new_uuid4()
    try:
        with tx.savepoint():
            replay_repository.insert_replay(
                tx,
                replay_id,
                webhook.id,
                {
                    "from_at": wanted.start,
                    "to_at": wanted.end,
                    "event_types": list(wanted.event_types),
                    "event_filters": wanted.event_filters,
                    "only_undelivered": wanted.only_undelivered,
                    "per_second": per_second,
                    "total": count(tx, wanted),
                    "created_by": created_by,
                },
            )
    except UniqueViolation:
        raise InvalidStateTransition(
            "Another replay of this webhook is running. Wait until it has ended, or cancel it."
        ) from None
    send_after_commit(tx, "events", [{"replay_id": str(replay_id)}])
    return existing(tx, webhook.id, replay_id)


def cancel(tx: Tx, webhook_id: UUID, replay_id: UUID) -> ReplayRow:
    """End a replay. Raises NotFound, and InvalidStateTransition when it has ended already."""
    row = existing(tx, webhook_id, replay_id)
    if not replay_repository.cancel_replay(tx, replay_id):
        raise InvalidStateTransition(f"The replay is {row.status}; only one that runs can be cancelled.")
    return existing(tx, webhook_id, replay_id)


def existing(tx: Tx, webhook_id: UUID, replay_id: UUID) -> ReplayRow:
    """A replay of the webhook, or NotFound."""
    row = replay_repository.find_replay(tx, webhook_id, replay_id)
    if row is None:
        raise NotFound.of("replay", replay_id)
    return row
