"""SQL of single contacts; `listing` has that of many."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb

TEXT_FIELDS = (
    "first_name", "last_name", "company", "job_title", "phone", "city", "state", "country", "lead_source", "external_id",
)  # fmt: skip

SELECT_COLUMNS: LiteralString = """
SELECT c.id, c.email, c.first_name, c.last_name, c.company, c.job_title, c.phone, c.city, c.state, c.country,
       c.lead_source, c.external_id, c.attributes, c.status, c.lead_score, c.total_opens, c.total_clicks,
       c.last_email_opened_at, c.last_campaign_id, c.source, c.created_at, c.updated_at,
       ARRAY(SELECT t.name::text FROM contact_tags ct
             JOIN tags t ON t.tenant_id = ct.tenant_id AND t.mode = ct.mode AND t.id = ct.tag_id
             WHERE ct.tenant_id = c.tenant_id AND ct.mode = c.mode AND ct.contact_id = c.id ORDER BY t.name) AS tags,
       ARRAY(SELECT cw.workspace_id FROM contact_workspaces cw
             WHERE cw.tenant_id = c.tenant_id AND cw.mode = c.mode AND cw.contact_id = c.id
             ORDER BY cw.workspace_id) AS workspace_ids
"""
SELECT: LiteralString = SELECT_COLUMNS + "FROM contacts c"


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One contact with its tags and workspaces."""

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None
    company: str | None
    job_title: str | None
    phone: str | None
    city: str | None
    state: str | None
    country: str | None
    lead_source: str | None
    external_id: str | None
    attributes: dict[str, Any]
    status: str
    lead_score: int
    total_opens: int
    total_clicks: int
    last_email_opened_at: datetime | None
    last_campaign_id: UUID | None
    source: str
    created_at: datetime
    updated_at: datetime
    tags: list[str]
    workspace_ids: list[UUID]


def find_contact(tx: Tx, contact_id: UUID) -> ContactRow | None:
    """One contact."""
    return tx.one(SELECT + " WHERE c.id = %(id)s", {"id": contact_id}, ContactRow)


def lock_contact(tx: Tx, contact_id: UUID) -> ContactRow | None:
    """One contact, locked until the end of the transaction."""
    # Locked first and read second, so that the tags and workspaces are those that a change before this one has left.
    tx.run("SELECT 1 FROM contacts WHERE id = %(id)s FOR UPDATE", {"id": contact_id})
    return find_contact(tx, contact_id)


def lock_by_email(tx: Tx, email: str) -> ContactRow | None:
    """The contact with an address, locked until the end of the transaction."""
    tx.run("SELECT 1 FROM contacts WHERE email = %(email)s FOR UPDATE", {"email": email})
    return tx.one(SELECT + " WHERE c.email = %(email)s", {"email": email}, ContactRow)


def insert_contact(tx: Tx, contact_id: UUID, values: dict[str, Any]) -> None:
    """Add a contact; raises UniqueViolation when e-mail or external id are taken."""
    tx.run(
        """
        INSERT INTO contacts (id, tenant_id, mode, email, first_name, last_name, company, job_title, phone, city, state,
                              country, lead_source, external_id, attributes, status, source)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(email)s, %(first_name)s, %(last_name)s, %(company)s, %(job_title)s,
                %(phone)s, %(city)s, %(state)s, %(country)s, %(lead_source)s, %(external_id)s, %(attributes)s,
                %(status)s, %(source)s)
        """,
        {**_row_params(tx, contact_id, values), "source": values["source"]},
    )


def update_contact(tx: Tx, contact_id: UUID, values: dict[str, Any]) -> None:
    """Write all changeable fields; raises UniqueViolation when e-mail or external id are taken."""
    tx.run(
        """
        UPDATE contacts
        SET email = %(email)s, first_name = %(first_name)s, last_name = %(last_name)s, company = %(company)s,
            job_title = %(job_title)s, phone = %(phone)s, city = %(city)s, state = %(state)s, country = %(country)s,
            lead_source = %(lead_source)s, external_id = %(external_id)s, attributes = %(attributes)s,
            status = %(status)s
        WHERE id = %(id)s
        """,
        _row_params(tx, contact_id, values),
    )


def _row_params(tx: Tx, contact_id: UUID, values: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: values[name] for name in TEXT_FIELDS},
        "id": contact_id,
        "tenant_id": tx.tenant_id,
        "mode": tx.mode,
        "email": values["email"],
        "status": values["status"],
        "attributes": jsonb(values["attributes"]),
    }


def delete_contact(tx: Tx, contact_id: UUID) -> None:
    """Remove a contact, and what tells who it was from the events about it."""
    tx.run("DELETE FROM contacts WHERE id = %(id)s", {"id": contact_id})
    tx.one("SELECT erase_contact_from_events(%(id)s)", {"id": contact_id})


@dataclass(frozen=True, slots=True)
class Room:
    """How many contacts there are and may be; `allowed` None is unlimited."""

    present: int
    allowed: int | None


def room(tx: Tx) -> Room:
    """The tenant's count in this mode beside its plan's limit."""
    found = tx.one(
        """
        SELECT coalesce((SELECT contacts FROM contact_counts), 0)::bigint AS present, max_contacts AS allowed
        FROM tenant_limits WHERE tenant_id = %(tenant_id)s
        """,
        {"tenant_id": tx.tenant_id},
        Room,
    )
    if found is None:
        raise LookupError("the tenant has no subscription")
    return found
