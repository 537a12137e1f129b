"""Whom a segment finds, in parts that end in time: pages of them, and their number."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Any, Generic, LiteralString, TypeVar
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.contact_fields import DeclaredField, declared_among
from penguinmails.domain.contact_search import (
    BUDGET,
    OFFSET_BUDGET,
    Place,
    find_addresses,
    find_hits,
    find_named,
    not_reached,
)
from penguinmails.domain.contact_words import Search
from penguinmails.domain.contacts import SELECT, ContactRow
from penguinmails.domain.segment_search import Known, necessary_search
from penguinmails.domain.segments import Condition, compile_all, compile_segment, custom_keys
from penguinmails.keyset import MOST_COUNTED, Conditions, Keyset, Order, count_rows, select_page

WINDOW = 20_000
"""No more contacts are looked at before the time is."""
_AT_FIRST = 300
"""Before it is known how many of those that a search brings belong."""
_GROWTH = 4
"""No more than so many times as many are looked at next: the first few may have been an exception."""
_SPARE = 1.1
"""A little more than is expected to do, since another search for the rest would cost more."""
_HIGHEST_ID = UUID(int=(1 << 128) - 1)
_COLUMNS: dict[str, LiteralString] = {"created_at": "c.created_at"}
_COUNT_FROM: LiteralString = "FROM contacts c"
_ROW: LiteralString = "(c.created_at, c.id) "
_SELECT: LiteralString = "SELECT c.id, c.email, c.first_name, c.last_name, c.status, c.created_at FROM contacts c"


@dataclass(frozen=True, slots=True)
class FoundContact:
    """One contact that meets a condition."""

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None
    status: str
    created_at: datetime


Row = TypeVar("Row")


_SELECTS: dict[type[Any], LiteralString] = {FoundContact: _SELECT, ContactRow: SELECT}


@dataclass(frozen=True, slots=True)
class Segment:
    """Who belongs, and a search that brings all of them and others besides; None when every contact must be looked at."""

    condition: Condition
    search: Search | None


@dataclass(frozen=True, slots=True)
class FoundPage(Generic[Row]):
    """Up to `limit + 1` contacts, and the total when the page was asked for by offset and there are not too many."""

    rows: list[Row]
    total: int | None = None
    stopped_at: Place | None = None
    """Where to go on, when it took so long that the page was not filled."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many belong; `stopped_at` is where to go on counting when the time was over."""

    contacts: int
    stopped_at: Place | None


@dataclass(frozen=True, slots=True)
class _Part:
    """Those who belong of the contacts that are looked at next, and where the contacts after these begin."""

    where: Conditions
    looked_at: int
    ends_at: Place | None


@dataclass(frozen=True, slots=True)
class _Place:
    created_at: datetime
    id: UUID


def segment_definition(tx: Tx, segment_id: UUID) -> dict[str, Any]:
    """The rules of a segment that something refers to."""
    return tx.one("SELECT definition FROM segments WHERE id = %(id)s", {"id": segment_id})


def list_definition(tx: Tx, list_id: UUID) -> dict[str, Any]:
    """The rules of who is on a list: those of its segment when it is dynamic."""
    definition = tx.one(
        """
        SELECT s.definition FROM lists l JOIN segments s ON s.tenant_id = l.tenant_id AND s.mode = l.mode AND s.id = l.segment_id
        WHERE l.id = %(id)s
        """,
        {"id": list_id},
    )
    return definition or {"field": "list", "operator": "has", "value": str(list_id)}


def read_segment(tx: Tx, definition: Any) -> Segment:
    """The segment of a definition. Raises ValidationFailed."""
    fields = declared_among(tx, custom_keys(definition))
    condition = compile_segment(definition, fields)
    return Segment(condition, necessary_search(definition, _known(tx, fields)))


def read_segments(tx: Tx, definitions: Sequence[Any]) -> Segment:
    """Those who meet several definitions at once; all contacts when there are none. Raises ValidationFailed."""
    if not definitions:
        return Segment(Condition("true", {}), None)
    fields = declared_among(tx, custom_keys(list(definitions)))
    condition = compile_all(definitions, fields)
    together = {"all": list(definitions)}
    return Segment(condition, necessary_search(together, _known(tx, fields)))


def _known(tx: Tx, fields: Mapping[str, DeclaredField]) -> Known:
    return Known(fields, partial(find_named, tx), partial(find_addresses, tx))


