"""Which events a webhook wants: a filter document, checked when it is stored and compiled once where events are matched.

    {"workspaces": [id], "campaigns": [id], "tags": [name],
     "filters": {"contact.email": {"$exists": true}, "source": ["api", "import"], "bounce_type": "hard"}}

All parts must hold; an empty document takes everything. A path leads through the event's data, and `campaign`, `email`,
`type`, `workspace_id` and `contact.tags` as `view_of` adds them; in a list it means any element. A plain value means $eq, a
list of values $in. What is not there equals nothing: $ne and $nin hold for it, comparisons do not. Numbers compare with
numbers, texts with texts (moments are texts that sort). $exists holds for all but null, objects included; a list without
elements is nothing. The ids of workspaces and campaigns may be written without hyphens, in upper case, in braces or as a URN.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from penguinmails.errors import FieldError, ValidationFailed
from penguinmails.ids import uuid_or_none

OPERATORS = ("$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$exists")
MAX_BYTES = 8_192
MAX_CONDITIONS = 20
MAX_DEPTH = 5
MAX_CHOICES = 100
MAX_TEXT = 255
TAGS_PATH = "contact.tags"
_SEGMENT = re.compile(r"[A-Za-z0-9_]{1,64}")
ID_LISTS = ("workspaces", "campaigns")
_LISTS = (*ID_LISTS, "tags")
_PATH_OF = {"workspaces": "workspace_id", "campaigns": "campaign.id", "tags": TAGS_PATH}

Scalar = str | int | float | bool | None
Test = Callable[[Sequence[Any]], bool]
"""Of the values that a path leads to, none when it leads nowhere."""


@dataclass(frozen=True, slots=True)
class _Clause:
    name: str
    path: tuple[str, ...]
    test: Test
    takes_objects: bool = False

    def holds(self, view: Mapping[str, Any]) -> bool:
        found = _reached(view, self.path)
        return self.test(found if self.takes_objects else [v for v in found if not isinstance(v, Mapping | list)])


@dataclass(frozen=True, slots=True)
class WebhookFilter:
    """A filter, ready to be asked."""

    clauses: tuple[_Clause, ...]
    needs_tags: bool
    """Whether it asks for the contact's tags, which an event does not carry."""

    def matches(self, view: Mapping[str, Any]) -> bool:
        """Whether an event is wanted; `view` is made by `view_of`."""
        return all(clause.holds(view) for clause in self.clauses)

    def refusing_clause(self, view: Mapping[str, Any]) -> str | None:
        """The first part that an event does not meet, such as `filters.contact.email.$eq`; None when it is wanted."""
        return next((clause.name for clause in self.clauses if not clause.holds(view)), None)


def view_of(
    event_type: str, workspace_id: UUID | None, data: Mapping[str, Any], tags: Sequence[str] = ()
) -> dict[str, Any]:
    """An event as filters see it: its data, what its flat fields say about campaign and email, and the contact's tags."""
    view: dict[str, Any] = {**data, "type": event_type, "workspace_id": workspace_id and str(workspace_id)}
    if data.get("campaign_id") is not None:
        view["campaign"] = {"id": data["campaign_id"]}
        if event_type.startswith("campaign."):
            view["campaign"] |= {"name": data.get("name"), "status": data.get("status")}
    if data.get("email_id") is not None:
        view["email"] = {"id": data["email_id"], "to": data.get("to"), "subject": data.get("subject")}
    if isinstance(data.get("contact"), Mapping):
        view["contact"] = {**data["contact"], "tags": list(tags)}
    return view


