"""What every contact that a segment finds must have, as a search by the words of contacts.

Such a search brings all that meet the segment and others besides: whoever uses it compares each with the segment's condition.
So a rule that no word stands for (a part or an end of a text, when a contact was changed) is left out, and a wide range may
stand for a narrow one. Of a negation the narrow one is taken: a contact that certainly meets a rule does not meet its negation.
What is never left out is a contact that meets the segment.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from penguinmails.domain.contact_fields import DeclaredField
from penguinmails.domain.contact_words import (
    COUNTS,
    HIGHEST,
    LAST_OPENED,
    LINKS,
    LOWEST,
    MOST_TIMES,
    NOBODY,
    SHORTEST_BEGINNING,
    TEXT_FIELDS,
    Clause,
    Search,
    Word,
    count_words,
    covering,
    day_words,
    digits,
    linked,
    number_words,
    scored,
)
from penguinmails.domain.segments import NEGATIONS, moment_of


@dataclass(frozen=True, slots=True)
class Known:
    """What the account has, for rules that name it."""

    fields: Mapping[str, DeclaredField]
    find_link: Callable[[str, str], str | None]
    """The id of what a rule names: a `tag` by its name, a `list` or `workspace` by its id; None when there is no such thing."""
    find_addresses: Callable[[str, Sequence[str]], list[str] | None]
    """From `phone` or `external_id` and values to the addresses of those who have one; None when they are too many."""


_LONGEST = 127
"""Words of texts are cut at 255 characters, and a text may have twice as many once it is in lower case."""
_MOST_WORDS = 300
_MOST_CHARACTERS = 10_000
"""The database repeats the words for each of up to seventeen segments of a large tenant; a query has room for 1 MB."""
_UPWARDS = {"greater_than", "at_least", "after", "in_last_days"}
_DOWNWARDS = {"less_than", "at_most", "before"}
_DIGITS = 10
"""So many digits tell numbers apart that differ by more than the 200 millionth part; more would make a range of more words."""
_DAY = timedelta(days=1)
_NEVER_EMPTY = {"email", "status", "source", "lead_score", "created_at", "updated_at", *COUNTS}


def necessary_search(definition: Any, known: Known) -> Search | None:
    """The search for a definition that `compile_segment` accepts; None when nothing of it can be searched for."""
    found = _Reader(known).rule(definition, negated=False)
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
    known: Known

    def rule(self, rule: dict[str, Any], *, negated: bool) -> Search:
        if "not" in rule:
            return self.rule(rule["not"], negated=not negated)
        group = next((name for name in ("all", "any") if name in rule), None)
        if group is not None:
            searches = [self.rule(inner, negated=negated) for inner in rule[group]]
            # Not all of them is some of their negations.
            return _joined(searches) if (group == "all") != negated else _either(searches)
        named: str = rule["operator"]
        operator = NEGATIONS.get(named, named)
        return self._comparison(rule["field"], operator, rule.get("value"), negated != (operator != named))

    def _comparison(self, name: str, operator: str, value: Any, negated: bool) -> Search:
        if operator == "is_set" and name in _NEVER_EMPTY:
            return Search((NOBODY,)) if negated else Search()
        if name == "created_at":
            return _added(operator, value, negated)
        if name in COUNTS:
            clause = _counted(COUNTS[name], operator, value, negated)
        else:
            clause = self._clause(name, operator, value, negated)
            clause = clause and replace(clause, negated=negated)
        return Search() if clause is None else Search((clause,))

    def _clause(self, name: str, operator: str, value: Any, narrow: bool) -> Clause | None:
        """Words that all who meet a comparison have; when `narrow`, words that only such contacts have."""
        if name in LINKS:
            return linked(name, self.known.find_link(name, value))
        if name == "lead_score":
            return scored(*_whole_numbers(operator, value))
        if name == "last_email_opened_at":
            return _opened(operator, value, narrow)
        if name in {"phone", "external_id"}:
            return self._one_by_one(name, operator, value)
        if name in TEXT_FIELDS:
            return _text(TEXT_FIELDS[name], operator, value, narrow)
        declared = self.known.fields.get(name.removeprefix("attributes.")) if name.startswith("attributes.") else None
        return declared and _declared(declared, operator, value, narrow)

    def _one_by_one(self, name: str, operator: str, value: Any) -> Clause | None:
        """No words stand for what hardly two contacts have in common: they are found first, and then by their addresses."""
        if operator not in {"equals", "one_of"}:
            return None
        addresses = self.known.find_addresses(name, value if operator == "one_of" else [value])
        if addresses is None:
            return None
        return Clause(tuple(("e", address, False) for address in addresses)) if addresses else NOBODY


def _joined(searches: list[Search]) -> Search:
    joined = Search()
    for search in searches:
        joined = joined.requiring(*search.clauses)
        joined = joined if search.from_at is None else joined.added_from(search.from_at)
        joined = joined if search.before_at is None else joined.added_before(search.before_at)
    return joined


def _either(choices: list[Search]) -> Search:
    if len(choices) == 1:
        return choices[0]
    starts = [choice.from_at for choice in choices]
    ends = [choice.before_at for choice in choices]
    return Search(
        _alternatives([tuple(clause for clause in choice.clauses if not clause.negated) for choice in choices]),
        None if None in starts else min(start for start in starts if start is not None),
        None if None in ends else max(end for end in ends if end is not None),
    )


def _alternatives(choices: list[tuple[Clause, ...]]) -> tuple[Clause, ...]:
    """Clauses that hold when all of one choice's do: the first of each joined, then the second of each, and so on."""
    if not all(choices):
        return ()
    return tuple(
        Clause(tuple(dict.fromkeys(word for choice in choices for word in choice[place % len(choice)].any)))
        for place in range(max(map(len, choices)))
    )


