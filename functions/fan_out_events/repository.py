"""SQL of the fan-out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.deliveries import SWEEP_AFTER_SECONDS, DeliveryRef
from penguinmails.domain.webhook_filters import compile_filter, view_of
from penguinmails.domain.webhook_matching import contact_of, tags_of
from penguinmails.domain.webhook_slots import Room
from penguinmails.events.outbox import HAS_ORDERED_WEBHOOK
from penguinmails.ids import new_uuid7, uuid_or_none


@dataclass(frozen=True, slots=True)
class _Match:
    webhook_id: UUID
    event_id: UUID
    event_type: str
    created_at: datetime
    is_active: bool
    event_filters: dict[str, Any] | None
    workspace_id: UUID | None
    data: Any
    """Read only where there is a filter."""
    order_key: str | None
    """The id of the contact or campaign, where the webhook has its events in order by that."""
    batch_wait_seconds: int


@dataclass(frozen=True, slots=True)
class EventRef:
    """Enough to find an event in its partition."""

    id: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """What a batch of events became."""

    deliveries: list[DeliveryRef]
    """Those that are new and go out now."""
    wake_ups: set[int]
    """Seconds until somebody has to look for deliveries that were parked to share a post."""
    in_line: set[UUID]
    """Webhooks whose deliveries were parked for want of a slot."""


def await_turn(tx: Tx) -> bool:
    """Whether the tenant has a webhook that gets its events in order; nobody else then fans out for it until this commits.

    Else whoever read the outbox later could number its events before those that were taken from there earlier.
    """
    found: bool | None = tx.one(
        """
        SELECT pg_advisory_xact_lock(hashtextextended(%(tenant_id)s::text || %(mode)s, 0)) IS NOT NULL
        WHERE """
        + HAS_ORDERED_WEBHOOK,
        {"tenant_id": tx.tenant_id, "mode": tx.mode},
    )
    return found is not None


def insert_deliveries(tx: Tx, events: Sequence[EventRef], traces: Mapping[UUID, str | None], room: Room) -> Stored:
    """One delivery per event and webhook that subscribed to its type.

    What is for a paused webhook is held until it is resumed. What waits for others to share a post is parked, and so is what
    there is no `room` for: a dispatcher would only put it in line. Each webhook's deliveries are numbered without a gap, in
    the order of the events. `traces` has the traceparents of events.
    """
    matches = tx.all(
        """
        SELECT w.id AS webhook_id, e.id AS event_id, e.type AS event_type, e.created_at, w.is_active,
               w.event_filters, e.workspace_id, CASE WHEN w.event_filters IS NOT NULL THEN e.data END AS data,
               CASE w.ordering WHEN 'contact' THEN e.data #>> '{contact,id}' WHEN 'campaign' THEN e.data ->> 'campaign_id' END
                 AS order_key,
               w.batch_wait_seconds
        FROM unnest(%(ids)s::uuid[], %(moments)s::timestamptz[]) AS asked (id, created_at)
        CROSS JOIN LATERAL (
          SELECT e.* FROM events e
          WHERE e.id = asked.id AND e.created_at BETWEEN asked.created_at AND asked.created_at
          ORDER BY e.created_at LIMIT 1
        ) e
        JOIN webhooks w ON w.tenant_id = e.tenant_id AND w.mode = e.mode
        WHERE w.deleted_at IS NULL AND e.type = ANY(w.event_types) AND e.subject_id IS DISTINCT FROM w.id
        """,
        {"ids": [event.id for event in events], "moments": [event.created_at for event in events]},
        _Match,
    )
    matches = _wanted(tx, matches)
    if not matches:
        return Stored([], set(), set())
    in_line = {match.webhook_id for match in matches if match.is_active and not room.has(match.webhook_id)}
    held_for = _paused(tx, {match.webhook_id for match in matches if not match.is_active})
    _lock_sequences(tx, {match.webhook_id for match in matches})
    deliveries = tx.all(
        """
        WITH new AS (
          SELECT asked.*, row_number() OVER (PARTITION BY asked.webhook_id ORDER BY asked.place) AS nth,
                 count(*) OVER (PARTITION BY asked.webhook_id) AS added
          FROM unnest(%(ids)s::uuid[], %(webhook_ids)s::uuid[], %(event_ids)s::uuid[], %(event_types)s::text[],
                      %(moments)s::timestamptz[], %(active)s::boolean[], %(order_keys)s::uuid[], %(waits)s::integer[],
                      %(traceparents)s::text[], %(parked)s::boolean[])
            WITH ORDINALITY AS asked (id, webhook_id, event_id, event_type, created_at, is_active, order_key, wait,
                                      traceparent, is_parked, place)
          LEFT JOIN LATERAL (
            SELECT d.id FROM webhook_deliveries d
            WHERE d.webhook_id = asked.webhook_id AND d.event_id = asked.event_id
              AND d.event_created_at BETWEEN asked.created_at AND asked.created_at AND d.replay_id IS NULL
            ORDER BY d.event_created_at LIMIT 1
          ) known ON true
          WHERE known.id IS NULL
        ), numbered AS (
          -- By key, as joins of what is made here could be planned as walks through all of it for each. None is inserted.
          INSERT INTO webhook_sequences AS s (tenant_id, mode, webhook_id, last_number)
          SELECT %(tenant_id)s, %(mode)s, webhook_id, count(*) FROM new GROUP BY webhook_id
          ON CONFLICT (webhook_id) DO UPDATE SET last_number = s.last_number + excluded.last_number
          RETURNING s.webhook_id, s.last_number
        ), numbers AS (
          SELECT jsonb_object_agg(webhook_id, last_number) AS last FROM numbered
        ), stored AS (
          INSERT INTO webhook_deliveries (id, tenant_id, mode, webhook_id, event_id, event_type, event_created_at, status,
                                          next_sweep_at, parked_at, sequence, order_key, traceparent)
          SELECT new.id, %(tenant_id)s, %(mode)s, new.webhook_id, new.event_id, new.event_type, new.created_at,
                 CASE WHEN new.is_active THEN 'queued' ELSE 'held' END,
                 CASE WHEN new.is_active AND NOT new.is_parked
                      THEN clock_timestamp() + make_interval(secs => %(sweep_after)s) END,
                 CASE WHEN new.is_active AND new.is_parked
                      THEN clock_timestamp() + make_interval(secs => new.wait) END,
                 (numbers.last ->> new.webhook_id::text)::bigint - new.added + new.nth, new.order_key, new.traceparent
          FROM numbers CROSS JOIN new
          RETURNING id, event_created_at, status, parked_at
        )
        SELECT id, event_created_at FROM stored WHERE status = 'queued' AND parked_at IS NULL
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "sweep_after": SWEEP_AFTER_SECONDS,
            "ids": [new_uuid7() for _ in matches],
            "webhook_ids": [match.webhook_id for match in matches],
            "event_ids": [match.event_id for match in matches],
            "event_types": [match.event_type for match in matches],
            "moments": [match.created_at for match in matches],
            "active": [match.webhook_id not in held_for for match in matches],
            # What an event's data say may have been blanked since.
            "order_keys": [uuid_or_none(match.order_key) for match in matches],
            "waits": [match.batch_wait_seconds for match in matches],
            "traceparents": [traces.get(match.event_id) for match in matches],
            "parked": [match.batch_wait_seconds > 0 or match.webhook_id in in_line for match in matches],
        },
        DeliveryRef,
    )
    gathering = {match.webhook_id: match.batch_wait_seconds for match in matches if match.batch_wait_seconds}
    return Stored(deliveries, _wake_ups(tx, gathering), in_line)


