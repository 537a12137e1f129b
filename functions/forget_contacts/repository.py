"""SQL of the retention of contacts: found across tenants, changed as the application."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Mode, Tx


@dataclass(frozen=True, slots=True)
class Due:
    """Contacts of one tenant and mode."""

    tenant_id: UUID
    mode: Mode
    ids: list[UUID]


@dataclass(frozen=True, slots=True)
class Person:
    """A contact that is about to go."""

    id: UUID
    email: str
    status: str


def opted_out(tx: Tx, batch: int) -> list[Due]:
    """Contacts that opted out 30 days ago and of whom more than the address is kept. The condition is that of an index."""
    return tx.all(
        """
        SELECT tenant_id, mode, array_agg(id) AS ids FROM (
          SELECT tenant_id, mode, id FROM contacts
          WHERE status = 'unsubscribed' AND status_since < now() - interval '30 days'
            AND (fields_erased_at IS NULL OR attributes <> '{}'
                 OR num_nonnulls(first_name, last_name, company, job_title, phone, city, state, country, lead_source,
                                 external_id) > 0)
          ORDER BY status_since LIMIT %(batch)s) due
        GROUP BY tenant_id, mode
        """,
        {"batch": batch},
        Due,
    )


def silent(tx: Tx, batch: int) -> list[Due]:
    """Contacts with whom nothing has happened for 24 months: not changed, no mail to them, nothing opened or clicked."""
    tx.run("SET LOCAL statement_timeout = '120s'", {})
    return tx.all(
        """
        SELECT tenant_id, mode, array_agg(id) AS ids FROM (
          SELECT c.tenant_id, c.mode, c.id FROM tenants t CROSS JOIN (VALUES ('live'), ('test')) AS m (mode)
          CROSS JOIN LATERAL (
            SELECT c.tenant_id, c.mode, c.id FROM contacts c
            WHERE c.tenant_id = t.id AND c.mode = m.mode AND c.updated_at < now() - interval '24 months'
              AND NOT EXISTS (SELECT FROM emails e
                              WHERE e.tenant_id = c.tenant_id AND e.mode = c.mode AND e.to_email = c.email
                                AND e.created_at >= now() - interval '24 months')
            ORDER BY c.updated_at LIMIT %(batch)s) c
          LIMIT %(batch)s) due
        GROUP BY tenant_id, mode
        """,
        {"batch": batch},
        Due,
    )


def erase_fields(tx: Tx, ids: Sequence[UUID]) -> list[UUID]:
    """Leave the address and the opt-out of those that are still opted out; which these were."""
    tx.run("SELECT 1 FROM contacts WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE", {"ids": list(ids)})
    erased: list[UUID] = tx.all(
        """
        UPDATE contacts
        SET first_name = NULL, last_name = NULL, company = NULL, job_title = NULL, phone = NULL, city = NULL, state = NULL,
            country = NULL, lead_source = NULL, external_id = NULL, attributes = '{}', fields_erased_at = clock_timestamp()
        WHERE id = ANY(%(ids)s::uuid[]) AND status = 'unsubscribed' AND status_since < now() - interval '30 days'
        RETURNING id
        """,
        {"ids": list(ids)},
    )
    params = {"ids": erased}
    tx.run("DELETE FROM contact_tags WHERE contact_id = ANY(%(ids)s::uuid[])", params)
    tx.run("DELETE FROM import_events WHERE contact_id = ANY(%(ids)s::uuid[]) AND type = 'updated'", params)
    return erased


def hold_silent(tx: Tx, ids: Sequence[UUID]) -> list[Person]:
    """Those of the contacts that are still silent, locked."""
    return tx.all(
        """
        SELECT c.id, c.email, c.status FROM contacts c
        WHERE c.id = ANY(%(ids)s::uuid[]) AND c.updated_at < now() - interval '24 months'
          AND NOT EXISTS (SELECT FROM emails e
                          WHERE e.tenant_id = c.tenant_id AND e.mode = c.mode AND e.to_email = c.email
                            AND e.created_at >= now() - interval '24 months')
        ORDER BY c.id FOR UPDATE OF c
        """,
        {"ids": list(ids)},
        Person,
    )