def page_in_time(
    tx: Tx, keyset: Keyset, segment: Segment, *, of: type[Row] = FoundContact, budget: timedelta = BUDGET
) -> FoundPage[Row]:
    """A page of those who belong, or as much of it as is found in time.

    Raises ValidationFailed for an offset that is not reached in time.
    """
    if keyset.offset is not None:
        return _page_by_offset(tx, keyset, segment, of)
    ends_at = time.monotonic() + budget.total_seconds()
    rows: list[Row] = []
    after, wanted = keyset.after, min(keyset.limit + 1, _AT_FIRST, WINDOW)
    while True:
        part = _next_part(tx, segment, keyset.order, after, wanted, ends_at)
        missing = keyset.limit - len(rows)
        # All of the hits are wanted: for fewer the planner might walk through contacts in their order.
        of_part = replace(keyset, after=None, limit=missing if segment.search is None else max(missing, part.looked_at))
        found, _ = select_page(
            tx, _SELECTS[of], part.where, of_part, _COLUMNS, of, id_column="c.id", count_from=_COUNT_FROM
        )
        rows += found
        if len(rows) > keyset.limit or part.ends_at is None:
            return FoundPage(rows[: keyset.limit + 1])
        after = part.ends_at
        if time.monotonic() > ends_at:
            return FoundPage(rows, None, after)
        # As many as are needed when so many of them belong as did of these.
        needed = ceil(_SPARE * (keyset.limit + 1 - len(rows)) * wanted / max(len(found), 1))
        wanted = min(needed, _GROWTH * wanted, WINDOW)


def _page_by_offset(tx: Tx, keyset: Keyset, segment: Segment, of: type[Row]) -> FoundPage[Row]:
    skipped = keyset.offset or 0
    whole = replace(keyset, offset=None, limit=skipped + keyset.limit)
    page = page_in_time(tx, whole, segment, of=of, budget=OFFSET_BUDGET)
    if page.stopped_at is not None:
        raise not_reached()
    total: int | None = len(page.rows)
    if len(page.rows) > whole.limit:
        counted = count_in_time(tx, segment, most=MOST_COUNTED)
        total = counted.contacts if counted.stopped_at is None and counted.contacts <= MOST_COUNTED else None
    return FoundPage(page.rows[skipped:], total)


def count_in_time(
    tx: Tx, segment: Segment, *, after: Place | None = None, most: int | None = None, budget: timedelta = BUDGET
) -> Counted:
    """How many belong, the newest first: until the time is over, or more than `most` are counted."""
    ends_at = time.monotonic() + budget.total_seconds()
    contacts = 0
    while True:
        part = _next_part(tx, segment, "desc", after, WINDOW, ends_at)
        contacts += count_rows(tx, "FROM contacts c", part.where)
        after = part.ends_at
        is_enough = most is not None and contacts > most
        if after is None or is_enough or time.monotonic() > ends_at:
            return Counted(contacts, after)


def _next_part(tx: Tx, segment: Segment, order: Order, after: Place | None, wanted: int, ends_at: float) -> _Part:
    where = Conditions()
    if segment.search is None:
        end = _end_of_window(tx, order, after, wanted)
        _between(where, order, after, end)
        where.include(*segment.condition)
        return _Part(where, wanted, end)
    hits = find_hits(tx, segment.search, order, after, wanted, timedelta(seconds=ends_at - time.monotonic()))
    where.add("c.id = ANY(%(ids)s::uuid[])", ids=[contact_id for _, contact_id in hits.places])
    # As a query for each contact: the planner would else meet a tag's condition by all contacts that have the tag.
    where.include("SELECT " + segment.condition.sql, segment.condition.params)
    is_end = len(hits.places) < wanted
    return _Part(where, len(hits.places), hits.stopped_at or (None if is_end else hits.places[-1]))


def _end_of_window(tx: Tx, order: Order, after: Place | None, size: int) -> Place | None:
    """The last of so many contacts behind a place; None when fewer are left."""
    newest_first = order == "desc"
    at, after_id = after or (("infinity", _HIGHEST_ID) if newest_first else ("-infinity", UUID(int=0)))
    params = {"at": at, "id": after_id, "before": size - 1}
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


def _between(where: Conditions, order: Order, after: Place | None, end: Place | None) -> None:
    """Only contacts of the window: behind a place, and up to its end."""
    beyond, until = ("<", ">=") if order == "desc" else (">", "<=")
    if after is not None:
        params = {"after_at": after[0], "after_id": after[1]}
        where.add(_ROW + beyond + " (%(after_at)s::timestamptz, %(after_id)s::uuid)", **params)
    if end is not None:
        where.add(_ROW + until + " (%(end_at)s::timestamptz, %(end_id)s::uuid)", end_at=end[0], end_id=end[1])
