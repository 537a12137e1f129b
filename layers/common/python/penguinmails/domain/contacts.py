"""Contacts as they are read: one row with its tags and workspaces."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx

TEXT_FIELDS = (
    "first_name", "last_name", "company", "job_title", "phone", "city", "state", "country", "lead_source", "external_id",
)  # fmt: skip

# A tag is found by its id; a join would be planned as a walk through all tags for each contact. What is deleted has no name,
# though its links may be there for a while.
SELECT_COLUMNS: LiteralString = """
SELECT c.id, c.email, c.first_name, c.last_name, c.company, c.job_title, c.phone, c.city, c.state, c.country,
       c.lead_source, c.external_id, c.attributes, c.status, c.lead_score, c.total_opens, c.total_clicks,
       c.last_email_opened_at, c.last_campaign_id, c.source, c.created_at, c.updated_at,
       array_remove(ARRAY(
         SELECT (SELECT t.name::text FROM tags t
                 WHERE t.tenant_id = ct.tenant_id AND t.mode = ct.mode AND t.id = ct.tag_id) AS name
         FROM contact_tags ct
         WHERE ct.tenant_id = c.tenant_id AND ct.mode = c.mode AND ct.contact_id = c.id ORDER BY name), NULL) AS tags,
       ARRAY(SELECT cw.workspace_id FROM contact_workspaces cw
             WHERE cw.tenant_id = c.tenant_id AND cw.mode = c.mode AND cw.contact_id = c.id
               AND cw.workspace_id <> ALL ((SELECT deleted_workspaces())::uuid[])
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


def delete_contacts(tx: Tx, ids: Sequence[UUID]) -> int:
    """Remove contacts, and what tells who they were from the events about them; how many events there were."""
    tx.run("DELETE FROM contacts WHERE id = ANY(%(ids)s::uuid[])", {"ids": list(ids)})
    return erase_from_events(tx, ids)


def erase_from_events(tx: Tx, ids: Sequence[UUID]) -> int:
    """Take what tells who somebody is out of the events about these contacts or emails; how many events there were."""
    return tx.all("SELECT erase_events_about(%(ids)s::uuid[])", {"ids": list(ids)})[0]
