"""Sends stored events again: a replay goes through its events a piece at a time, no faster than it was asked to."""

from collections import defaultdict
from math import ceil
from uuid import UUID

from fan_out_events import replay_repository
from fan_out_events.replay_repository import ReplayRow
from penguinmails.db import Mode, Tx, transaction
from penguinmails.domain.deliveries import DeliveryRef, messages
from penguinmails.domain.webhook_replays import events_after, matching
from penguinmails.events.outbox import send_after_commit

PIECE_SECONDS = 30
"""How much of a replay is under way at once: what a cancellation comes too late for."""
_EXAMINED_AT_ONCE = 2_000
_PAUSED_SECONDS = 60


def go_on(tenant_id: UUID, mode: Mode, replay_id: UUID) -> None:
    """Make the deliveries of the next seconds, and come back when they are over. A message that comes twice changes nothing."""
    with transaction(tenant_id=tenant_id, mode=mode) as tx:
        replay = replay_repository.take_turn(tx, replay_id)
        if replay is not None:
            seconds = _next_piece(tx, replay) if replay.is_active else _PAUSED_SECONDS
            if seconds is not None:
                replay_repository.come_back_in(tx, replay_id, seconds)
                send_after_commit(tx, "events", [{"replay_id": str(replay_id)}], delays=[seconds])


def _next_piece(tx: Tx, replay: ReplayRow) -> int | None:
    """How many seconds this piece takes; None when there was nothing left and the replay has ended."""
    wanted, pace = replay.selection(), replay.per_second
    most = min(_EXAMINED_AT_ONCE, pace * PIECE_SECONDS)
    found = events_after(tx, wanted, replay.position(), most)
    matches = matching(tx, wanted, found)
    seconds = [place // pace for place in range(len(matches))]
    made = replay_repository.insert_deliveries(tx, replay, matches, seconds)
    if found:
        replay_repository.move_on(tx, replay.id, found[-1], done=len(made))
    by_second: dict[int, list[DeliveryRef]] = defaultdict(list)
    for delivery in made:
        by_second[delivery.in_seconds].append(DeliveryRef(delivery.id, delivery.event_created_at))
    sent = [(message, second) for second, due in by_second.items() for message in messages(due)]
    send_after_commit(tx, "deliveries", [message for message, _ in sent], delays=[second for _, second in sent])
    if not matches and len(found) < most:
        replay_repository.complete(tx, replay.id)
        return None
    return ceil(len(matches) / pace)
