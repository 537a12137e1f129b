"""Taking an import back: contacts that it made go, those that it changed or put on its list become what they were.

A contact is taken back only while it is what the import made of it: its `updated_at` is still `import_events.written_at`. Where
a later import was taken back since, that has written the contact once more; it leaves a row that says which earlier state
this restored, so that imports can be taken back in reverse order.
"""

from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from import_contacts.repository import Job
from penguinmails.db import Tx
from penguinmails.domain.contact_fields import declared_fields, store_field_values
from penguinmails.domain.contacts import erase_from_events

ROWS_PER_SLICE = 5_000

_UNCHANGED: LiteralString = """
  AND (c.updated_at = e.written_at
       OR EXISTS (SELECT 1 FROM import_events u
                  WHERE u.contact_id = e.contact_id AND u.type = 'undone' AND u.replaced_at = e.written_at
                    AND u.written_at = c.updated_at
                  OFFSET 0))"""
_LINES_OF_SLICE: LiteralString = """
SELECT e.line FROM import_events e
CROSS JOIN LATERAL (SELECT updated_at FROM contacts WHERE id = e.contact_id OFFSET 0 FOR UPDATE) c
WHERE e.job_id = %(job)s AND e.line > %(after)s AND e.line <= %(upto)s AND e.type IN ('created', 'updated')"""
_LINES_THAT_WAITED: LiteralString = """
SELECT e.line FROM import_events e
CROSS JOIN LATERAL (SELECT updated_at FROM contacts WHERE id = e.contact_id OFFSET 0) c
WHERE e.job_id = %(job)s AND e.type = 'updated' AND 'external_id' = ANY(e.changed_fields)
  AND NOT EXISTS (SELECT 1 FROM contacts WHERE external_id = e.previous ->> 'external_id' OFFSET 0)"""


@dataclass(frozen=True, slots=True)
class _Part:
    upto: int | None
    rows: int


def undo_slice(tx: Tx, job: Job) -> bool:
    """Undo the next rows of an import; False when it was the last. What was changed since by others is kept as it is."""
    part = tx.one(
        """
        SELECT max(line) AS upto, count(*) FILTER (WHERE type <> 'listed') AS rows FROM (
          SELECT line, type FROM import_events WHERE job_id = %(job)s AND line > %(after)s AND type <> 'undone'
          ORDER BY line LIMIT %(rows)s) next_rows
        """,
        {"job": job.id, "after": job.done_line, "rows": ROWS_PER_SLICE},
        _Part,
    )
    if part is None or part.upto is None:
        return _begin_again(tx, job.id) or _finish(tx, job.id)
    params: dict[str, Any] = {"job": job.id, "after": job.done_line, "upto": part.upto}
    if job.options.get("list_id"):
        _take_off_list(tx, {**params, "list_id": job.options["list_id"]})
    unchanged: list[int] = tx.all(_LINES_OF_SLICE + _UNCHANGED, params)
    undone = _remove(tx, job.id, unchanged) + _restore(tx, job.id, unchanged)
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


def _remove(tx: Tx, job_id: UUID, lines: list[int]) -> int:
    removed = tx.all(
        """
        WITH gone AS (
          DELETE FROM import_events WHERE job_id = %(job)s AND line = ANY(%(lines)s::bigint[]) AND type = 'created'
          RETURNING contact_id
        )
        DELETE FROM contacts c USING gone WHERE c.id = gone.contact_id RETURNING c.id
        """,
        {"job": job_id, "lines": lines},
    )
    erase_from_events(tx, removed)
    return len(removed)


