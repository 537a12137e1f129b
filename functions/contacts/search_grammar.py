"""The language in which contacts are searched: `industry:SaaS company:"Acme Inc" score>50 -tag:vip ada`.

A query is a list of terms, all of which must hold; AND may stand between them. A term is a comparison, which is a field,
an operator (`:` or `=`, `>`, `>=`, `<`, `<=`) and a value without spaces between them, or a word to look for. Words and values
with spaces stand in double quotes, in which `\\"` is a quote and `\\\\` a backslash. `-` or NOT before a term negates it. A `*`
after a value means a beginning. There is no OR and there are no brackets.
"""

import re
from dataclasses import dataclass
from typing import Literal, cast

from penguinmails.errors import ValidationFailed

MAX_LENGTH = 500
MAX_TERMS = 20
MAX_VALUE = 255

Operator = Literal[":", ">", ">=", "<", "<="]

_QUOTED = r'"(?P<quoted>(?:[^"\\]|\\.)*)"'
_TERM = re.compile(
    r"(?P<minus>-?)(?:(?P<field>[A-Za-z][A-Za-z0-9_.-]{0,74})(?P<operator>>=|<=|[:=<>]))?"
    rf'(?:{_QUOTED}|(?P<plain>[^\s"]+)|(?P<nothing>(?=\s|$)))(?P<star>\*?)(?=\s|$)',
    re.DOTALL,
)
_SPACE = re.compile(r"\s+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition of a query; `field` is None for a word."""

    field: str | None
    operator: Operator
    value: str
    is_prefix: bool = False
    negated: bool = False


def parse(query: str) -> list[Term]:
    """The terms of a query, in order. Raises ValidationFailed that says what cannot be read."""
    if len(query) > MAX_LENGTH:
        raise _fault(f"is longer than {MAX_LENGTH} characters")
    terms: list[Term] = []
    position, negated, expects = 0, False, False
    text = query.strip()
    while position < len(text):
        found = _TERM.match(text, position)
        if found is None:
            raise _fault(f"cannot be read from {text[position : position + 20]!r} on; is a quote not closed?")
        word = found[0]
        if word == "OR":
            raise _fault('has OR, and all terms must hold; search for each by itself, or write "OR" for the word')
        if word == "AND" and (not terms or negated or expects):
            raise _fault("has AND without a term before it")
        if word == "AND":
            expects = True
        elif word == "NOT":
            if negated:
                raise _fault("has NOT twice before one term")
            negated = True
        else:
            terms.append(_term(found, negated=negated))
            negated = expects = False
        position = _after_space(text, found.end())
    if negated or expects:
        raise _fault("ends where a term was expected")
    if not terms:
        raise _fault("holds no term; write for example company:Acme")
    if len(terms) > MAX_TERMS:
        raise _fault(f"has {len(terms)} terms; at most {MAX_TERMS} are accepted")
    return terms


def _after_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _term(found: re.Match[str], *, negated: bool) -> Term:
    if negated and found["minus"]:
        raise _fault("has NOT and - before one term")
    quoted, is_prefix = found["quoted"], found["star"] == "*"
    value = found["plain"] or "" if quoted is None else _ESCAPE.sub(r"\1", quoted)
    if quoted is None and value.endswith("*"):
        value, is_prefix = value[:-1], True
    where = f"{found['field']}: the value" if found["field"] else "a word"
    if not value.strip():
        raise _fault(f"{where} is empty")
    if len(value) > MAX_VALUE:
        raise _fault(f"{where} is longer than {MAX_VALUE} characters")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise _fault(f"{where} must not hold NUL characters or unpaired surrogates")
    operator = cast("Operator", ":" if found["operator"] in {None, "="} else found["operator"])
    return Term(found["field"], operator, value.strip(), is_prefix, negated or bool(found["minus"]))


def _fault(message: str) -> ValidationFailed:
    return ValidationFailed.of("query", message)
