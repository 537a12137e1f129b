"""SQL of bulk changes: each statement works on all of a request's contacts at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.domain.contacts import SELECT, TEXT_FIELDS, ContactRow

_GIVEN: LiteralString = """
WHERE c.id IN (SELECT id FROM contacts WHERE id = ANY(%(ids)s::uuid[])
               UNION SELECT id FROM contacts WHERE email = ANY(%(emails)s::text[]))"""


@dataclass(frozen=True, slots=True)
class ExternalId:
    """Whose an external id is."""

    external_id: str
    contact_id: UUID


def lock_contacts(tx: Tx, ids: Sequence[UUID], emails: Sequence[str]) -> list[ContactRow]:
    """Contacts by id or address, locked until the end of the transaction."""
    params = {"ids": list(ids), "emails": list(emails)}
    # In one order everywhere, so that two requests never wait for each other; read after the locks are had.
    tx.run(
        """
        SELECT 1 FROM contacts
        WHERE id IN (SELECT id FROM contacts WHERE id = ANY(%(ids)s::uuid[])
                     UNION SELECT id FROM contacts WHERE email = ANY(%(emails)s::text[]))
        ORDER BY id FOR UPDATE
        """,
        params,
    )
    return tx.all(SELECT + _GIVEN, params, ContactRow)


def owners_of(tx: Tx, external_ids: Sequence[str]) -> dict[str, UUID]:
    """The contacts that have these external ids."""
    found = tx.all(
        """
        SELECT external_id, id AS contact_id FROM contacts
        WHERE external_id = ANY(%(ids)s::text[]) AND external_id IS NOT NULL
        """,
        {"ids": list(external_ids)},
        ExternalId,
    )
    return {owner.external_id: owner.contact_id for owner in found}


def workspaces_among(tx: Tx, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that are workspaces."""
    return set(tx.all("SELECT id FROM workspaces WHERE id = ANY(%(ids)s::uuid[])", {"ids": list(ids)}))


def insert_contacts(tx: Tx, rows: dict[UUID, dict[str, Any]], *, source: str) -> set[UUID]:
    """Add contacts; the ids of those whose address and external id nobody else took meanwhile."""
    added = tx.all(
        """
        INSERT INTO contacts (id, tenant_id, mode, email, first_name, last_name, company, job_title, phone, city, state,
                              country, lead_source, external_id, attributes, status, source)
        SELECT r.id, %(tenant_id)s, %(mode)s, r.email, r.first_name, r.last_name, r.company, r.job_title, r.phone, r.city,
               r.state, r.country, r.lead_source, r.external_id, r.attributes, r.status, %(source)s
        FROM jsonb_to_recordset(%(rows)s) AS r (
          id uuid, email text, first_name text, last_name text, company text, job_title text, phone text, city text,
          state text, country text, lead_source text, external_id text, attributes jsonb, status text)
        ON CONFLICT DO NOTHING
        RETURNING id
        """,
        {"tenant_id": tx.tenant_id, "mode": tx.mode, "source": source, "rows": _as_json(rows)},
    )
    return set(added)


def update_contacts(tx: Tx, rows: dict[UUID, dict[str, Any]]) -> None:
    """Write all changeable fields of locked contacts; raises UniqueViolation when a value was taken meanwhile."""
    tx.run(
        """
        UPDATE contacts c
        SET email = r.email, first_name = r.first_name, last_name = r.last_name, company = r.company,
            job_title = r.job_title, phone = r.phone, city = r.city, state = r.state, country = r.country,
            lead_source = r.lead_source, external_id = r.external_id, attributes = r.attributes, status = r.status
        FROM jsonb_to_recordset(%(rows)s) AS r (
          id uuid, email text, first_name text, last_name text, company text, job_title text, phone text, city text,
          state text, country text, lead_source text, external_id text, attributes jsonb, status text)
        WHERE c.id = r.id
        """,
        {"rows": _as_json(rows)},
    )


def find_contacts(tx: Tx, ids: Sequence[UUID]) -> list[ContactRow]:
    """Contacts by id."""
    return tx.all(SELECT + " WHERE c.id = ANY(%(ids)s::uuid[])", {"ids": list(ids)}, ContactRow)


def _as_json(rows: dict[UUID, dict[str, Any]]) -> Any:
    wanted = (*TEXT_FIELDS, "email", "status", "attributes")
    # In one order everywhere, so that two requests with the same new addresses never wait for each other.
    ordered = sorted(rows.items(), key=lambda row: row[1]["email"])
    return jsonb([{"id": id_, **{name: values[name] for name in wanted}} for id_, values in ordered])
