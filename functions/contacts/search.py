"""What a search asks for, as the words of `contact_search` (see the migration that made it)."""

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from contacts.search_grammar import Term
from penguinmails.domain.contact_fields import DeclaredField
from penguinmails.errors import ValidationFailed

TEXT_FIELDS = {
    "email": "e", "first_name": "f", "last_name": "l", "company": "c", "job_title": "j", "city": "y", "state": "a",
    "country": "n", "lead_source": "d", "source": "o", "status": "s",
}  # fmt: skip
LINKS = {"tag": "t", "list": "m", "workspace": "w"}
FIELDS = (*TEXT_FIELDS, "score", "created", *LINKS)
_ALIASES = {"lead_score": "score", "created_at": "created"}
_STATUSES = ("active", "unsubscribed", "bounced")
_SHORT = 3
_NAMES = "efl"
_HEX = "0123456789abcdef"
_LOWEST, _HIGHEST = "0" * 16, "f" * 16
_MOST_SCORE = 100
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,10})?$")

Word = tuple[str, str, bool]
"""A letter that says what it is about, the text, and whether the text is a beginning."""
FindLink = Callable[[str, str], str | None]
"""From `tag`, `list` or `workspace` and a name to its id; None when there is no such thing."""


class UnknownField(Exception):
    """A term compares a field that there is not."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


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


def compile_search(terms: Sequence[Term], fields: Mapping[str, DeclaredField], find_link: FindLink) -> Search:
    """The search that the terms stand for.

    `fields` are those of the tenant's custom fields that `custom_keys` names. Raises UnknownField, and ValidationFailed that
    names a value that its field cannot have.
    """
    compiler = _Compiler(fields, find_link)
    search = Search()
    for term in terms:
        search = compiler.add(search, term)
    return search


def custom_keys(terms: Sequence[Term]) -> list[str]:
    """The keys of custom fields that the terms may mean."""
    return sorted({term.field.removeprefix("attributes.") for term in terms if term.field is not None})


def beginning(text: str, *, with_company: bool) -> Clause:
    """The address, a name, or the company too, begins so."""
    if len(text.lower()) <= _SHORT and len(text) <= _SHORT:
        # Short beginnings have words of their own: as ranges they would hold a large part of all addresses.
        return Clause((("p", text, False), ("q", text, False)) if with_company else (("p", text, False),))
    return Clause(tuple((letter, text, True) for letter in (_NAMES + "c" if with_company else _NAMES)))


def linked(kind: str, link_id: str | None) -> Clause:
    """The contact has this tag, or is on this list or in this workspace; without an id no contact is."""
    return Clause(((LINKS[kind], link_id or "-", False),))


@dataclass(slots=True)
class _Compiler:
    fields: Mapping[str, DeclaredField]
    find_link: FindLink
    _links: dict[tuple[str, str], str | None] = field(default_factory=dict[tuple[str, str], "str | None"])

    def add(self, search: Search, term: Term) -> Search:
        name = _ALIASES.get(term.field or "", term.field)
        if name is None:
            return search.requiring(replace(beginning(term.value, with_company=True), negated=term.negated))
        if name == "created":
            return _created(search, term)
        return search.requiring(*self._clauses(name, term))

    def _clauses(self, name: str, term: Term) -> list[Clause]:
        if name in TEXT_FIELDS:
            return [_text(TEXT_FIELDS[name], term)]
        if name in LINKS:
            _only_equal(term, name)
            key = (name, term.value)
            if key not in self._links:
                self._links[key] = self.find_link(*key)
            return [replace(linked(*key[:1], self._links[key]), negated=term.negated)]
        if name == "score":
            return [_scored(term)]
        declared = self.fields.get(name.removeprefix("attributes."))
        if declared is None:
            raise UnknownField(name)
        return _declared(declared, term)


def _text(letter: str, term: Term) -> Clause:
    if letter == "s" and term.value.lower() not in _STATUSES:
        raise ValidationFailed.of("query", f"status must be one of {', '.join(_STATUSES)}")
    if term.operator != ":":
        raise ValidationFailed.of("query", f"{term.field} is a text; compare it with : as in {term.field}:{term.value}")
    if term.is_prefix and len(term.value) < _SHORT:
        raise ValidationFailed.of("query", f"{term.field}: at least {_SHORT} characters must stand before *")
    return Clause(((letter, term.value, term.is_prefix),), term.negated)


def _only_equal(term: Term, name: str) -> None:
    if term.operator != ":" or term.is_prefix:
        raise ValidationFailed.of("query", f"{name} takes : and a whole name, as in {name}:vip")


def _declared(declared: DeclaredField, term: Term) -> list[Clause]:
    letter = f"k{declared.id}"
    if declared.type == "text":
        return [_text(letter, term)]
    if term.is_prefix:
        raise ValidationFailed.of("query", f"{declared.key} is a {declared.type}, which has no beginning")
    if declared.type == "boolean":
        if term.operator != ":" or term.value not in {"true", "false"}:
            raise ValidationFailed.of("query", f"{declared.key} is true or false, as in {declared.key}:true")
        return [Clause(((letter, term.value, False),), term.negated)]
    if declared.type == "number":
        if not _NUMBER.match(term.value):
            raise ValidationFailed.of("query", f"{declared.key}: must be a number such as 12 or -0.5")
        low = high = _digits(float(term.value))
    else:
        first, after = _span(term, declared.key)
        low = _digits(first.timestamp())
        high = low if first == after else f"{int(_digits(after.timestamp()), 16) - 1:016x}"
    return _numeric(term, letter, low, high)


def _numeric(term: Term, letter: str, low: str, high: str) -> list[Clause]:
    """Compare with what lies between `low` and `high`, which are texts of digits; most often they are the same."""
    bounds = {
        ":": (low, high),
        ">=": (low, _HIGHEST),
        "<=": (_LOWEST, high),
        ">": (low, _HIGHEST),
        "<": (_LOWEST, high),
    }
    words = _words(letter, *bounds[term.operator])
    if term.operator in {":", ">=", "<="}:
        return [Clause(words, term.negated)]
    if not term.negated:
        return [Clause(words), Clause(_words(letter, low, high), negated=True)]
    # Not above is: has no such value at all, or one up to it.
    return [Clause(_beyond(letter, term.operator, low, high), negated=True)]


def _beyond(letter: str, operator: str, low: str, high: str) -> tuple[Word, ...]:
    if operator == ">":
        return _words(letter, f"{int(high, 16) + 1:016x}", _HIGHEST) if high < _HIGHEST else ()
    return _words(letter, _LOWEST, f"{int(low, 16) - 1:016x}") if low > _LOWEST else ()


def _words(letter: str, low: str, high: str) -> tuple[Word, ...]:
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


def _digits(value: float) -> str:
    """Sixteen digits whose order as text is the order of the numbers; `search_number` of the database makes the same."""
    bits = int.from_bytes(struct.pack(">d", value + 0.0), "big")
    return f"{bits ^ (1 << 64) - 1 if bits >> 63 else bits | 1 << 63:016x}"


def _scored(term: Term) -> Clause:
    """Each score by itself: there are few, and an index reads whole words faster than beginnings."""
    if term.is_prefix or not re.fullmatch(r"\d{1,3}", term.value):
        raise ValidationFailed.of("query", "score must be a whole number from 0 to 100, as in score>50")
    score = int(term.value)
    low = {":": score, ">": score + 1, ">=": score}.get(term.operator, 0)
    high = {":": score, "<": score - 1, "<=": score}.get(term.operator, _MOST_SCORE)
    words = tuple(("b", f"{value:03}", False) for value in range(low, min(high, _MOST_SCORE) + 1))
    return Clause(words or (("b", "-", False),), term.negated)


def _created(search: Search, term: Term) -> Search:
    first, after = _span(term, "created")
    after = after if after > first else first + timedelta(microseconds=1)
    operator = term.operator
    if term.negated:
        if operator == ":":
            raise ValidationFailed.of("query", "created cannot be negated with :; write created<… or created>… instead")
        operator = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}[operator]
    if operator in {":", ">="}:
        search = search.added_from(first)
    if operator in {":", "<="}:
        search = search.added_before(after)
    if operator == ">":
        search = search.added_from(after)
    return search.added_before(first) if operator == "<" else search


def _span(term: Term, name: str) -> tuple[datetime, datetime]:
    """The day that a date stands for, in UTC, as its begin and end; a moment is its own begin and end."""
    wrong = ValidationFailed.of(
        "query", f'{name}: must be a date such as 2026-01-31 or a moment such as "2026-01-31T12:00:00Z"'
    )
    if term.is_prefix:
        raise wrong
    try:
        moment = datetime.fromisoformat(term.value)
        if re.fullmatch(r"\d{4}-\d\d-\d\d", term.value):
            day = moment.replace(tzinfo=UTC)
            return day, day + timedelta(days=1)
        if moment.tzinfo is None:
            raise wrong
        return moment.astimezone(UTC), moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong from None
