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
_DECIMAL, _HEX = "0123456789", "0123456789abcdef"
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
            return _numeric(term, "b", _DECIMAL, _score(term), _score(term))
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
    return _numeric(term, letter, _HEX, low, high)


def _numeric(term: Term, letter: str, alphabet: str, low: str, high: str) -> list[Clause]:
    """Compare with what lies between `low` and `high`, which are texts of digits; most often they are the same."""
    lowest, highest = alphabet[0] * len(low), alphabet[-1] * len(low)
    if term.is_prefix:
        raise ValidationFailed.of("query", f"{term.field} is a number, which has no beginning")
    bounds = {":": (low, high), ">=": (low, highest), "<=": (lowest, high), ">": (low, highest), "<": (lowest, high)}
    words = _words(letter, alphabet, *bounds[term.operator])
    if term.operator in {":", ">=", "<="}:
        return [Clause(words, term.negated)]
    edge = _words(letter, alphabet, low, high)
    if not term.negated:
        return [Clause(words), Clause(edge, negated=True)]
    # Not above is: has no such value at all, or one up to it.
    return [Clause(tuple(_minus(letter, alphabet, term.operator, low, high)), negated=True)]


def _minus(letter: str, alphabet: str, operator: str, low: str, high: str) -> tuple[Word, ...]:
    size = len(low)
    if operator == ">":
        above = _step(high, alphabet, 1)
        return () if above is None else _words(letter, alphabet, above, alphabet[-1] * size)
    below = _step(low, alphabet, -1)
    return () if below is None else _words(letter, alphabet, alphabet[0] * size, below)


def _step(digits: str, alphabet: str, by: int) -> str | None:
    base, size = len(alphabet), len(digits)
    value = int(digits, base) + by
    if not 0 <= value < base**size:
        return None
    return f"{value:0{size}x}" if base == len(_HEX) else f"{value:0{size}d}"


def _words(letter: str, alphabet: str, low: str, high: str) -> tuple[Word, ...]:
    return tuple((letter, text, len(text) < len(low)) for text in covering(low, high, alphabet))


def covering(low: str, high: str, alphabet: str) -> list[str]:
    """The fewest beginnings that all texts of digits from `low` to `high`, and no others of that length, have."""
    if low > high:
        return []
    if low == alphabet[0] * len(low) and high == alphabet[-1] * len(high):
        return [""]
    found: list[str] = []
    for digit in alphabet[alphabet.index(low[0]) : alphabet.index(high[0]) + 1]:
        first = low[1:] if digit == low[0] else alphabet[0] * (len(low) - 1)
        last = high[1:] if digit == high[0] else alphabet[-1] * (len(high) - 1)
        found += [digit + rest for rest in covering(first, last, alphabet)]
    return found


def _digits(value: float) -> str:
    """Sixteen digits whose order as text is the order of the numbers; `search_number` of the database makes the same."""
    bits = int.from_bytes(struct.pack(">d", value + 0.0), "big")
    return f"{bits ^ (1 << 64) - 1 if bits >> 63 else bits | 1 << 63:016x}"


def _score(term: Term) -> str:
    if not re.fullmatch(r"\d{1,3}", term.value):
        raise ValidationFailed.of("query", "score must be a whole number from 0 to 100, as in score>50")
    return f"{int(term.value):03}"


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
