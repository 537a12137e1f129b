"""What every contact that a segment finds must have, as a search by the words of contacts.

Such a search brings all that meet the segment and others besides: whoever uses it compares each with the segment's condition.
So a rule that no word stands for (a negation, a part or an end of a text, a number that changes with every open) is left out, and
a wide range may stand for a narrow one. What is never left out is a contact that meets the segment.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

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
    covering,
    digits,
    linked,
    number_words,
    scored,
)
from penguinmails.domain.segments import moment_of

FindTag = Callable[[str], str | None]
"""From the name of a tag to its id; None when there is no such tag."""

_LONGEST = 127
"""Words of texts are cut at 255 characters, and a text may have twice as many once it is in lower case."""
_MOST_WORDS = 300
_MOST_CHARACTERS = 10_000
"""The database repeats the words for each of up to seventeen segments of a large tenant; a query has room for 1 MB."""
_UPWARDS = {"greater_than", "at_least", "after", "in_last_days"}
_DOWNWARDS = {"less_than", "at_most", "before"}
_DIGITS = 10
"""So many digits tell numbers apart that differ by more than the 200 millionth part; more would make a range of more words."""


def necessary_search(definition: Any, fields: Mapping[str, DeclaredField], find_tag: FindTag) -> Search | None:
    """The search for a definition that `compile_segment` accepts; None when nothing of it can be searched for."""
    found = _Reader(fields, find_tag).rule(definition)
    clauses: list[Clause] = []
    words = characters = 0
    for clause in dict.fromkeys(found.clauses):
        more_words = words + len(clause.any)
        more_characters = characters + sum(len(letter) + len(text) for letter, text, _ in clause.any)
        if more_words <= _MOST_WORDS and more_characters <= _MOST_CHARACTERS:
            clauses.append(clause)
            words, characters = more_words, more_characters
    if not clauses and found.from_at is None and found.before_at is None:
        return None
    return Search(tuple(clauses), found.from_at, found.before_at)


@dataclass(frozen=True, slots=True)
class _Reader:
    fields: Mapping[str, DeclaredField]
    find_tag: FindTag

    def rule(self, rule: dict[str, Any]) -> Search:
        if "all" in rule:
            return _joined([self.rule(inner) for inner in rule["all"]])
        if "any" in rule:
            return Search(_alternatives([self.rule(inner).clauses for inner in rule["any"]]))
        if "not" in rule:
            return Search()
        name, operator, value = rule["field"], rule["operator"], rule.get("value")
        if name == "created_at":
            return _added(operator, value)
        clause = self._clause(name, operator, value)
        return Search() if clause is None else Search((clause,))

    def _clause(self, name: str, operator: str, value: Any) -> Clause | None:
        if name in LINKS:
            return self._link(name, operator, value)
        if name == "lead_score":
            return _score(operator, value)
        if name in TEXT_FIELDS:
            return _text(TEXT_FIELDS[name], operator, value)
        declared = self.fields.get(name.removeprefix("attributes.")) if name.startswith("attributes.") else None
        return declared and _declared(declared, operator, value)

    def _link(self, kind: str, operator: str, value: str) -> Clause | None:
        if operator != "has":
            return None
        return linked(kind, self.find_tag(value) if kind == "tag" else str(UUID(value)))


def _joined(searches: list[Search]) -> Search:
    joined = Search()
    for search in searches:
        joined = joined.requiring(*search.clauses)
        joined = joined if search.from_at is None else joined.added_from(search.from_at)
        joined = joined if search.before_at is None else joined.added_before(search.before_at)
    return joined


def _alternatives(choices: list[tuple[Clause, ...]]) -> tuple[Clause, ...]:
    """Clauses that hold when all of one choice's do: the first of each joined, then the second of each, and so on."""
    if not all(choices):
        return ()
    return tuple(
        Clause(tuple(dict.fromkeys(word for choice in choices for word in choice[place % len(choice)].any)))
        for place in range(max(map(len, choices)))
    )


def _text(letter: str, operator: str, value: Any) -> Clause | None:
    if operator not in {"equals", "one_of", "starts_with"}:
        return None
    texts: list[str] = value if operator == "one_of" else [value]
    is_beginning = operator == "starts_with"
    # The character 1 has a meaning of its own in what is sought.
    if any(len(text) > _LONGEST or "\x01" in text for text in texts):
        return None
    if is_beginning and len(value) < SHORTEST_BEGINNING:
        return None
    return Clause(tuple((letter, text, is_beginning) for text in texts))


def _score(operator: str, value: float) -> Clause | None:
    bounds = {
        "equals": (math.ceil(value), math.floor(value)),
        "greater_than": (math.floor(value) + 1, MOST_SCORE),
        "at_least": (math.ceil(value), MOST_SCORE),
        "less_than": (0, math.ceil(value) - 1),
        "at_most": (0, math.floor(value)),
    }
    if operator not in bounds:
        return None
    low, high = bounds[operator]
    return scored(max(low, 0), high)


def _declared(declared: DeclaredField, operator: str, value: Any) -> Clause | None:
    letter = f"k{declared.id}"
    if declared.type == "text":
        return _text(letter, operator, value)
    if declared.type == "boolean":
        return Clause(((letter, str(value).lower(), False),)) if operator == "equals" else None
    if operator in _UPWARDS or operator in _DOWNWARDS or operator == "equals":
        return Clause(_numbers(letter, declared.type, operator, value))
    return None


def _numbers(letter: str, kind: str, operator: str, value: Any) -> tuple[Word, ...]:
    if operator == "in_last_days":
        # The database's clock decides, and may be another.
        number = (datetime.now(UTC) - timedelta(days=value + 1)).timestamp()
    else:
        number = moment_of(value).timestamp() if kind == "date" else float(value)
    # One step further: a number that was rounded to the one beside it is found all the same.
    low, high = (f"{int(digits(number), 16) + step:016x}" for step in (-1, 1))
    if operator == "equals":
        return number_words(letter, low, high)
    first, last = (low, HIGHEST) if operator in _UPWARDS else (LOWEST, high)
    return tuple((letter, text, True) for text in covering(first[:_DIGITS], last[:_DIGITS]))


def _added(operator: str, value: Any) -> Search:
    if operator == "before":
        return Search(before_at=moment_of(value))
    if operator == "after":
        return Search(from_at=moment_of(value))
    if operator == "in_last_days":
        return Search(from_at=datetime.now(UTC) - timedelta(days=value + 1))
    return Search()
