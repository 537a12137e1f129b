"""SQL of the merge: a slice of staged rows becomes contacts, in as many statements however long the slice is.

Look-ups into large tables are LATERAL with OFFSET 0, which keeps them what they are written as, one index look-up per row:
the planner knows nothing yet of tables that were empty a moment ago, and would walk them again and again. (LIMIT 1 would
invite it to do just that, in the hope of a hit on the first page.)
"""

from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from import_contacts.slices import Slice
from penguinmails.db import Tx, UniqueViolation

_FIND: LiteralString = """
UPDATE import_staging.rows r SET contact_id = found.id, is_present = true
FROM (SELECT s.line, c.id FROM import_staging.rows s
      CROSS JOIN LATERAL (SELECT id FROM contacts WHERE email = s.email OFFSET 0) c
      WHERE s.job_id = %(job)s AND s.line > %(after)s AND s.line <= %(upto)s AND s.fault IS NULL"""
_MARK: LiteralString = """) found
WHERE r.job_id = %(job)s AND r.line > %(after)s AND r.line <= %(upto)s AND r.line = found.line"""
_REFUSE: LiteralString = """
UPDATE import_staging.rows s SET fault_field = 'external_id', fault = 'is taken by another contact'
WHERE s.job_id = %(job)s AND s.line > %(after)s AND s.line <= %(upto)s AND s.fault IS NULL
  AND EXISTS (SELECT 1 FROM contacts WHERE external_id = s.external_id OFFSET 0)"""
_NOT_ADDED: LiteralString = """
  AND NOT s.is_present
  AND NOT EXISTS (SELECT 1 FROM import_events e WHERE e.job_id = s.job_id AND e.line = s.line OFFSET 0)"""


def find_present(tx: Tx, part: Slice) -> int:
    """Mark rows whose address a contact has already; how many."""
    return tx.run(_FIND + _MARK, part.params(tx))


def find_present_since(tx: Tx, part: Slice) -> int:
    """Mark rows that could not be added, since a contact has got their address meanwhile; how many."""
    return tx.run(_FIND + _NOT_ADDED + _MARK, part.params(tx))


def mark_refused(tx: Tx, part: Slice) -> int:
    """Mark rows that could not be added, since another contact has their external id; how many."""
    return tx.run(_REFUSE + _NOT_ADDED, part.params(tx))


def add_contacts(tx: Tx, part: Slice, *, created_at: str) -> list[str]:
    """Add the contacts that are new, with their history and `contact.created`; the ids of the events.

    Few slices hold somebody whom another contact is in the way of, and looking for those costs a fourth of adding contacts.
    So it is not done until one is met.
    """
    try:
        with tx.savepoint():
            return tx.all(_ADD + _REMEMBER, {**part.params(tx), "created_at": created_at})
    except UniqueViolation:
        return add_free_contacts(tx, part, created_at=created_at)


def add_free_contacts(tx: Tx, part: Slice, *, created_at: str) -> list[str]:
    """Add those of the contacts that are new and not added yet whom nobody is in the way of."""
    return tx.all(_ADD + " ON CONFLICT DO NOTHING" + _REMEMBER, {**part.params(tx), "created_at": created_at})


_ADD: LiteralString = """
WITH added AS (
  INSERT INTO contacts (id, tenant_id, mode, email, first_name, last_name, company, job_title, phone, city, state,
                        country, lead_source, external_id, attributes, status, source)
  SELECT r.contact_id, %(tenant_id)s, %(mode)s, r.email, r.first_name, r.last_name, r.company, r.job_title, r.phone,
         r.city, r.state, r.country, r.lead_source, r.external_id, coalesce(r.attributes, '{}'),
         coalesce(r.status, 'active'), 'import'
  FROM import_staging.rows r
  WHERE r.job_id = %(job)s AND r.line > %(after)s AND r.line <= %(upto)s AND r.fault IS NULL AND NOT r.is_present
  ORDER BY r.email"""
_REMEMBER: LiteralString = """
  RETURNING id, email, first_name, last_name, source, updated_at
), placed AS MATERIALIZED (
  SELECT a.*, r.line, r.event_id, r.tags FROM added a JOIN import_staging.rows r ON r.contact_id = a.id
  WHERE r.job_id = %(job)s AND r.line > %(after)s AND r.line <= %(upto)s
  ORDER BY r.line
), remembered AS (
  INSERT INTO import_events (tenant_id, mode, job_id, line, contact_id, type, written_at, tags)
  SELECT %(tenant_id)s, %(mode)s, %(job)s, p.line, p.id, 'created', p.updated_at, p.tags FROM placed p
)
INSERT INTO events (id, tenant_id, mode, type, schema_version, data, subject_id, created_at)
SELECT p.event_id, %(tenant_id)s, %(mode)s, 'contact.created', 1,
       jsonb_build_object('contact', jsonb_build_object('id', p.id, 'email', p.email, 'first_name', p.first_name,
                                                        'last_name', p.last_name),
                          'source', p.source),
       p.id, %(created_at)s::timestamptz
FROM placed p
RETURNING id::text"""


