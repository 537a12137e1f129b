"""SQL of searches over `contact_search`, by the database's own functions, which work for the current tenant alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from contacts.search import Search
from penguinmails.db import Tx, jsonb
from penguinmails.domain.contacts import SELECT, ContactRow
from penguinmails.keyset import Keyset

_BY_NAME: dict[str, LiteralString] = {
    "tag": "SELECT id FROM tags WHERE name = %(name)s",
    "list": "SELECT id FROM lists WHERE name = %(name)s AND type = 'static'",
    "workspace": "SELECT id FROM workspaces WHERE slug = %(name)s",
}


@dataclass(frozen=True, slots=True)
class _Found:
    contact_id: UUID
    created_at: datetime


def find_link(tx: Tx, kind: str, name: str) -> str | None:
    """The id of the tag, static list or workspace of a name; None when there is none."""
    found: UUID | None = tx.one(_BY_NAME[kind], {"name": name})
    return None if found is None else str(found)


def first_custom_keys(tx: Tx) -> list[str]:
    """Keys of the tenant's custom fields, fifty at most."""
    return tx.all("SELECT key FROM contact_fields ORDER BY key LIMIT 50", {})


def page_of_search(tx: Tx, keyset: Keyset, search: Search) -> tuple[list[ContactRow], int | None]:
    """Up to `limit + 1` contacts by when they were added, and the total when the page was asked for by offset."""
    clauses = jsonb([clause.document() for clause in search.clauses])
    after_at, after_id = keyset.after or (None, None)
    total: int | None = None
    if keyset.offset is not None:
        total = tx.one(
            "SELECT count_searched_contacts(%(clauses)s, %(from_at)s, %(before_at)s)",
            {"clauses": clauses, "from_at": search.from_at, "before_at": search.before_at},
        )
    found = tx.all(
        """
        SELECT contact_id, created_at
        FROM search_contacts(%(clauses)s, %(newest_first)s, %(after_at)s, %(after_id)s, %(from_at)s, %(before_at)s,
                             %(wanted)s)
        """,
        {
            "clauses": clauses,
            "newest_first": keyset.order == "desc",
            "after_at": after_at,
            "after_id": after_id,
            "from_at": search.from_at,
            "before_at": search.before_at,
            "wanted": (keyset.offset or 0) + keyset.limit + 1,
        },
        _Found,
    )
    ids = [row.contact_id for row in found[keyset.offset or 0 :]]
    rows = {row.id: row for row in tx.all(SELECT + " WHERE c.id = ANY(%(ids)s::uuid[])", {"ids": ids}, ContactRow)}
    return [rows[contact_id] for contact_id in ids if contact_id in rows], total
