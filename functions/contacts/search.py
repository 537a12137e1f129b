"""What a search asks for, as the words of `contact_search` (see the migration that made it)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from contacts.search_grammar import Term
from penguinmails.domain.contact_fields import DeclaredField
from penguinmails.domain.contact_words import (
    HIGHEST,
    LINKS,
    LOWEST,
    MOST_SCORE,
    SHORTEST_BEGINNING,
    TEXT_FIELDS,
    Clause,
    Search,
    Word,
    digits,
    linked,
    number_words,
    scored,
)
from penguinmails.errors import ValidationFailed

FIELDS = (*TEXT_FIELDS, "score", "created", *LINKS)
_ALIASES = {"lead_score": "score", "created_at": "created"}
_STATUSES = ("active", "unsubscribed", "bounced")
_NAMES = "efl"
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,10})?$")

FindLink = Callable[[str, str], str | None]
"""From `tag`, `list` or `workspace` and a name to its id; None when there is no such thing."""


class UnknownField(Exception):
    """A term compares a field that there is not."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


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
    if len(text.lower()) <= SHORTEST_BEGINNING and len(text) <= SHORTEST_BEGINNING:
        # Short beginnings have words of their own: as ranges they would hold a large part of all addresses.
        return Clause((("p", text, False), ("q", text, False)) if with_company else (("p", text, False),))
    return Clause(tuple((letter, text, True) for letter in (_NAMES + "c" if with_company else _NAMES)))


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
    if term.is_prefix and len(term.value) < SHORTEST_BEGINNING:
        raise ValidationFailed.of(
            "query", f"{term.field}: at least {SHORTEST_BEGINNING} characters must stand before *"
        )
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
        low = high = digits(float(term.value))
    else:
        first, after = _span(term, declared.key)
        low = digits(first.timestamp())
        high = low if first == after else f"{int(digits(after.timestamp()), 16) - 1:016x}"
    return _numeric(term, letter, low, high)


def _numeric(term: Term, letter: str, low: str, high: str) -> list[Clause]:
    """Compare with what lies between `low` and `high`, which are texts of digits; most often they are the same."""
    bounds = {
        ":": (low, high),
        ">=": (low, HIGHEST),
        "<=": (LOWEST, high),
        ">": (low, HIGHEST),
        "<": (LOWEST, high),
    }
    words = number_words(letter, *bounds[term.operator])
    if term.operator in {":", ">=", "<="}:
        return [Clause(words, term.negated)]
    if not term.negated:
        return [Clause(words), Clause(number_words(letter, low, high), negated=True)]
    # Not above is: has no such value at all, or one up to it.
    return [Clause(_beyond(letter, term.operator, low, high), negated=True)]


def _beyond(letter: str, operator: str, low: str, high: str) -> tuple[Word, ...]:
    if operator == ">":
        return number_words(letter, f"{int(high, 16) + 1:016x}", HIGHEST) if high < HIGHEST else ()
    return number_words(letter, LOWEST, f"{int(low, 16) - 1:016x}") if low > LOWEST else ()


def _scored(term: Term) -> Clause:
    if term.is_prefix or not re.fullmatch(r"\d{1,3}", term.value):
        raise ValidationFailed.of("query", "score must be a whole number from 0 to 100, as in score>50")
    score = int(term.value)
    low = {":": score, ">": score + 1, ">=": score}.get(term.operator, 0)
    high = {":": score, "<": score - 1, "<=": score}.get(term.operator, MOST_SCORE)
    return replace(scored(low, high), negated=term.negated)


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