def mark_foreign_ids(tx: Tx, part: Slice) -> int:
    """Mark rows of present contacts whose external id belongs to somebody else."""
    return tx.run(
        """
        UPDATE import_staging.rows r SET fault_field = 'external_id', fault = 'is taken by another contact'
        FROM contacts c
        WHERE r.job_id = %(job)s AND r.line > %(after)s AND r.line <= %(upto)s AND r.fault IS NULL AND r.is_present
          AND c.external_id = r.external_id AND c.external_id IS NOT NULL AND c.id <> r.contact_id
        """,
        part.params(tx),
    )


def mark_present(tx: Tx, part: Slice) -> int:
    """Mark rows of present contacts as left out: the job was to create and nothing else."""
    return tx.run(
        """
        UPDATE import_staging.rows r SET fault_field = 'email', fault = 'is taken by another contact'
        WHERE r.job_id = %(job)s AND r.line > %(after)s AND r.line <= %(upto)s AND r.fault IS NULL AND r.is_present
        """,
        part.params(tx),
    )


def update_contacts(tx: Tx, part: Slice) -> int:
    """Change present contacts in what the file says otherwise, and keep what they were; how many.

    An empty cell leaves a field alone, and nobody who opted out or bounced is made active again.
    """
    return tx.run(
        """
        WITH target AS (
          SELECT c.id, r.line, r.tags, c.updated_at AS replaced_at,
                 ARRAY(SELECT t.name::text FROM contact_tags l
                       JOIN tags t ON t.tenant_id = l.tenant_id AND t.mode = l.mode AND t.id = l.tag_id
                       WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id) AS had_tags,
                 jsonb_build_object(
                   'first_name', c.first_name, 'last_name', c.last_name, 'company', c.company, 'job_title', c.job_title,
                   'phone', c.phone, 'city', c.city, 'state', c.state, 'country', c.country, 'lead_source', c.lead_source,
                   'external_id', c.external_id, 'attributes', c.attributes, 'status', c.status) AS previous,
                 jsonb_build_object(
                   'first_name', coalesce(r.first_name, c.first_name), 'last_name', coalesce(r.last_name, c.last_name),
                   'company', coalesce(r.company, c.company), 'job_title', coalesce(r.job_title, c.job_title),
                   'phone', coalesce(r.phone, c.phone), 'city', coalesce(r.city, c.city),
                   'state', coalesce(r.state, c.state), 'country', coalesce(r.country, c.country),
                   'lead_source', coalesce(r.lead_source, c.lead_source),
                   'external_id', coalesce(r.external_id, c.external_id),
                   'attributes', c.attributes || coalesce(r.attributes, '{}'),
                   'status', CASE WHEN r.status = 'unsubscribed' AND c.status = 'active' THEN r.status ELSE c.status END
                 ) AS wanted
          FROM (SELECT * FROM contacts
                WHERE id IN (SELECT contact_id FROM import_staging.rows
                             WHERE job_id = %(job)s AND line > %(after)s AND line <= %(upto)s
                               AND fault IS NULL AND is_present)
                ORDER BY id FOR UPDATE) c
          JOIN import_staging.rows r ON r.contact_id = c.id
          WHERE r.job_id = %(job)s AND r.line > %(after)s AND r.line <= %(upto)s AND r.fault IS NULL AND r.is_present
        ), changed AS (
          UPDATE contacts c
          SET first_name = t.wanted ->> 'first_name', last_name = t.wanted ->> 'last_name',
              company = t.wanted ->> 'company', job_title = t.wanted ->> 'job_title', phone = t.wanted ->> 'phone',
              city = t.wanted ->> 'city', state = t.wanted ->> 'state', country = t.wanted ->> 'country',
              lead_source = t.wanted ->> 'lead_source', external_id = t.wanted ->> 'external_id',
              attributes = t.wanted -> 'attributes', status = t.wanted ->> 'status'
          FROM target t
          WHERE c.id = t.id
            AND (t.wanted <> t.previous
                 OR EXISTS (SELECT 1 FROM unnest(t.tags) AS name WHERE NOT name = ANY(t.had_tags)))
          RETURNING c.id, c.updated_at, t.line, t.tags, t.had_tags, t.replaced_at, t.previous, t.wanted
        )
        INSERT INTO import_events (tenant_id, mode, job_id, line, contact_id, type, written_at, replaced_at, previous,
                                   changed_fields, tags)
        SELECT %(tenant_id)s, %(mode)s, %(job)s, n.line, n.id, 'updated', n.updated_at, n.replaced_at, n.previous,
               ARRAY(SELECT w.key FROM jsonb_each(n.wanted) w WHERE w.value <> n.previous -> w.key
                     UNION ALL SELECT 'tags' WHERE EXISTS (
                       SELECT 1 FROM unnest(n.tags) AS name WHERE NOT name = ANY(n.had_tags))),
               ARRAY(SELECT name FROM unnest(n.tags) AS name WHERE NOT name = ANY(n.had_tags))
        FROM changed n
        """,
        part.params(tx),
    )


