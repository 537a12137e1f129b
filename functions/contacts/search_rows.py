"""Pages of contacts that a search finds."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.contact_search import BUDGET, OFFSET_BUDGET, count_hits, find_hits, not_reached
from penguinmails.domain.contact_words import Search
from penguinmails.domain.contacts import SELECT, ContactRow
from penguinmails.keyset import Keyset


@dataclass(frozen=True, slots=True)
class Found:
    """Up to `limit + 1` contacts, and the total when the page was asked for by offset and there are not too many."""

    rows: list[ContactRow]
    total: int | None
    stopped_at: tuple[datetime, UUID] | None = None
    """Where to go on, when the search took so long that the page was not filled."""


def first_custom_keys(tx: Tx) -> list[str]:
    """Keys of the tenant's custom fields, fifty at most."""
    return tx.all("SELECT key FROM contact_fields ORDER BY key LIMIT 50", {})


def page_of_search(tx: Tx, keyset: Keyset, search: Search) -> Found:
    """A page of contacts by when they were added. Raises ValidationFailed for an offset that is not reached in time."""
    offset = keyset.offset
    total = None if offset is None else count_hits(tx, search)
    budget = BUDGET if offset is None else OFFSET_BUDGET
    hits = find_hits(tx, search, keyset.order, keyset.after, (offset or 0) + keyset.limit + 1, budget)
    if offset is not None and hits.stopped_at is not None:
        raise not_reached()
    ids = [contact_id for _, contact_id in hits.places[offset or 0 :]]
    rows = {row.id: row for row in tx.all(SELECT + " WHERE c.id = ANY(%(ids)s::uuid[])", {"ids": ids}, ContactRow)}
    return Found([rows[contact_id] for contact_id in ids if contact_id in rows], total, hits.stopped_at)
