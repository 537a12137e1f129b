"""Lists in SQL: conditions that are put together from literal parts, a stable order, and a position to go on from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, LiteralString, TypeVar
from uuid import UUID

from penguinmails.db import Tx

Row = TypeVar("Row")
Order = Literal["asc", "desc"]

MOST_COUNTED = 10_000
"""A page by offset says how many items there are up to so many: counting more would read a large account's whole list."""
_COUNTED: LiteralString = "SELECT count(*) FROM (SELECT 1 "
_CASTS: dict[str, LiteralString] = {"time": "::timestamptz", "text": "::text", "number": "::numeric"}


@dataclass(frozen=True, slots=True)
class Keyset:
    """A page's size, order and start: after a row (value and id), or by offset."""

    limit: int
    order: Order
    sort_by: str
    kind: str
    offset: int | None
    after: tuple[Any, UUID] | None


@dataclass(slots=True)
class Conditions:
    """A WHERE clause that grows; every part is literal, every value a parameter."""

    parts: list[LiteralString] = field(default_factory=list[LiteralString])
    params: dict[str, Any] = field(default_factory=dict[str, Any])

    def add(self, condition: LiteralString, **params: Any) -> None:
        """Require a condition."""
        self.parts.append(condition)
        self.params.update(params)

    def add_given(self, condition: LiteralString, **params: Any) -> None:
        """Require a condition, unless a value is None: the filter was not asked for."""
        if all(value is not None for value in params.values()):
            self.add(condition, **params)

    def include(self, condition: LiteralString, params: Mapping[str, Any]) -> None:
        """Require a condition that was compiled elsewhere, such as a segment's, with its parameters."""
        self.parts.append("(" + condition + ")")
        self.params.update(params)


def count_rows(tx: Tx, source: LiteralString, where: Conditions) -> int:
    """How many rows of `source` (`FROM ...`) meet the conditions."""
    return tx.one("SELECT count(*) " + source + _where(where.parts), where.params)


def select_page(
    tx: Tx,
    select: LiteralString,
    where: Conditions,
    keyset: Keyset,
    columns: dict[str, LiteralString],
    row: type[Row],
    *,
    id_column: LiteralString = "id",
    count_from: LiteralString | None = None,
) -> tuple[list[Row], int | None]:
    """Up to `limit + 1` rows in order, and the total when the page was asked for by offset and it is at most MOST_COUNTED.

    `select` is `SELECT ... FROM ...` without WHERE; `columns` maps public sort names to NOT NULL columns; `count_from`
    is the FROM part of the count when the select's joins do not matter to it.
    """
    column = columns[keyset.sort_by]
    direction: LiteralString = "DESC" if keyset.order == "desc" else "ASC"
    parts = list(where.parts)
    params = dict(where.params)
    total: int | None = None
    if keyset.offset is not None:
        source = count_from if count_from is not None else "FROM" + select.split("FROM", 1)[1]
        counted: int = tx.one(
            _COUNTED + source + _where(parts) + " LIMIT %(most_counted)s) AS counted",
            {**params, "most_counted": MOST_COUNTED + 1},
        )
        total = counted if counted <= MOST_COUNTED else None
    if keyset.after is not None:
        comparison: LiteralString = "<" if keyset.order == "desc" else ">"
        # A query for the value hides it from the planner. That takes what is filtered to lie evenly in the order; of what lies
        # in one run, such as an imported list, it expects next to nothing behind the place, and reads and sorts all of that.
        parts.append(
            "(" + column + ", " + id_column + ") " + comparison
            + " ((SELECT %(after_value)s" + _CASTS[keyset.kind] + "), %(after_id)s)"
        )  # fmt: skip
        params["after_value"], params["after_id"] = keyset.after
    params["page_limit"] = keyset.limit + 1
    params["page_offset"] = keyset.offset or 0
    statement = (
        select + _where(parts)
        + " ORDER BY " + column + " " + direction + ", " + id_column + " " + direction
        + " LIMIT %(page_limit)s OFFSET %(page_offset)s"
    )  # fmt: skip
    return tx.all(statement, params, row), total


def _where(parts: list[LiteralString]) -> LiteralString:
    return " WHERE " + " AND ".join(parts) if parts else ""