def _restore(tx: Tx, job_id: UUID, lines: list[int]) -> int:
    """Give contacts back what they were. Those whose external id another contact has by now are left for `_begin_again`."""
    restored: list[UUID] = tx.all(
        """
        WITH wanted AS (
          SELECT contact_id, previous, 'external_id' = ANY(changed_fields) AS is_renamed,
                 row_number() OVER (PARTITION BY previous ->> 'external_id' ORDER BY written_at DESC) AS turn
          FROM import_events WHERE job_id = %(job)s AND line = ANY(%(lines)s::bigint[]) AND type = 'updated'
        )
        UPDATE contacts c
        SET first_name = w.previous ->> 'first_name', last_name = w.previous ->> 'last_name',
            company = w.previous ->> 'company', job_title = w.previous ->> 'job_title', phone = w.previous ->> 'phone',
            city = w.previous ->> 'city', state = w.previous ->> 'state', country = w.previous ->> 'country',
            lead_source = w.previous ->> 'lead_source', external_id = w.previous ->> 'external_id',
            attributes = w.previous -> 'attributes', status = w.previous ->> 'status'
        FROM wanted w
        WHERE c.id = w.contact_id
          AND (NOT w.is_renamed OR w.previous ->> 'external_id' IS NULL
               OR w.turn = 1 AND NOT EXISTS (
                 SELECT 1 FROM contacts WHERE external_id = w.previous ->> 'external_id' OFFSET 0))
        RETURNING c.id
        """,
        {"job": job_id, "lines": lines},
    )
    if restored:
        _leave_traces(tx, {"job": job_id, "lines": lines, "ids": restored})
        if declared_fields(tx):
            store_field_values(tx, restored)
    return len(restored)


def _leave_traces(tx: Tx, params: dict[str, Any]) -> None:
    """Take the tags off that the import gave, and leave of each change nothing but which state of the contact is back."""
    tx.run(
        """
        DELETE FROM contact_tags l
        USING import_events e CROSS JOIN unnest(e.tags) AS added (name) JOIN tags t ON t.name = added.name
        WHERE e.job_id = %(job)s AND e.line = ANY(%(lines)s::bigint[]) AND e.contact_id = ANY(%(ids)s::uuid[])
          AND l.contact_id = e.contact_id AND l.tag_id = t.id
        """,
        params,
    )
    tx.run(
        """
        WITH back AS (
          SELECT e.line, e.contact_id, e.replaced_at, c.updated_at FROM import_events e
          CROSS JOIN LATERAL (SELECT updated_at FROM contacts WHERE id = e.contact_id OFFSET 0) c
          WHERE e.job_id = %(job)s AND e.line = ANY(%(lines)s::bigint[]) AND e.contact_id = ANY(%(ids)s::uuid[])
        ), carried AS (
          UPDATE import_events u SET written_at = same.updated_at
          FROM (SELECT found.job_id, found.line, b.updated_at FROM back b
                CROSS JOIN LATERAL (SELECT job_id, line FROM import_events
                                    WHERE contact_id = b.contact_id AND type = 'undone' AND written_at = b.replaced_at
                                    OFFSET 0) found) same
          WHERE u.job_id = same.job_id AND u.line = same.line
        )
        UPDATE import_events e
        SET type = 'undone', written_at = b.updated_at, previous = NULL, changed_fields = NULL, tags = NULL
        FROM back b WHERE e.job_id = %(job)s AND e.line = b.line
        """,
        params,
    )


def _begin_again(tx: Tx, job_id: UUID) -> bool:
    """Go over what is left once more if there are contacts whose external id another row of the job had, and has not now."""
    tx.run("SET LOCAL statement_timeout = '60s'", {})
    if not tx.all(_LINES_THAT_WAITED + _UNCHANGED + " LIMIT 1", {"job": job_id}):
        return False
    tx.run("UPDATE import_jobs SET done_line = 0, kept_count = 0 WHERE id = %(job)s", {"job": job_id})
    return True


def _finish(tx: Tx, job_id: UUID) -> bool:
    tx.run(
        "UPDATE import_jobs SET status = 'rolled_back', rolled_back_at = clock_timestamp() WHERE id = %(id)s",
        {"id": job_id},
    )
    tx.run("DELETE FROM import_events WHERE job_id = %(id)s AND type <> 'undone'", {"id": job_id})
    return False
