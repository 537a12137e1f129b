"""The words of `contact_search`, which say what a contact is (see the migration that made it), and searches made of them."""

import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

TEXT_FIELDS = {
    "email": "e", "first_name": "f", "last_name": "l", "company": "c", "job_title": "j", "city": "y", "state": "a",
    "country": "n", "lead_source": "d", "source": "o", "status": "s",
}  # fmt: skip
COUNTS = {"total_opens": "g", "total_clicks": "h"}
LAST_OPENED = "r"
LINKS = {"tag": "t", "list": "m", "workspace": "w"}
SHORTEST_BEGINNING = 3
"""Beginnings of fewer characters are those of so many contacts that the index is no help."""
LOWEST, HIGHEST = "0" * 16, "f" * 16
"""The first and the last number of `digits`."""
MOST_SCORE = 100
MOST_TIMES = (1 << 31) - 1
"""The largest number of opens or clicks that a contact can have."""
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


NOBODY = Clause((("b", "-", False),))
"""No contact has this word."""


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
    return Clause(words) if words else NOBODY


def count_words(letter: str, low: int, high: int, *, narrow: bool) -> tuple[Word, ...]:
    """A number from 1 on lies from `low` to `high`, or beside them; when `narrow` surely between.

    As `count_word` of the database has it: up to 15 each number has its own word, then eight words share the numbers from a
    power of two to the next one.
    """
    high = min(high, MOST_TIMES)
    if low > high:
        return ()
    first, last = _place(low), _place(high)
    if narrow:
        first += _place(low - 1) == first
        last -= _place(high + 1) == last
    # Fewer words do for a range that is open at an end.
    first, last = first if low > 1 else 0, last if high < MOST_TIMES else 0xFF
    return tuple((letter, text, len(text) < 2) for text in covering(f"{first:02x}", f"{last:02x}"))


def _place(number: int) -> int:
    power = number.bit_length() - 1
    return max(number, 0) if power < 3 else 8 * power + (number >> power - 3 & 7)


def day_words(letter: str, start: datetime | None, end: datetime | None) -> tuple[Word, ...]:
    """A moment lies on the days from one to another, those of UTC; see `day_word` of the database."""
    low, high = ("0000" if start is None else _day(start)), ("ffff" if end is None else _day(end))
    return tuple((letter, text, len(text) < 4) for text in covering(low, high))


def _day(moment: datetime) -> str:
    return f"{min(max((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(days=1), 0), 0xFFFF):04x}"


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
