"""Fans events out to their subscribers."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fan_out_events import replays, repository
from fan_out_events.repository import EventRef
from penguinmails.db import Mode, transaction
from penguinmails.domain import held_deliveries, webhook_statistics
from penguinmails.domain.deliveries import messages, wake_up
from penguinmails.domain.webhook_slots import LOOK_AGAIN_SECONDS, is_to_be_looked_after, room_for_newcomer
from penguinmails.events.outbox import end_announcement, send, send_after_commit, take_events
from penguinmails.queue import PoisonMessage, Record
from penguinmails.tracing import FIELD, Span, begin
from penguinmails.tracing import record as record_span

_MOST_TAKEN = 500
_PATIENCE_SECONDS = 5
"""With the queue; nobody waits for an answer here."""


def handle(records: Sequence[Record]) -> list[Exception | None]:
    """Store the deliveries of a batch's events, one transaction per tenant, and hand them to the dispatcher.

    Subscriptions are read from PostgreSQL each time: a webhook that was answered 201 misses nothing. A message that
    comes twice makes no second delivery.
    """
    outcomes: list[Exception | None] = [None] * len(records)
    positions: dict[tuple[UUID, Mode], list[int]] = defaultdict(list)
    events: dict[tuple[UUID, Mode], set[EventRef]] = defaultdict(set)
    spans: dict[tuple[UUID, Mode], dict[Any, Span]] = defaultdict(dict)
    traces: dict[UUID, str | None] = {}
    for position, record in enumerate(records):
        if _PIECEWISE.keys() & record.body.keys():
            outcomes[position] = _go_on(record)
            continue
        try:
            found = _events(record.body)
        except (KeyError, TypeError, ValueError) as error:
            outcomes[position] = PoisonMessage(f"not a message of ours: {type(error).__name__}")
            continue
        tenant = (record.tenant_id, record.mode)
        positions[tenant].append(position)
        events[tenant].update(found)
        # What is done for several requests at once is part of the trace of each.
        carried = record.body.get(FIELD)
        span = spans[tenant].setdefault(carried, begin("fan_out_events", "consumer", traceparent=carried))
        traces.update((event.id, span.traceparent) for event in found)
    for tenant, found in events.items():
        failure: Exception | None = None
        try:
            _fan_out(*tenant, list(found), traces)
        except Exception as error:  # a tenant's records are reported alone, whatever went wrong with them
            failure = error
            for position in positions[tenant]:
                outcomes[position] = error
        for span in spans[tenant].values():
            record_span(span, failed=failure is not None, tenant_id=str(tenant[0]))
    return outcomes


def _let_go(tenant_id: UUID, mode: Mode, webhook_id: UUID) -> None:
    with transaction(tenant_id=tenant_id, mode=mode) as tx:
        held_deliveries.next_piece(tx, webhook_id)


_PIECEWISE = {"replay_id": replays.go_on, "held_of_webhook_id": _let_go}
"""What makes deliveries a piece at a time, by what its messages name."""


def _go_on(record: Record) -> Exception | None:
    try:
        for name in _PIECEWISE.keys() & record.body.keys():
            _PIECEWISE[name](record.tenant_id, record.mode, UUID(record.body[name]))
    except (TypeError, ValueError, AttributeError) as error:
        return PoisonMessage(f"not a message of ours: {type(error).__name__}")
    except Exception as error:  # the other messages of the batch are none of its business
        return error
    return None


def _events(body: dict[str, Any]) -> list[EventRef]:
    """The events of a message: one, or those of one bulk change."""
    created_at = datetime.fromisoformat(body["created_at"])
    event_ids = body["event_ids"] if "event_ids" in body else [body["event_id"]]
    return [EventRef(UUID(event_id), created_at) for event_id in event_ids]


def _fan_out(tenant_id: UUID, mode: Mode, named: Sequence[EventRef], traces: Mapping[UUID, str | None]) -> None:
    """What messages name, and all else that waits in the outbox; `traces` has the traceparents of the named ones."""
    end_announcement(tenant_id, mode)
    while True:
        with transaction(tenant_id=tenant_id, mode=mode) as tx:
            in_order = repository.await_turn(tx)
            waiting = take_events(tx, _MOST_TAKEN)
            of_waiting = {event: payload.get(FIELD) for payload in waiting for event in _events(payload)}
            is_last = len(of_waiting) < _MOST_TAKEN
            # What a message names may be newer than what is left of those that wait.
            events = {*of_waiting, *(named if is_last or not in_order else ())}
            stored = repository.insert_deliveries(
                tx,
                sorted(events, key=lambda event: (event.created_at, event.id)),
                {**{event.id: traceparent for event, traceparent in of_waiting.items()}, **traces},
                room_for_newcomer(tenant_id, mode),
            )
            found = [(message, 0) for message in messages(stored.deliveries)]
            found += [(wake_up(), seconds) for seconds in sorted(stored.wake_ups)]
            send_after_commit(
                tx,
                "deliveries",
                [message for message, _ in found],
                delays=[seconds for _, seconds in found],
                patience_seconds=_PATIENCE_SECONDS,
            )
        if stored.in_line:
            _wake(tenant_id, mode, stored.in_line)
        if webhook_statistics.is_due(len(stored.deliveries)):
            with transaction(tenant_id=tenant_id, mode=mode) as tx:
                webhook_statistics.refresh(tx)
        if is_last:
            return
        if not in_order:
            named = ()


def _wake(tenant_id: UUID, mode: Mode, webhook_ids: Collection[UUID]) -> None:
    """Have somebody look for what was put in line, where slots have become free meanwhile.

    Where they have not, whoever holds them looks when one frees; unless it is killed, so a later look is seen to as well.
    """
    room = room_for_newcomer(tenant_id, mode)
    delay = 0 if any(map(room.has, webhook_ids)) else LOOK_AGAIN_SECONDS
    if not delay or is_to_be_looked_after(tenant_id, mode):
        send(tenant_id, mode, "deliveries", wake_up(), delay_seconds=delay, patience_seconds=_PATIENCE_SECONDS)
