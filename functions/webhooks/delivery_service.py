"""The rules of trying again and of pausing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.db import Tx
from penguinmails.domain.deliveries import messages, wake_up
from penguinmails.domain.held_deliveries import let_go
from penguinmails.errors import InvalidStateTransition, NotFound, ValidationFailed
from penguinmails.events.catalogue import EVENT_TYPES, WebhookPaused, WebhookResumed
from penguinmails.events.emit import emit
from penguinmails.events.outbox import send_after_commit
from webhooks import delivery_repository, repository, service
from webhooks.delivery_repository import DeliveryRow
from webhooks.repository import WebhookRow

MOST_RETRIED = 1_000


def existing_delivery(tx: Tx, webhook_id: UUID, delivery_id: UUID) -> DeliveryRow:
    """A delivery of the webhook, or NotFound."""
    row = delivery_repository.find_delivery(tx, webhook_id, delivery_id)
    if row is None:
        raise NotFound.of("delivery", delivery_id)
    return row


def visible_data(tx: Tx, delivery: DeliveryRow, scopes: frozenset[Scope]) -> Any:
    """What the event says, for who may read such data: the log shows no more than its reader could fetch."""
    kind = EVENT_TYPES.get(delivery.event_type)
    return delivery_repository.payload_of(tx, delivery) if kind is not None and kind.scope in scopes else None


def retry_one(tx: Tx, webhook_id: UUID, delivery_id: UUID) -> None:
    """Try one failed delivery again. Raises InvalidStateTransition when it has not failed."""
    found = delivery_repository.retry_failed(tx, webhook_id, delivery_id, 1)
    if not found:
        row = existing_delivery(tx, webhook_id, delivery_id)
        if row.is_test:
            raise InvalidStateTransition("The delivery was a test post, which is made once. Post another test instead.")
        if row.status == "failed":
            raise InvalidStateTransition("The event is older than events are kept, so there is nothing left to post.")
        raise InvalidStateTransition(f"The delivery is {row.status}; only failed ones are tried again by hand.")
    send_after_commit(tx, "deliveries", messages(found))


def retry_all(tx: Tx, webhook_id: UUID) -> tuple[int, bool]:
    """Try failed deliveries again, the oldest first; how many, and whether some are left."""
    found = delivery_repository.retry_failed(tx, webhook_id, None, MOST_RETRIED)
    send_after_commit(tx, "deliveries", messages(found))
    return len(found), len(found) == MOST_RETRIED


def pause(tx: Tx, webhook_id: UUID, paused_by: UUID) -> tuple[WebhookRow, bool]:
    """Hold events from now on; whether that is new. Pausing one that rests changes nothing, not even why it does."""
    before = service.existing(tx, webhook_id, lock=True)
    if not before.is_active:
        return before, False
    repository.pause_webhook(tx, webhook_id)
    emit(tx, WebhookPaused(webhook_id=webhook_id, name=before.name, reason="user", paused_by=paused_by))
    # Whoever takes it holds what is in line.
    send_after_commit(tx, "deliveries", [wake_up()])
    return service.existing(tx, webhook_id), True


def resume(
    tx: Tx, webhook_id: UUID, *, drop: bool, since: datetime | None, resumed_by: UUID
) -> tuple[WebhookRow, dict[str, int]]:
    """Post again; how many of the deliveries that wait go out, and how many were given up, of the first piece of them.

    Of one that is active only what waits is decided about: how its endpoint does is known from posts alone.
    """
    now = clock.now()
    _check_since(since, now, drop=drop)
    before = service.existing(tx, webhook_id, lock=True)
    if not before.is_active:
        repository.resume_webhook(tx, webhook_id)
        emit(tx, WebhookResumed(webhook_id=webhook_id, name=before.name, resumed_by=resumed_by))
    held = let_go(tx, webhook_id, dropped_before=now if drop else since)
    return service.existing(tx, webhook_id), {"released": held.released, "dropped": held.dropped}


def _check_since(since: datetime | None, now: datetime, *, drop: bool) -> None:
    """What is given up cannot be had back, so nothing is guessed."""
    if since is None:
        return
    if drop:
        raise ValidationFailed.of(
            "since",
            'says from when on to deliver, and "drop" delivers nothing. Send {"since": "..."} alone to give up what is older '
            'and deliver the rest, or {"backlog": "drop"} alone to give up all',
        )
    if since > now:
        raise ValidationFailed.of(
            "since", 'lies in the future, so all would be given up. To do so, send {"backlog": "drop"}'
        )


def switch(tx: Tx, webhook_id: UUID, *, is_active: bool, by: UUID) -> tuple[WebhookRow, dict[str, int]]:
    """Pause, or resume with all that waits, of which there are so many."""
    if not is_active:
        return pause(tx, webhook_id, by)[0], {}
    return resume(tx, webhook_id, drop=False, since=None, resumed_by=by)
