"""The transactional outbox: a message is stored with the change that causes it, and handed to its queue after commit.

What cannot be handed over at once stays in the table; `sweep_outbox` sends it again after 30 seconds. So nothing that
was answered 2xx is lost, and a message may arrive more than once: consumers are idempotent.

Single events are announced: while a message about a tenant's events is on its way, further ones send none. Whoever gets it
takes all that wait from the table, so the queue's speed does not limit how many events there may be. So are the events of
bulk changes where a webhook wants its events in order, which the queue does not keep; others are sent by the hundred, for
several workers at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, LiteralString
from uuid import UUID

from penguinmails.aws import Message, send_messages
from penguinmails.cache import CacheUnavailable, command
from penguinmails.db import Mode, Tx, jsonb, transaction
from penguinmails.ids import new_uuid7
from penguinmails.logging import count, logger
from penguinmails.settings import get_settings
from penguinmails.tracing import carried

Queue = Literal["events", "deliveries", "emails", "campaign_emails", "platform_mail", "imports", "exports"]
HAS_ORDERED_WEBHOOK: LiteralString = "EXISTS (SELECT 1 FROM webhooks WHERE ordering <> 'none' AND deleted_at IS NULL)"
"""Whether the tenant's events have to be fanned out in their order."""
_PUBLISH_SECONDS = 0.2
_ANNOUNCED_MS = 1_000
"""How long an announcement is trusted to be on its way; a backlog of the queue costs one message per second and tenant."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One stored message."""

    id: UUID
    tenant_id: UUID
    mode: Mode
    queue: Queue
    payload: dict[str, Any]


def enqueue(tx: Tx, queue: Queue, payload: dict[str, Any]) -> None:
    """Store a message for a queue; it is sent once the transaction commits. References only, never a secret."""
    enqueue_many(tx, queue, [payload])


