"""Contacts by their words: the database's own functions over `contact_search`, which work for the current tenant alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.domain.contact_words import Search
from penguinmails.errors import ValidationFailed
from penguinmails.keyset import MOST_COUNTED, Order

BUDGET = timedelta(milliseconds=200)
"""How long a page by cursor is looked for before the rest is left to the next page."""
OFFSET_BUDGET = timedelta(seconds=2)
"""By offset there is no place to go on from, so a page is looked for longer before it is refused."""

_MOST_ADDRESSES = 200
Place = tuple[datetime, UUID]
"""When a contact was added, and its id."""

_BY_NAME: dict[str, LiteralString] = {
    "tag": "SELECT id FROM tags WHERE name = %(name)s",
    "list": "SELECT id FROM lists WHERE name = %(name)s AND type = 'static'",
    "workspace": "SELECT id FROM workspaces WHERE slug = %(name)s",
}
_BY_ID: dict[str, LiteralString] = {
    "list": "SELECT id FROM lists WHERE id = %(id)s::uuid",
    "workspace": "SELECT id FROM workspaces WHERE id = %(id)s::uuid",
}


@dataclass(frozen=True, slots=True)
class Hits:
    """Contacts in the order in which they were added or the opposite one."""

    places: list[Place]
    stopped_at: Place | None
    """Where to go on, when it took so long that not all that were wanted were found."""


@dataclass(frozen=True, slots=True)
class _Hit:
    contact_id: UUID
    created_at: datetime
    is_stop: bool


def not_reached() -> ValidationFailed:
    """What a page by offset is refused with that is not found in time."""
    return ValidationFailed.of(
        "offset", "is not reached in time among so many contacts; leave it out and go on by next_cursor", "too_far"
    )


def find_link(tx: Tx, kind: str, name: str) -> str | None:
    """The id of the tag, static list or workspace of a name; None when there is none."""
    found: UUID | None = tx.one(_BY_NAME[kind], {"name": name})
    return None if found is None else str(found)


def find_named(tx: Tx, kind: str, value: str) -> str | None:
    """The id of what a rule names: a tag by its name, a static list or workspace by its id; None when there is no such thing.

    What is deleted has words in the index for a while, so an id alone does not do.
    """
    if kind == "tag":
        return find_link(tx, kind, value)
    found: UUID | None = tx.one(_BY_ID[kind], {"id": value})
    return None if found is None else str(found)


def find_addresses(tx: Tx, kind: str, values: Sequence[str]) -> list[str] | None:
    """The addresses of those who have one of the phone numbers or external ids, in any case; None when they are too many."""
    found = tx.all(
        "SELECT * FROM addresses_of(%(phones)s::text[], %(external_ids)s::text[], %(most)s)",
        {
            "phones": list(values) if kind == "phone" else [],
            "external_ids": list(values) if kind == "external_id" else [],
            "most": _MOST_ADDRESSES + 1,
        },
    )
    return None if len(found) > _MOST_ADDRESSES else found


def find_hits(tx: Tx, search: Search, order: Order, after: Place | None, wanted: int, budget: timedelta) -> Hits:
    """Up to `wanted` contacts after a place, or those that are found in time."""
    after_at, after_id = after or (None, None)
    found = tx.all(
        """
        SELECT s.contact_id, s.created_at, s.is_stop
        FROM linked_between(%(clauses)s, %(newest_first)s, %(after_at)s, %(from_at)s, %(before_at)s) b
        CROSS JOIN LATERAL search_contacts(%(clauses)s, %(newest_first)s, %(after_at)s, %(after_id)s, b.from_at, b.before_at,
                                           %(wanted)s, %(budget)s) s
        """,
        {
            "clauses": _documents(search),
            "newest_first": order == "desc",
            "after_at": after_at,
            "after_id": after_id,
            "from_at": search.from_at,
            "before_at": search.before_at,
            "wanted": wanted,
            "budget": budget,
        },
        _Hit,
    )
    stop = found.pop() if found and found[-1].is_stop else None
    places = [(hit.created_at, hit.contact_id) for hit in found]
    return Hits(places, stop and _position(stop, newest_first=order == "desc"))


def count_hits(tx: Tx, search: Search) -> int | None:
    """How many contacts meet a search; None when there are more than MOST_COUNTED, or counting takes too long."""
    return tx.one(
        "SELECT count_searched_contacts(%(clauses)s, %(from_at)s, %(before_at)s, %(most)s, %(budget)s)",
        {
            "clauses": _documents(search),
            "from_at": search.from_at,
            "before_at": search.before_at,
            "most": MOST_COUNTED,
            "budget": BUDGET,
        },
    )


def _documents(search: Search) -> object:
    return jsonb([clause.document() for clause in search.clauses])


def _position(stop: _Hit, *, newest_first: bool) -> Place:
    """What the next page comes after. Oldest first, the contact of the stop itself belongs to it."""
    return stop.created_at, stop.contact_id if newest_first else UUID(int=max(stop.contact_id.int - 1, 0))
