"""SQL of what is removed after the list, tag, field, workspace or campaign that it belonged to: a batch at a time.

As the application, so that row security holds. Contacts are locked before their links and words are touched, as by whoever
changes contacts; those that somebody else holds are left for the next batch, so that nobody waits in a circle.
"""

from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.removals import Kind


@dataclass(frozen=True, slots=True)
class Pending:
    """What is deleted and has rows left."""

    tenant_id: UUID
    kind: Kind
    id: UUID


_REMOVE: dict[Kind, LiteralString] = {
    "list": """
        DELETE FROM contact_lists WHERE list_id = %(id)s AND contact_id = ANY(ARRAY(
          SELECT m.contact_id FROM contact_lists m
          JOIN contacts c ON c.tenant_id = m.tenant_id AND c.mode = m.mode AND c.id = m.contact_id
          WHERE m.list_id = %(id)s
          ORDER BY m.contact_created_at, m.contact_id LIMIT %(batch)s FOR UPDATE OF c SKIP LOCKED))
        """,
    "tag": """
        DELETE FROM contact_tags WHERE tag_id = %(id)s AND contact_id = ANY(ARRAY(
          SELECT m.contact_id FROM contact_tags m
          JOIN contacts c ON c.tenant_id = m.tenant_id AND c.mode = m.mode AND c.id = m.contact_id
          WHERE m.tag_id = %(id)s
          ORDER BY m.contact_created_at, m.contact_id LIMIT %(batch)s FOR UPDATE OF c SKIP LOCKED))
        """,
    "contact_field": """
        DELETE FROM contact_field_values WHERE field_id = %(id)s AND contact_id = ANY(ARRAY(
          SELECT m.contact_id FROM contact_field_values m
          JOIN contacts c ON c.tenant_id = m.tenant_id AND c.mode = m.mode AND c.id = m.contact_id
          WHERE m.field_id = %(id)s LIMIT %(batch)s FOR UPDATE OF c SKIP LOCKED))
        """,
    "workspace": """
        DELETE FROM contact_workspaces WHERE workspace_id = %(id)s AND contact_id = ANY(ARRAY(
          SELECT m.contact_id FROM contact_workspaces m
          JOIN contacts c ON c.tenant_id = m.tenant_id AND c.mode = m.mode AND c.id = m.contact_id
          WHERE m.workspace_id = %(id)s
          ORDER BY m.contact_created_at, m.contact_id LIMIT %(batch)s FOR UPDATE OF c SKIP LOCKED))
        """,
    "campaign": """
        DELETE FROM campaign_contacts WHERE campaign_id = %(id)s AND contact_id = ANY(ARRAY(
          SELECT m.contact_id FROM campaign_contacts m
          WHERE m.campaign_id = %(id)s LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
        """,
}
_IS_LEFT: dict[Kind, LiteralString] = {
    "list": "SELECT EXISTS (SELECT FROM contact_lists WHERE list_id = %(id)s)",
    "tag": "SELECT EXISTS (SELECT FROM contact_tags WHERE tag_id = %(id)s)",
    "contact_field": "SELECT EXISTS (SELECT FROM contact_field_values WHERE field_id = %(id)s)",
    "workspace": "SELECT EXISTS (SELECT FROM contact_workspaces WHERE workspace_id = %(id)s)",
    "campaign": """
        SELECT EXISTS (SELECT FROM campaign_contacts WHERE campaign_id = %(id)s)
            OR EXISTS (SELECT FROM emails WHERE campaign_id = %(id)s AND status IN ('queued', 'sending'))
        """,
}


def pending(tx: Tx, limit: int) -> list[Pending]:
    """What has rows left, of any tenant, deleted first."""
    return tx.all(
        "SELECT tenant_id, kind, id FROM pending_removals ORDER BY deleted_at LIMIT %(limit)s",
        {"limit": limit},
        Pending,
    )


def remove(tx: Tx, of: Pending, batch: int) -> int:
    """Remove the next rows of the transaction's mode, and search words with them; how many.

    By indexes: some rows, whichever they are, the planner would rather look for through the whole table, from the place where
    all those were that are removed already.
    """
    tx.run("SET LOCAL enable_seqscan = off", {})
    tx.run("SET LOCAL enable_bitmapscan = off", {})
    return tx.run(_REMOVE[of.kind], {"id": of.id, "batch": batch})


def is_left(tx: Tx, of: Pending) -> bool:
    """Whether there are rows in the transaction's mode. None are added any more."""
    return tx.one(_IS_LEFT[of.kind], {"id": of.id})


def finish(tx: Tx, of: Pending) -> None:
    """Nothing is left of it."""
    tx.run("DELETE FROM pending_removals WHERE kind = %(kind)s AND id = %(id)s", {"kind": of.kind, "id": of.id})