def enqueue_many(tx: Tx, queue: Queue, payloads: Sequence[dict[str, Any]]) -> None:
    """`enqueue` for many messages, by one statement."""
    rows = [row_of(tx, queue, payload) for payload in payloads]
    tx.run(
        """
        INSERT INTO outbox (id, tenant_id, mode, queue, payload)
        SELECT new.id, %(tenant_id)s, %(mode)s, %(queue)s, new.payload
        FROM unnest(%(ids)s::uuid[], %(payloads)s::jsonb[]) AS new (id, payload)
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "queue": queue,
            "ids": [row.id for row in rows],
            "payloads": [jsonb(row.payload) for row in rows],
        },
    )
    publish_after_commit(tx, rows)


def row_of(tx: Tx, queue: Queue, payload: dict[str, Any]) -> OutboxRow:
    """A message of the transaction's tenant that is to be stored, with the trace that it belongs to."""
    if tx.tenant_id is None or tx.mode is None:
        raise RuntimeError("a message belongs to a tenant and a mode; open the transaction with both")
    return OutboxRow(new_uuid7(), tx.tenant_id, tx.mode, queue, {**payload, **carried()})


def publish_after_commit(tx: Tx, rows: Sequence[OutboxRow]) -> None:
    """Send messages that the transaction has stored once it commits."""
    if not tx.stored_messages:
        tx.after_commit(lambda: _publish_at_once(tx))
    tx.stored_messages += rows


def publish(rows: Sequence[OutboxRow], *, timeout_seconds: float, attempts: int) -> list[OutboxRow]:
    """Hand rows to their queues; those that were taken. Raises nothing: what is not taken stays in the table."""
    taken: list[OutboxRow] = []
    queues: set[Queue] = {row.queue for row in rows}
    for queue in queues:
        batch = [row for row in rows if row.queue == queue]
        messages = [
            Message({"tenant_id": row.tenant_id, "mode": row.mode, **row.payload}, row.tenant_id) for row in batch
        ]
        try:
            refused = set(send_messages(queue_url(queue), messages, timeout_seconds=timeout_seconds, attempts=attempts))
        except Exception as error:  # any failure means the same: the sweep sends it later
            count("outbox_publish_failed_total", queue=queue)
            logger.warning(
                "queue not reached, the sweep will send",
                extra={"queue": queue, "error": type(error).__name__},
            )
            continue
        taken += [row for position, row in enumerate(batch) if position not in refused]
    return taken


def forget(tx: Tx, rows: Sequence[OutboxRow]) -> None:
    """Remove messages that their queue has taken."""
    tx.run("DELETE FROM outbox WHERE id = ANY(%(ids)s)", {"ids": [row.id for row in rows]})


def send_after_commit(
    tx: Tx,
    queue: Queue,
    payloads: Sequence[dict[str, Any]],
    *,
    delay_seconds: int = 0,
    delays: Sequence[int] | None = None,
    patience_seconds: float = _PUBLISH_SECONDS,
) -> None:
    """Send messages about rows that are their own outbox: a lost one is made good by the sweep of `next_sweep_at`.

    Each is delayed by `delay_seconds`, or by its own of `delays`. A request of a customer has little patience.
    """
    tenant_id, mode = tx.tenant_id, tx.mode
    if tenant_id is None or mode is None:
        raise RuntimeError("a message belongs to a tenant and a mode; open the transaction with both")
    found = [
        Message({"tenant_id": tenant_id, "mode": mode, **payload, **carried()}, tenant_id, delay)
        for payload, delay in zip(payloads, delays or [delay_seconds] * len(payloads), strict=True)
    ]
    if found:
        tx.after_commit(lambda: _send(queue, found, patience_seconds))


def send(
    tenant_id: UUID, mode: Mode, queue: Queue, payload: dict[str, Any], *, delay_seconds: int, patience_seconds: float
) -> None:
    """Send such a message now, after the commit. What the queue does not take is the sweep's."""
    message = Message({"tenant_id": tenant_id, "mode": mode, **payload}, tenant_id, delay_seconds)
    _send(queue, [message], patience_seconds)


def _send(queue: Queue, messages: Sequence[Message], patience_seconds: float) -> None:
    try:
        send_messages(queue_url(queue), messages, timeout_seconds=patience_seconds, attempts=1)
    except Exception as error:  # any failure means the same: the sweep sends it later
        count("outbox_publish_failed_total", queue=queue)
        logger.warning("queue not reached, the sweep will send", extra={"queue": queue, "error": type(error).__name__})


def queue_url(queue: Queue) -> str:
    """Where a queue listens."""
    settings = get_settings()
    return {
        "events": settings.events_queue_url,
        "deliveries": settings.deliveries_queue_url,
        "emails": settings.emails_queue_url,
        "campaign_emails": settings.campaign_emails_queue_url,
        "platform_mail": settings.platform_mail_queue_url,
        "imports": settings.imports_queue_url,
        "exports": settings.exports_queue_url,
    }[queue]


def take_events(tx: Tx, most: int) -> list[dict[str, Any]]:
    """The tenant's announced events that wait, oldest first; they are gone from the outbox when the transaction commits.

    So many, or some more where the last of them are those of a bulk change.
    """
    return tx.all(
        """
        DELETE FROM outbox o USING (
          SELECT id, sum(events) OVER (ORDER BY created_at, id ROWS UNBOUNDED PRECEDING) - events AS before
          FROM (
            SELECT id, created_at, coalesce(jsonb_array_length(payload -> 'event_ids'), 1) AS events FROM outbox
            WHERE queue = 'events' AND (payload ? 'event_id' OR payload ? 'in_order')
            ORDER BY created_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
          ) oldest
        ) waiting
        WHERE o.id = waiting.id AND waiting.before < %(most)s
        RETURNING o.payload
        """,
        {"most": most},
    )


def _is_announced(message: OutboxRow) -> bool:
    """Whether the fan-out takes a message from the table, so that what is sent says only that there is something."""
    return message.queue == "events" and not message.payload.keys().isdisjoint({"event_id", "in_order"})


def end_announcement(tenant_id: UUID, mode: Mode) -> None:
    """From now on an event sends a message again. To be called before the outbox is read, or an event could be missed."""
    try:
        if get_settings().redis_url:
            command("DEL", _announcement(tenant_id, mode))
    except CacheUnavailable:
        count("event_announcements_unavailable_total")


def _announcement(tenant_id: UUID, mode: Mode) -> str:
    return f"events_announced:{{{tenant_id}:{mode}}}"


def _is_to_be_announced(tenant_id: UUID, mode: Mode) -> bool:
    """Whether no message about this tenant's events is on its way; when that cannot be told, one too many is sent."""
    if not get_settings().redis_url:
        return True
    try:
        return command("SET", _announcement(tenant_id, mode), 1, "NX", "PX", _ANNOUNCED_MS) is not None
    except CacheUnavailable:
        return True


def _announce(event: OutboxRow) -> None:
    """One message for all events of the tenant that wait; their rows stay for the fan-out to take."""
    if not _is_to_be_announced(event.tenant_id, event.mode):
        return
    if not publish([event], timeout_seconds=_PUBLISH_SECONDS, attempts=1):
        end_announcement(event.tenant_id, event.mode)


def _publish_at_once(tx: Tx) -> None:
    stored: list[OutboxRow] = tx.stored_messages
    events = [row for row in stored if _is_announced(row)]
    if events:
        _announce(events[0])
    others = [row for row in stored if row not in events]
    taken = publish(others, timeout_seconds=_PUBLISH_SECONDS, attempts=1) if others else []
    if not taken:
        return
    try:
        with transaction(tenant_id=tx.tenant_id, mode=tx.mode, lane=tx.lane) as cleanup:
            forget(cleanup, taken)
    except Exception:  # a row that stays is sent twice, which consumers are built for
        logger.warning("published messages not removed from the outbox", exc_info=True)
