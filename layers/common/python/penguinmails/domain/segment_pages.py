"""Whom a segment finds, for somebody who waits for a page of them."""

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.contact_fields import declared_among
from penguinmails.domain.contact_search import BUDGET, find_hits, find_link
from penguinmails.domain.contact_words import Search
from penguinmails.domain.segment_members import COLUMNS, SELECT, FoundContact, page_of_found
from penguinmails.domain.segment_search import necessary_search
from penguinmails.domain.segments import Condition, compile_segment, custom_keys
from penguinmails.keyset import Conditions, Keyset, Order, select_page

WINDOW = 20_000
"""So many contacts are looked at before the time is."""
_HIGHEST_ID = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Up to `limit + 1` contacts, and the total when the page was asked for by offset."""

    rows: list[FoundContact]
    total: int | None
    stopped_at: tuple[datetime, UUID] | None = None
    """Where to go on, when it took so long that the page was not filled."""


@dataclass(frozen=True, slots=True)
class _Place:
    created_at: datetime
    id: UUID


def newest_found(tx: Tx, definition: Any, size: int) -> list[FoundContact]:
    """The newest contacts that meet a segment, however long it takes. Raises ValidationFailed."""
    segment = _read(tx, definition)
    newest = Keyset(size, "desc", "created_at", "time", None, None)
    if segment.search is None:
        return page_of_found(tx, newest, segment.condition)[0][:size]
    return _page_of_searched(tx, newest, segment.condition, segment.search, None).rows[:size]


def page_in_time(tx: Tx, keyset: Keyset, definition: Any) -> FoundPage:
    """A page of those who meet a definition, or as much of it as is found in time. Raises ValidationFailed."""
    segment = _read(tx, definition)
    if keyset.offset is not None:
        return FoundPage(*page_of_found(tx, keyset, segment.condition))
    if segment.search is None:
        return _page_of_all(tx, keyset, segment.condition)
    return _page_of_searched(tx, keyset, segment.condition, segment.search, BUDGET)


@dataclass(frozen=True, slots=True)
class _Segment:
    condition: Condition
    search: Search | None


def _read(tx: Tx, definition: Any) -> _Segment:
    fields = declared_among(tx, custom_keys(definition))
    condition = compile_segment(definition, fields)
    return _Segment(condition, necessary_search(definition, fields, lambda name: find_link(tx, "tag", name)))


def _page_of_searched(
    tx: Tx, keyset: Keyset, condition: Condition, search: Search, budget: timedelta | None
) -> FoundPage:
    """Those who meet the search, more of them at once when few of them meet the condition too."""
    ends_at = None if budget is None else time.monotonic() + budget.total_seconds()
    rows: list[FoundContact] = []
    after, wanted = keyset.after, keyset.limit + 1
    while True:
        left = None if ends_at is None else timedelta(seconds=ends_at - time.monotonic())
        hits = find_hits(tx, search, keyset.order, after, wanted, left)
        found = _those_who_meet(tx, [contact_id for _, contact_id in hits.places], keyset.order, condition)
        rows += found
        if len(rows) > keyset.limit:
            return FoundPage(rows[: keyset.limit + 1], None)
        if hits.stopped_at is not None or len(hits.places) < wanted:
            return FoundPage(rows, None, hits.stopped_at)
        after = hits.places[-1]
        if ends_at is not None and time.monotonic() > ends_at:
            return FoundPage(rows, None, after)
        most_met = 2 * len(found) >= wanted
        wanted = 2 * (keyset.limit + 1 - len(rows)) if most_met else min(2 * wanted, WINDOW)


def _those_who_meet(tx: Tx, ids: list[UUID], order: Order, condition: Condition) -> list[FoundContact]:
    """Those of the contacts that meet a condition."""
    where = Conditions()
    where.add("c.id = ANY(%(ids)s::uuid[])", ids=ids)
    # As a query for each contact: the planner would else meet a tag's condition by all contacts that have the tag.
    where.include("SELECT " + condition.sql, condition.params)
    # All of them are wanted: for fewer the planner might walk through contacts in their order.
    keyset = Keyset(len(ids), order, "created_at", "time", None, None)
    return select_page(tx, SELECT, where, keyset, COLUMNS, FoundContact, id_column="c.id")[0]


def _page_of_all(tx: Tx, keyset: Keyset, condition: Condition) -> FoundPage:
    ends_at = time.monotonic() + BUDGET.total_seconds()
    rows: list[FoundContact] = []
    after = keyset.after
    while True:
        end = _end_of_window(tx, keyset.order, after)
        rest = replace(keyset, limit=keyset.limit - len(rows), after=after)
        rows += page_of_found(tx, rest, condition)[0] if end is None else _page_of_window(tx, rest, condition, end)
        if end is None or len(rows) > keyset.limit:
            return FoundPage(rows, None)
        after = end
        if time.monotonic() > ends_at:
            return FoundPage(rows, None, after)


def _end_of_window(tx: Tx, order: str, after: tuple[datetime, UUID] | None) -> tuple[datetime, UUID] | None:
    """The last contact of the window that begins behind a place; None when fewer are left."""
    newest_first = order == "desc"
    at, after_id = after or (("infinity", _HIGHEST_ID) if newest_first else ("-infinity", UUID(int=0)))
    params = {"at": at, "id": after_id, "before": WINDOW - 1}
    if newest_first:
        place = tx.one(
            """
            SELECT c.created_at, c.id FROM contacts c WHERE (c.created_at, c.id) < (%(at)s::timestamptz, %(id)s::uuid)
            ORDER BY c.created_at DESC, c.id DESC OFFSET %(before)s LIMIT 1
            """,
            params,
            _Place,
        )
    else:
        place = tx.one(
            """
            SELECT c.created_at, c.id FROM contacts c WHERE (c.created_at, c.id) > (%(at)s::timestamptz, %(id)s::uuid)
            ORDER BY c.created_at, c.id OFFSET %(before)s LIMIT 1
            """,
            params,
            _Place,
        )
    return place and (place.created_at, place.id)


def _page_of_window(tx: Tx, keyset: Keyset, condition: Condition, end: tuple[datetime, UUID]) -> list[FoundContact]:
    where = Conditions()
    where.include(*condition)
    params = {"end_at": end[0], "end_id": end[1]}
    if keyset.order == "desc":
        where.add("(c.created_at, c.id) >= (%(end_at)s::timestamptz, %(end_id)s::uuid)", **params)
    else:
        where.add("(c.created_at, c.id) <= (%(end_at)s::timestamptz, %(end_id)s::uuid)", **params)
    return select_page(tx, SELECT, where, keyset, COLUMNS, FoundContact, id_column="c.id")[0]
