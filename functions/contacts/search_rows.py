"""SQL of searches over `contact_search`, by the database's own functions, which work for the current tenant alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from contacts.search import Search
from penguinmails.db import Tx, jsonb
from penguinmails.domain.contacts import SELECT, ContactRow
from penguinmails.keyset import MOST_COUNTED, Keyset

BUDGET = timedelta(milliseconds=200)
"""How long a search by cursor looks before it leaves the rest to the next page."""

_BY_NAME: dict[str, LiteralString] = {
    "tag": "SELECT id FROM tags WHERE name = %(name)s",
    "list": "SELECT id FROM lists WHERE name = %(name)s AND type = 'static'",
    "workspace": "SELECT id FROM workspaces WHERE slug = %(name)s",
}


@dataclass(frozen=True, slots=True)
class Found:
    """Up to `limit + 1` contacts, and the total when the page was asked for by offset and there are not too many."""

    rows: list[ContactRow]
    total: int | None
    stopped_at: tuple[datetime, UUID] | None = None
    """Where to go on, when the search took so long that the page was not filled."""


@dataclass(frozen=True, slots=True)
class _Hit:
    contact_id: UUID
    created_at: datetime
    is_stop: bool


def find_link(tx: Tx, kind: str, name: str) -> str | None:
    """The id of the tag, static list or workspace of a name; None when there is none."""
    found: UUID | None = tx.one(_BY_NAME[kind], {"name": name})
    return None if found is None else str(found)


def first_custom_keys(tx: Tx) -> list[str]:
    """Keys of the tenant's custom fields, fifty at most."""
    return tx.all("SELECT key FROM contact_fields ORDER BY key LIMIT 50", {})


def page_of_search(tx: Tx, keyset: Keyset, search: Search) -> Found:
    """A page of contacts by when they were added."""
    clauses = jsonb([clause.document() for clause in search.clauses])
    after_at, after_id = keyset.after or (None, None)
    total: int | None = None
    if keyset.offset is not None:
        total = tx.one(
            "SELECT count_searched_contacts(%(clauses)s, %(from_at)s, %(before_at)s, %(most)s, %(budget)s)",
            {
                "clauses": clauses,
                "from_at": search.from_at,
                "before_at": search.before_at,
                "most": MOST_COUNTED,
                "budget": BUDGET,
            },
        )
    found = tx.all(
        """
        SELECT contact_id, created_at, is_stop
        FROM search_contacts(%(clauses)s, %(newest_first)s, %(after_at)s, %(after_id)s, %(from_at)s, %(before_at)s,
                             %(wanted)s, %(budget)s)
        """,
        {
            "clauses": clauses,
            "newest_first": keyset.order == "desc",
            "after_at": after_at,
            "after_id": after_id,
            "from_at": search.from_at,
            "before_at": search.before_at,
            "wanted": (keyset.offset or 0) + keyset.limit + 1,
            # By offset there is no place to go on from.
            "budget": BUDGET if keyset.offset is None else None,
        },
        _Hit,
    )
    stop = found.pop() if found and found[-1].is_stop else None
    ids = [row.contact_id for row in found[keyset.offset or 0 :]]
    rows = {row.id: row for row in tx.all(SELECT + " WHERE c.id = ANY(%(ids)s::uuid[])", {"ids": ids}, ContactRow)}
    contacts = [rows[contact_id] for contact_id in ids if contact_id in rows]
    return Found(contacts, total, stop and _position(stop, newest_first=keyset.order == "desc"))


def _position(stop: _Hit, *, newest_first: bool) -> tuple[datetime, UUID]:
    """What the next page comes after. Oldest first, the contact of the stop itself belongs to it."""
    return stop.created_at, stop.contact_id if newest_first else UUID(int=max(stop.contact_id.int - 1, 0))