def compile_filter(document: Mapping[str, Any]) -> WebhookFilter:
    """A filter from its document. Raises ValidationFailed with an error per part that cannot be understood."""
    try:
        text = json.dumps(document, sort_keys=True, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (ValueError, RecursionError):
        raise ValidationFailed.of("event_filters", "is not a document that can be stored") from None
    if size > MAX_BYTES:
        raise ValidationFailed.of("event_filters", f"is larger than {MAX_BYTES} bytes of JSON")
    if "\\u0000" in text:
        raise ValidationFailed.of("event_filters", "holds a NUL character, which cannot be stored")
    return _compiled(text)


def with_plain_ids(document: Mapping[str, Any]) -> dict[str, Any]:
    """A filter that compiles, with the ids of workspaces and campaigns written as events have them."""
    return {
        part: [str(UUID(text)) for text in value] if part in ID_LISTS else value for part, value in document.items()
    }


@lru_cache(maxsize=1_000)
def _compiled(text: str) -> WebhookFilter:
    errors: list[FieldError] = []
    document: dict[str, Any] = json.loads(text)
    clauses: list[_Clause] = []
    for part, value in document.items():
        if part in _LISTS:
            clauses += _list_clause(part, value, errors)
        elif part == "filters":
            clauses += _path_clauses(value, errors)
        else:
            known = ", ".join((*_LISTS, "filters"))
            errors.append(FieldError(f"event_filters.{part}", f"is not known; there are {known}", "unknown_field"))
    if errors:
        raise ValidationFailed("The filter cannot be understood; see errors for each part.", errors=errors)
    return WebhookFilter(tuple(clauses), any(".".join(c.path) == TAGS_PATH for c in clauses))


def _list_clause(part: str, value: Any, errors: list[FieldError]) -> list[_Clause]:
    field = f"event_filters.{part}"
    if not isinstance(value, list) or not all(isinstance(choice, str) for choice in value):
        errors.append(FieldError(field, "must be a list of texts", "wrong_type"))
        return []
    if len(value) > MAX_CHOICES or any(len(choice) > MAX_TEXT for choice in value):
        errors.append(
            FieldError(field, f"holds more than {MAX_CHOICES} texts, or one above {MAX_TEXT} characters", "size")
        )
        return []
    choices = value
    if part in ID_LISTS:
        ids = [uuid_or_none(text) for text in value]
        errors += [FieldError(f"{field}[{place}]", "is not an id", "uuid") for place, id_ in enumerate(ids) if not id_]
        choices = [str(id_) for id_ in ids]
    return [_Clause(part, tuple(_PATH_OF[part].split(".")), _is_one_of(choices))] if value else []


def _path_clauses(value: Any, errors: list[FieldError]) -> list[_Clause]:
    if not isinstance(value, dict):
        errors.append(FieldError("event_filters.filters", "must be an object of paths", "wrong_type"))
        return []
    clauses: list[_Clause] = []
    for path, condition in value.items():
        segments = tuple(path.split("."))
        field = f"event_filters.filters.{path}"
        if len(segments) > MAX_DEPTH or not all(_SEGMENT.fullmatch(segment) for segment in segments):
            problem = f"is not a path of 1 to {MAX_DEPTH} names of letters, digits and _, joined by dots"
            errors.append(FieldError(field[:300], problem, "path"))
            continue
        for operator, operand in _operators(condition).items():
            problem = _problem(operator, operand)
            if problem:
                errors.append(FieldError(f"{field}.{operator}"[:300], problem, "operator"))
            else:
                test = _TESTS[operator](operand)
                clauses.append(_Clause(f"filters.{path}.{operator}", segments, test, operator == "$exists"))
    if len(clauses) > MAX_CONDITIONS:
        errors.append(FieldError("event_filters.filters", f"has more than {MAX_CONDITIONS} conditions", "size"))
    return clauses


def _operators(condition: Any) -> dict[str, Any]:
    if isinstance(condition, dict):
        return condition or {"": None}
    return {"$in": condition} if isinstance(condition, list) else {"$eq": condition}


def _problem(operator: str, operand: Any) -> str | None:
    if operator not in OPERATORS:
        return f"is not an operator; there are {', '.join(OPERATORS)}"
    if operator == "$exists":
        return None if isinstance(operand, bool) else "must be true or false"
    if operator in {"$in", "$nin"}:
        if not isinstance(operand, list) or not 1 <= len(operand) <= MAX_CHOICES:
            return f"must be a list of 1 to {MAX_CHOICES} values"
        return None if all(_is_scalar(choice) for choice in operand) else "must hold texts, numbers, booleans and null"
    if operator in {"$gt", "$gte", "$lt", "$lte"}:
        is_ordered = _is_scalar(operand) and not isinstance(operand, bool) and operand is not None
        return None if is_ordered else "must be a number or a text"
    return (
        None if _is_scalar(operand) else f"must be a text of up to {MAX_TEXT} characters, a number, a boolean or null"
    )


def _is_scalar(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    return value is None or isinstance(value, bool | int | float)


def _reached(view: Any, path: Sequence[str]) -> list[Any]:
    """What a path leads to; lists on the way, and at its end, count for each of their elements."""
    found: list[Any] = [view]
    for segment in path:
        found = [value[segment] for value in _spread(found) if isinstance(value, Mapping) and segment in value]
    return _spread(found)


def _spread(values: Sequence[Any]) -> list[Any]:
    return [element for value in values for element in (value if isinstance(value, list) else [value])]


def _kind(value: Any) -> str:
    """Values of different kinds are never equal: true is not 1."""
    if value is None or isinstance(value, bool):
        return repr(value)
    return "number" if isinstance(value, int | float) else "text"


def _key(value: Any) -> tuple[str, Any]:
    return _kind(value), value


def _is_one_of(choices: Sequence[Any]) -> Test:
    wanted = {_key(choice) for choice in choices}
    return lambda values: any(_key(value) in wanted for value in values)


def _is_none_of(choices: Sequence[Any]) -> Test:
    is_one_of = _is_one_of(choices)
    return lambda values: not is_one_of(values)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    def with_operand(operand: Any) -> Test:
        kind = _kind(operand)
        return lambda values: any(_kind(value) == kind and compare(value, operand) for value in values)

    return with_operand


def _exists(wanted: bool) -> Test:
    return lambda values: any(value is not None for value in values) is wanted


_TESTS: dict[str, Callable[[Any], Test]] = {
    "$eq": lambda operand: _is_one_of([operand]),
    "$ne": lambda operand: _is_none_of([operand]),
    "$in": _is_one_of,
    "$nin": _is_none_of,
    "$gt": _ordered(lambda value, operand: value > operand),
    "$gte": _ordered(lambda value, operand: value >= operand),
    "$lt": _ordered(lambda value, operand: value < operand),
    "$lte": _ordered(lambda value, operand: value <= operand),
    "$exists": _exists,
}
