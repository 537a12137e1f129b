"""Taking an import back: contacts that it made go, those that it changed or put on its list become what they were."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from import_contacts.repository import Job
from penguinmails.db import Tx
from penguinmails.domain.contact_fields import declared_fields, store_field_values
from penguinmails.domain.contacts import erase_from_events

ROWS_PER_SLICE = 5_000


@dataclass(frozen=True, slots=True)
class _Part:
    upto: int | None
    rows: int


def undo_slice(tx: Tx, job: Job) -> bool:
    """Undo the next rows of an import; False when it was the last. What was changed since by others is kept as it is."""
    part = tx.one(
        """
        SELECT max(line) AS upto, count(*) FILTER (WHERE type <> 'listed') AS rows FROM (
          SELECT line, type FROM import_events WHERE job_id = %(job)s AND line > %(after)s ORDER BY line LIMIT %(rows)s) next_rows
        """,
        {"job": job.id, "after": job.done_line, "rows": ROWS_PER_SLICE},
        _Part,
    )
    if part is None or part.upto is None:
        _finish(tx, job.id)
        return False
    params: dict[str, Any] = {"job": job.id, "after": job.done_line, "upto": part.upto}
    if job.options.get("list_id"):
        _take_off_list(tx, {**params, "list_id": job.options["list_id"]})
    _take_tags_off(tx, params)
    undone = _restore(tx, params) + _remove(tx, params)
    tx.run(
        """
        UPDATE import_jobs SET done_line = %(upto)s, rolled_back_count = rolled_back_count + %(undone)s,
                               kept_count = kept_count + %(kept)s
        WHERE id = %(job)s
        """,
        {**params, "undone": undone, "kept": part.rows - undone},
    )
    return True


def _take_off_list(tx: Tx, params: dict[str, Any]) -> None:
    tx.run(
        """
        DELETE FROM contact_lists l USING import_events e
        WHERE e.job_id = %(job)s AND e.line > %(after)s AND e.line <= %(upto)s AND e.is_listed
          AND l.list_id = %(list_id)s AND l.contact_id = e.contact_id
        """,
        params,
    )


def _take_tags_off(tx: Tx, params: dict[str, Any]) -> None:
    tx.run(
        """
        DELETE FROM contact_tags l
        USING import_events e CROSS JOIN unnest(e.tags) AS added (name) JOIN tags t ON t.name = added.name, contacts c
        WHERE e.job_id = %(job)s AND e.line > %(after)s AND e.line <= %(upto)s AND e.type = 'updated'
          AND c.id = e.contact_id AND c.updated_at = e.written_at AND l.contact_id = e.contact_id AND l.tag_id = t.id
        """,
        params,
    )


def _restore(tx: Tx, params: dict[str, Any]) -> int:
    restored: list[UUID] = tx.all(
        """
        UPDATE contacts c
        SET first_name = e.previous ->> 'first_name', last_name = e.previous ->> 'last_name',
            company = e.previous ->> 'company', job_title = e.previous ->> 'job_title', phone = e.previous ->> 'phone',
            city = e.previous ->> 'city', state = e.previous ->> 'state', country = e.previous ->> 'country',
            lead_source = e.previous ->> 'lead_source', external_id = e.previous ->> 'external_id',
            attributes = e.previous -> 'attributes', status = e.previous ->> 'status'
        FROM import_events e
        WHERE e.job_id = %(job)s AND e.line > %(after)s AND e.line <= %(upto)s AND e.type = 'updated'
          AND c.id = e.contact_id AND c.updated_at = e.written_at
        RETURNING c.id
        """,
        params,
    )
    if restored and declared_fields(tx):
        store_field_values(tx, restored)
    return len(restored)


def _remove(tx: Tx, params: dict[str, Any]) -> int:
    removed = tx.all(
        """
        DELETE FROM contacts c USING import_events e
        WHERE e.job_id = %(job)s AND e.line > %(after)s AND e.line <= %(upto)s AND e.type = 'created'
          AND c.id = e.contact_id AND c.updated_at = e.written_at
        RETURNING c.id
        """,
        params,
    )
    erase_from_events(tx, removed)
    return len(removed)


def _finish(tx: Tx, job_id: UUID) -> None:
    tx.run(
        "UPDATE import_jobs SET status = 'rolled_back', rolled_back_at = clock_timestamp() WHERE id = %(id)s",
        {"id": job_id},
    )
    tx.run("DELETE FROM import_events WHERE job_id = %(id)s", {"id": job_id})
