"""The words of `contact_search`, which say what a contact is (see the migration that made it), and searches made of them."""

import struct
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

TEXT_FIELDS = {
    "email": "e", "first_name": "f", "last_name": "l", "company": "c", "job_title": "j", "city": "y", "state": "a",
    "country": "n", "lead_source": "d", "source": "o", "status": "s",
}  # fmt: skip
LINKS = {"tag": "t", "list": "m", "workspace": "w"}
SHORTEST_BEGINNING = 3
"""Beginnings of fewer characters are those of so many contacts that the index is no help."""
LOWEST, HIGHEST = "0" * 16, "f" * 16
"""The first and the last number of `digits`."""
MOST_SCORE = 100
_HEX = "0123456789abcdef"

Word = tuple[str, str, bool]
"""A letter that says what it is about, the text, and whether the text is a beginning."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Some of these words hold for the contact; none of them when negated."""

    any: tuple[Word, ...]
    negated: bool = False

    def document(self) -> dict[str, Any]:
        """As the database's function reads it."""
        return {"not": self.negated, "any": [list(word) for word in self.any]}


@dataclass(frozen=True, slots=True)
class Search:
    """Clauses that must all hold, for contacts added within bounds: `from_at` belongs to them, `before_at` does not."""

    clauses: tuple[Clause, ...] = ()
    from_at: datetime | None = None
    before_at: datetime | None = None

    def requiring(self, *clauses: Clause) -> "Search":
        """The same with further clauses."""
        return replace(self, clauses=(*self.clauses, *clauses))

    def added_from(self, moment: datetime) -> "Search":
        """Only contacts added at that moment or later."""
        return replace(self, from_at=max(moment, self.from_at or moment))

    def added_before(self, moment: datetime) -> "Search":
        """Only contacts added before that moment."""
        return replace(self, before_at=min(moment, self.before_at or moment))


def linked(kind: str, link_id: str | None) -> Clause:
    """The contact has this tag, or is on this list or in this workspace; without an id no contact is."""
    return Clause(((LINKS[kind], link_id or "-", False),))


def scored(low: int, high: int) -> Clause:
    """The score is one of these. Each by itself: there are few, and an index reads whole words faster than beginnings."""
    words = tuple(("b", f"{value:03}", False) for value in range(low, min(high, MOST_SCORE) + 1))
    return Clause(words or (("b", "-", False),))


def number_words(letter: str, low: str, high: str) -> tuple[Word, ...]:
    """The value is a number from one to another, each written as `digits` does."""
    return tuple((letter, text, len(text) < len(low)) for text in covering(low, high))


def covering(low: str, high: str) -> list[str]:
    """The fewest beginnings that all texts of hexadecimal digits from `low` to `high`, and no others of that length, have."""
    if low > high:
        return []
    if not low.strip("0") and not high.strip("f"):
        return [""]
    found: list[str] = []
    for digit in _HEX[_HEX.index(low[0]) : _HEX.index(high[0]) + 1]:
        first = low[1:] if digit == low[0] else "0" * (len(low) - 1)
        last = high[1:] if digit == high[0] else "f" * (len(high) - 1)
        found += [digit + rest for rest in covering(first, last)]
    return found


def digits(value: float) -> str:
    """Sixteen digits whose order as text is the order of the numbers; `search_number` of the database makes the same."""
    bits = int.from_bytes(struct.pack(">d", value + 0.0), "big")
    return f"{bits ^ (1 << 64) - 1 if bits >> 63 else bits | 1 << 63:016x}"