def tag_names(tx: Tx, part: Slice) -> list[str]:
    """The tags that the slice's contacts get."""
    return tx.all(
        """
        SELECT DISTINCT unnest(tags) FROM import_events
        WHERE job_id = %(job)s AND line > %(after)s AND line <= %(upto)s AND tags IS NOT NULL
        """,
        part.params(tx),
    )


def add_tags(tx: Tx, part: Slice) -> None:
    """Give the contacts their tags, which exist."""
    tx.run(
        """
        INSERT INTO contact_tags (tenant_id, mode, contact_id, tag_id, contact_created_at)
        SELECT c.tenant_id, c.mode, c.id, t.id, c.created_at
        FROM import_events e CROSS JOIN unnest(e.tags) AS wanted (name)
        CROSS JOIN LATERAL (SELECT id FROM tags WHERE name = wanted.name OFFSET 0) t
        CROSS JOIN LATERAL (SELECT tenant_id, mode, id, created_at FROM contacts WHERE id = e.contact_id OFFSET 0) c
        WHERE e.job_id = %(job)s AND e.line > %(after)s AND e.line <= %(upto)s
        ON CONFLICT DO NOTHING
        """,
        part.params(tx),
    )


def add_to_list(tx: Tx, part: Slice, list_id: UUID) -> int:
    """Put all contacts of the slice on a list, those that did not change included; how many of those that were there.

    These are remembered for a rollback; contacts that the job made leave the list with their rows.
    """
    return tx.run(
        """
        WITH added AS (
          INSERT INTO contact_lists (tenant_id, mode, contact_id, list_id, contact_created_at)
          SELECT c.tenant_id, c.mode, c.id, l.id, c.created_at
          FROM import_staging.rows r JOIN lists l ON l.id = %(list_id)s
          CROSS JOIN LATERAL (SELECT tenant_id, mode, id, created_at FROM contacts WHERE id = r.contact_id OFFSET 0) c
          WHERE r.job_id = %(job)s AND r.line > %(after)s AND r.line <= %(upto)s AND r.fault IS NULL
          ON CONFLICT DO NOTHING
          RETURNING contact_id
        )
        INSERT INTO import_events (tenant_id, mode, job_id, line, contact_id, type, written_at, is_listed)
        SELECT %(tenant_id)s, %(mode)s, r.job_id, r.line, a.contact_id, 'listed', clock_timestamp(), true
        FROM added a JOIN import_staging.rows r ON r.contact_id = a.contact_id
        WHERE r.job_id = %(job)s AND r.line > %(after)s AND r.line <= %(upto)s AND r.fault IS NULL AND r.is_present
        ON CONFLICT (tenant_id, mode, job_id, line) DO UPDATE SET is_listed = true
        """,
        {**part.params(tx), "list_id": list_id},
    )


def written_contacts(tx: Tx, part: Slice) -> list[UUID]:
    """The contacts that the slice made or changed."""
    return tx.all(
        "SELECT contact_id FROM import_events WHERE job_id = %(job)s AND line > %(after)s AND line <= %(upto)s",
        part.params(tx),
    )


@dataclass(frozen=True, slots=True)
class OptedOut:
    """A contact whom the file says to be unsubscribed; `now` when it was not before."""

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None
    now: bool


def opted_out(tx: Tx, part: Slice) -> list[OptedOut]:
    """The slice's contacts that are unsubscribed."""
    return tx.all(
        """
        SELECT c.id, c.email, c.first_name, c.last_name, 'status' = ANY(e.changed_fields) IS TRUE AS now
        FROM import_events e
        CROSS JOIN LATERAL (SELECT id, email, first_name, last_name, status FROM contacts
                            WHERE id = e.contact_id OFFSET 0) c
        WHERE e.job_id = %(job)s AND e.line > %(after)s AND e.line <= %(upto)s AND c.status = 'unsubscribed'
        """,
        part.params(tx),
        OptedOut,
    )


def announce_changes(tx: Tx, part: Slice, *, created_at: str) -> list[str]:
    """Store `contact.updated` for the contacts that the slice changed; the ids of the events.

    The type is looked at after the look-up by line: else the planner takes the index of changes, of which it knows of none yet.
    """
    return tx.all(
        """
        INSERT INTO events (id, tenant_id, mode, type, schema_version, data, subject_id, created_at)
        SELECT r.event_id, %(tenant_id)s, %(mode)s, 'contact.updated', 1,
               jsonb_build_object('contact', jsonb_build_object('id', c.id, 'email', c.email, 'first_name', c.first_name,
                                                                'last_name', c.last_name),
                                  'changed_fields', e.changed_fields),
               c.id, %(created_at)s::timestamptz
        FROM import_staging.rows r
        CROSS JOIN LATERAL (SELECT contact_id, changed_fields, type FROM import_events
                            WHERE job_id = %(job)s AND line = r.line OFFSET 0) e
        CROSS JOIN LATERAL (SELECT id, email, first_name, last_name FROM contacts WHERE id = e.contact_id OFFSET 0) c
        WHERE r.job_id = %(job)s AND r.line > %(after)s AND r.line <= %(upto)s AND r.is_present AND e.type = 'updated'
        RETURNING id::text
        """,
        {**part.params(tx), "created_at": created_at},
    )