def _text(letter: str, operator: str, value: Any, narrow: bool) -> Clause | None:
    if operator == "is_set":
        return Clause(((letter, "", True),))
    if operator not in {"equals", "one_of", "starts_with"}:
        return None
    texts: list[str] = value if operator == "one_of" else [value]
    is_beginning = operator == "starts_with"
    # The character 1 has a meaning of its own in what is sought.
    usable = [text for text in texts if len(text) <= _LONGEST and "\x01" not in text]
    if not usable or (len(usable) < len(texts) and not narrow):
        return None
    if is_beginning and len(value) < SHORTEST_BEGINNING:
        return None
    return Clause(tuple((letter, text, is_beginning) for text in usable))


def _whole_numbers(operator: str, value: float) -> tuple[int, int]:
    """The first and the last of the whole numbers, none of which is below zero, that meet a comparison."""
    low, high = {
        "equals": (math.ceil(value), math.floor(value)),
        "greater_than": (math.floor(value) + 1, MOST_TIMES),
        "at_least": (math.ceil(value), MOST_TIMES),
        "less_than": (0, math.ceil(value) - 1),
        "at_most": (0, math.floor(value)),
    }[operator]
    return max(low, 0), high


def _counted(letter: str, operator: str, value: float, negated: bool) -> Clause | None:
    low, high = _whole_numbers(operator, value)
    if low == 0 and high >= 0:
        # Who has none has no word for it: such contacts are those that have no more than so many.
        low, high, negated = high + 1, MOST_TIMES, not negated
    words = count_words(letter, low, high, narrow=negated)
    if words:
        return Clause(words, negated)
    return None if negated else NOBODY


def _opened(operator: str, value: Any, narrow: bool) -> Clause | None:
    if operator == "is_set":
        return Clause(((LAST_OPENED, "", True),))
    moment = _days_ago(value, narrow) if operator == "in_last_days" else moment_of(value)
    step = _DAY if narrow else timedelta(0)
    if operator == "before":
        return Clause(day_words(LAST_OPENED, None, _shifted(moment, -step)))
    return Clause(day_words(LAST_OPENED, _shifted(moment, step), None))


def _shifted(moment: datetime, by: timedelta) -> datetime:
    """Before the first and behind the last moment there are none, and no contact of that time either."""
    try:
        return moment + by
    except OverflowError:
        return moment


def _days_ago(days: int, narrow: bool) -> datetime:
    """The database's clock decides, and may be another: a day is left for that."""
    return datetime.now(UTC) - timedelta(days=days) + (_DAY if narrow else -_DAY)


def _declared(declared: DeclaredField, operator: str, value: Any, narrow: bool) -> Clause | None:
    letter = f"k{declared.id}"
    if declared.type == "text" or operator == "is_set":
        return _text(letter, operator, value, narrow)
    if declared.type == "boolean":
        return Clause(((letter, str(value).lower(), False),))
    words = _numbers(letter, declared.type, operator, value, narrow)
    return Clause(words) if words else None


def _numbers(letter: str, kind: str, operator: str, value: Any, narrow: bool) -> tuple[Word, ...]:
    if operator == "in_last_days":
        number = _days_ago(value, narrow).timestamp()
    else:
        number = moment_of(value).timestamp() if kind == "date" else float(value)
    # One step further: a number that was rounded to the one beside it is found all the same.
    low, high = (f"{int(digits(number), 16) + step:016x}" for step in (-1, 1))
    if operator == "equals":
        # Numbers that are rounded to the same one may differ.
        return () if narrow else number_words(letter, low, high)
    if narrow:
        low, high = (f"{int(bound[:_DIGITS], 16) + step:0{_DIGITS}x}" for bound, step in ((high, 1), (low, -1)))
    first, last = (low, HIGHEST) if operator in _UPWARDS else (LOWEST, high)
    return tuple((letter, text, True) for text in covering(first[:_DIGITS], last[:_DIGITS]))


def _added(operator: str, value: Any, negated: bool) -> Search:
    moment = _days_ago(value, negated) if operator == "in_last_days" else moment_of(value)
    if (operator == "before") != negated:
        # Not after a moment is up to it.
        return Search(before_at=_shifted(moment, timedelta(microseconds=1)) if negated else moment)
    return Search(from_at=moment)
