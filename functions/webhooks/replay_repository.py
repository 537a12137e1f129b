"""SQL of replays as they are asked for and shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "p.created_at"}
KINDS = {"created_at": "time"}

_SELECT: LiteralString = """
SELECT p.id, p.webhook_id, p.status, p.from_at AS start, p.to_at AS "end", p.event_types, p.only_undelivered, p.per_second,
       p.total, p.done, made.delivered, made.failed, made.pending, p.created_at, p.finished_at
FROM webhook_replays p
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE d.status = 'success') AS delivered,
         count(*) FILTER (WHERE d.status IN ('failed', 'dropped')) AS failed,
         count(*) FILTER (WHERE d.status NOT IN ('success', 'failed', 'dropped')) AS pending
  FROM webhook_deliveries d WHERE d.tenant_id = p.tenant_id AND d.mode = p.mode AND d.replay_id = p.id
) made"""


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """One replay, and what became of its deliveries."""

    id: UUID
    webhook_id: UUID
    status: str
    start: datetime
    end: datetime
    event_types: list[str]
    only_undelivered: bool
    per_second: int
    total: int
    done: int
    delivered: int
    failed: int
    pending: int
    created_at: datetime
    finished_at: datetime | None


def list_replays(tx: Tx, webhook_id: UUID, keyset: Keyset) -> tuple[list[ReplayRow], int | None]:
    """A page of a webhook's replays."""
    where = Conditions()
    where.add("p.webhook_id = %(webhook_id)s", webhook_id=webhook_id)
    return select_page(
        tx, _SELECT, where, keyset, COLUMNS, ReplayRow, id_column="p.id", count_from=" FROM webhook_replays p"
    )


def find_replay(tx: Tx, webhook_id: UUID, replay_id: UUID) -> ReplayRow | None:
    """One replay of a webhook."""
    return tx.one(
        _SELECT + " WHERE p.webhook_id = %(webhook_id)s AND p.id = %(id)s",
        {"webhook_id": webhook_id, "id": replay_id},
        ReplayRow,
    )


def insert_replay(tx: Tx, replay_id: UUID, webhook_id: UUID, values: Mapping[str, Any]) -> None:
    """Add a replay that begins now; raises UniqueViolation while another one of the webhook runs."""
    tx.run(
        """
        INSERT INTO webhook_replays (id, tenant_id, mode, webhook_id, from_at, to_at, event_types, event_filters,
                                     only_undelivered, per_second, total, next_run_at, created_by)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(webhook_id)s, %(from_at)s, %(to_at)s, %(event_types)s, %(event_filters)s,
                %(only_undelivered)s, %(per_second)s, %(total)s, clock_timestamp(), %(created_by)s)
        """,
        {
            **values,
            "id": replay_id,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "webhook_id": webhook_id,
            "event_filters": jsonb(values["event_filters"]) if values["event_filters"] else None,
        },
    )


def cancel_replay(tx: Tx, replay_id: UUID) -> bool:
    """End a replay that runs, and give up those of its deliveries that were not posted yet; whether it ran."""
    ended = tx.run(
        """
        UPDATE webhook_replays SET status = 'cancelled', next_run_at = NULL, finished_at = clock_timestamp()
        WHERE id = %(id)s AND status = 'running'
        """,
        {"id": replay_id},
    )
    if ended:
        tx.run(
            """
            UPDATE webhook_deliveries
            SET status = 'dropped', finished_at = clock_timestamp(), next_sweep_at = NULL, parked_at = NULL
            WHERE replay_id = %(id)s AND status IN ('queued', 'held') AND attempts = 0
            """,
            {"id": replay_id},
        )
    return bool(ended)


def end_replays(tx: Tx, webhook_id: UUID) -> None:
    """End what runs for a webhook that is deleted."""
    tx.run(
        """
        UPDATE webhook_replays SET status = 'cancelled', next_run_at = NULL, finished_at = clock_timestamp()
        WHERE webhook_id = %(webhook_id)s AND status = 'running'
        """,
        {"webhook_id": webhook_id},
    )


def count_events(tx: Tx, event_types: Sequence[str], start: datetime, end: datetime, most: int) -> int:
    """Stored events of these types in a span of time, counted up to `most`."""
    return tx.one(
        """
        SELECT count(*) FROM (
          SELECT FROM events
          WHERE type = ANY(%(event_types)s) AND created_at >= %(start)s AND created_at < %(end)s LIMIT %(most)s
        ) found
        """,
        {"event_types": list(event_types), "start": start, "end": end, "most": most},
    )