def _wake_ups(tx: Tx, gathering: dict[UUID, int]) -> set[int]:
    """When batches are to be looked for: at the end of their wait, and now where one is full."""
    if not gathering:
        return set()
    is_full = tx.one(
        """
        SELECT EXISTS (
          SELECT 1 FROM webhooks w
          CROSS JOIN LATERAL (
            SELECT d.id FROM webhook_deliveries d
            WHERE d.tenant_id = w.tenant_id AND d.mode = w.mode AND d.webhook_id = w.id AND d.parked_at IS NOT NULL
            ORDER BY d.parked_at OFFSET w.batch_size - 1 LIMIT 1
          ) last
          WHERE w.id = ANY(%(ids)s))
        """,
        {"ids": list(gathering)},
    )
    return {*gathering.values(), *({0} if is_full else ())}


def _lock_sequences(tx: Tx, webhook_ids: set[UUID]) -> None:
    """Have the webhooks' numbers until the end of the transaction, and see all deliveries that have one.

    In a statement of its own: what others stored while this one waited is seen by the next alone.
    """
    tx.run(
        """
        SELECT s.webhook_id FROM unnest(%(ids)s::uuid[]) AS asked (id)
        CROSS JOIN LATERAL (SELECT * FROM webhook_sequences s WHERE s.webhook_id = asked.id LIMIT 1 FOR UPDATE) s
        """,
        # In one order for all workers, or two of them could wait for each other.
        {"ids": sorted(webhook_ids)},
    )


def _wanted(tx: Tx, matches: Sequence[_Match]) -> list[_Match]:
    """Those whose webhook's filter takes the event."""
    filters = {id(match): compile_filter(match.event_filters) for match in matches if match.event_filters}
    contacts = {contact_of(match.data) for match in matches if id(match) in filters and filters[id(match)].needs_tags}
    tags = tags_of(tx, contacts)
    return [
        match
        for match in matches
        if id(match) not in filters
        or filters[id(match)].matches(
            view_of(match.event_type, match.workspace_id, match.data, tags.get(contact_of(match.data), ()))
        )
    ]


def _paused(tx: Tx, webhook_ids: set[UUID]) -> set[UUID]:
    """Those that are still paused, and stay so until these deliveries are stored: else a resumption would miss them."""
    if not webhook_ids:
        return set()
    found = tx.all(
        "SELECT id FROM webhooks WHERE id = ANY(%(ids)s) AND NOT is_active ORDER BY id FOR SHARE",
        {"ids": list(webhook_ids)},
    )
    return set(found)
