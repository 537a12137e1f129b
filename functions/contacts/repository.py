"""SQL of single contacts; `listing` has that of many."""

from typing import Any
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.domain.contacts import SELECT, TEXT_FIELDS, ContactRow, find_contact


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
