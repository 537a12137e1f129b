"""Whom a segment finds: a page of contacts, and their number."""

import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.segments import Condition
from penguinmails.errors import ServiceUnavailable
from penguinmails.keyset import Conditions, Keyset, count_rows, select_page

WINDOW = 20_000
"""So many contacts are looked at before the time is."""
BUDGET_SECONDS = 0.2
_HIGHEST_ID = UUID(int=(1 << 128) - 1)
COLUMNS: dict[str, LiteralString] = {"created_at": "c.created_at"}
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


def segment_definition(tx: Tx, segment_id: UUID) -> dict[str, Any]:
    """The rules of a segment that something refers to."""
    return tx.one("SELECT definition FROM segments WHERE id = %(id)s", {"id": segment_id})


def page_of_found(tx: Tx, keyset: Keyset, condition: Condition) -> tuple[list[FoundContact], int | None]:
    """A page of the contacts that meet a compiled segment."""
    where = Conditions()
    where.include(*condition)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, FoundContact, id_column="c.id")


def page_in_time(tx: Tx, keyset: Keyset, condition: Condition) -> FoundPage:
    """The same for somebody who waits: rules may compare anything, so few of very many contacts may meet them."""
    if keyset.offset is not None:
        return FoundPage(*page_of_found(tx, keyset, condition))
    ends_at = time.monotonic() + BUDGET_SECONDS
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
    return select_page(tx, _SELECT, where, keyset, COLUMNS, FoundContact, id_column="c.id")[0]


def count_in_time(tx: Tx, condition: Condition) -> int | None:
    """How many contacts meet a compiled segment; None when counting takes longer than a request should wait for it."""
    try:
        with tx.savepoint():
            tx.run("SET LOCAL statement_timeout = '8s'", {})
            found = count_found(tx, condition)
    except ServiceUnavailable:
        return None
    tx.run("SET LOCAL statement_timeout TO DEFAULT", {})
    return found


def count_found(tx: Tx, condition: Condition) -> int:
    """How many contacts meet a compiled segment."""
    where = Conditions()
    where.include(*condition)
    return count_rows(tx, "FROM contacts c", where)


def newest_found(tx: Tx, condition: Condition, size: int) -> list[FoundContact]:
    """The newest contacts that meet a compiled segment."""
    rows, _ = page_of_found(tx, Keyset(size, "desc", "created_at", "time", None, None), condition)
    return rows[:size]
