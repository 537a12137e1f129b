"""Segments: rules that say which contacts belong, compiled to one SQL condition over `contacts c`.

A definition is a rule: `{"all": [rule, ...]}`, `{"any": [rule, ...]}`, `{"not": rule}`, or a comparison
`{"field": ..., "operator": ..., "value": ...}`. Every comparison is either true or false: what a contact does not have
equals nothing, so `not_equals` holds for it. Texts are compared without regard to case.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, LiteralString, NamedTuple, cast
from uuid import UUID

from penguinmails.domain.contact_fields import DeclaredField
from penguinmails.errors import FieldError, ValidationFailed

MAX_DEPTH = 5
MAX_RULES = 50
MAX_CHOICES = 100
MAX_TEXT = 255
_MAX_DAYS = 3_650
_MAX_NUMBER = 10**15

Kind = Literal["text", "number", "time", "boolean", "tag", "list", "workspace"]

TEXT_FIELDS: dict[str, LiteralString] = {
    "first_name": "c.first_name", "last_name": "c.last_name", "company": "c.company", "job_title": "c.job_title",
    "phone": "c.phone", "city": "c.city", "state": "c.state", "country": "c.country", "lead_source": "c.lead_source",
    "external_id": "c.external_id", "email": "c.email", "status": "c.status", "source": "c.source",
}  # fmt: skip
NUMBER_FIELDS: dict[str, LiteralString] = {
    "lead_score": "c.lead_score", "total_opens": "c.total_opens", "total_clicks": "c.total_clicks",
}  # fmt: skip
TIME_FIELDS: dict[str, LiteralString] = {
    "created_at": "c.created_at", "updated_at": "c.updated_at", "last_email_opened_at": "c.last_email_opened_at",
}  # fmt: skip
LINKS: tuple[Kind, ...] = ("tag", "list", "workspace")

NEGATIONS = {
    "not_equals": "equals",
    "not_contains": "contains",
    "not_one_of": "one_of",
    "is_not_set": "is_set",
    "not_in_last_days": "in_last_days",
    "has_not": "has",
}
"""From an operator to the one whose negation it is."""
# {x} is the column, {v} the value; the column is not null where these are evaluated.
_TEXT: dict[str, LiteralString] = {
    "equals": "lower({x}) = lower({v}::text)",
    "contains": "position(lower({v}::text) IN lower({x})) > 0",
    "starts_with": "starts_with(lower({x}), lower({v}::text))",
    "ends_with": "right(lower({x}), length(lower({v}::text))) = lower({v}::text)",
    "one_of": "lower({x}) = ANY(SELECT lower(choice) FROM unnest({v}::text[]) AS choice)",
}
_NUMBER: dict[str, LiteralString] = {
    "equals": "{x} = {v}::numeric",
    "greater_than": "{x} > {v}::numeric",
    "at_least": "{x} >= {v}::numeric",
    "less_than": "{x} < {v}::numeric",
    "at_most": "{x} <= {v}::numeric",
}
_TIME: dict[str, LiteralString] = {
    "before": "{x} < {v}::timestamptz",
    "after": "{x} > {v}::timestamptz",
    "in_last_days": "{x} > now() - make_interval(days => {v}::integer)",
}
_BOOLEAN: dict[str, LiteralString] = {"equals": "{x} = {v}::boolean"}
_LINK: dict[Kind, LiteralString] = {
    "tag": """EXISTS (SELECT 1 FROM contact_tags l
        WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
          AND l.tag_id = (SELECT t.id FROM tags t WHERE t.name = {v}::text))""",
    "list": """EXISTS (SELECT 1 FROM contact_lists l
        WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
          AND l.list_id = (SELECT t.id FROM lists t WHERE t.id = {v}::uuid))""",
    "workspace": """EXISTS (SELECT 1 FROM contact_workspaces l
        WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
          AND l.workspace_id = (SELECT w.id FROM workspaces w WHERE w.id = {v}::uuid))""",
}
_CUSTOM: LiteralString = """EXISTS (SELECT 1 FROM contact_field_values f
        WHERE f.tenant_id = c.tenant_id AND f.mode = c.mode AND f.contact_id = c.id AND f.field_id = {f}::uuid
          AND {condition})"""
_CUSTOM_COLUMNS: dict[str, tuple[Kind, LiteralString]] = {
    "text": ("text", "f.text_value"),
    "number": ("number", "f.number_value"),
    "date": ("time", "f.date_value"),
    "boolean": ("boolean", "f.boolean_value"),
}
_COMPARISONS: dict[Kind, dict[str, LiteralString]] = {
    "text": _TEXT, "number": _NUMBER, "time": _TIME, "boolean": _BOOLEAN,
}  # fmt: skip


class Condition(NamedTuple):
    """A WHERE condition over `contacts c`: literal fragments of this module, every value a named parameter."""

    sql: LiteralString
    params: dict[str, Any]


def compile_segment(definition: Any, fields: Mapping[str, DeclaredField], path: str = "definition") -> Condition:
    """The condition that a definition stands for.

    `fields` are the tenant's custom fields by key. Raises ValidationFailed that names every wrong rule by its path.
    """
    compiler = _Compiler(fields)
    sql = compiler.rule(definition, path, depth=1)
    if compiler.rules > MAX_RULES:
        compiler.fault(path, f"has {compiler.rules} comparisons; at most {MAX_RULES} are accepted", "too_large")
    return compiler.condition(sql)


def custom_keys(definition: Any) -> list[str]:
    """The keys of custom fields that a definition names; of one that is wrong, those that can be read."""
    if isinstance(definition, list):
        return [key for rule in cast("list[Any]", definition)[:MAX_RULES] for key in custom_keys(rule)]
    if not isinstance(definition, dict):
        return []
    rule = cast("dict[str, Any]", definition)
    named = rule.get("field")
    own = [named.removeprefix("attributes.")] if isinstance(named, str) and named.startswith("attributes.") else []
    return [*own, *(key for group in ("all", "any", "not") for key in custom_keys(rule.get(group)))]


def compile_all(definitions: Sequence[Any], fields: Mapping[str, DeclaredField]) -> Condition:
    """The condition that all of several definitions hold, each of which may be as large as one may be."""
    compiler = _Compiler(fields)
    return compiler.condition(" AND ".join(f"({compiler.rule(rule, 'definition', depth=1)})" for rule in definitions))


@dataclass(slots=True)
class _Compiler:
    fields: Mapping[str, DeclaredField]
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    faults: list[FieldError] = field(default_factory=list[FieldError])
    rules: int = 0

    def condition(self, sql: str) -> Condition:
        if self.faults:
            first = self.faults[0]
            raise ValidationFailed(f"{first.field}: {first.message}", errors=self.faults)
        # Put together from the literals above and the names of parameters, which this module numbers.
        return Condition(cast("LiteralString", sql), self.params)

    def fault(self, path: str, message: str, code: str = "invalid") -> str:
        self.faults.append(FieldError(path, message, code))
        return "false"

    def param(self, value: Any) -> str:
        name = f"segment_{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"

    def rule(self, rule: Any, path: str, depth: int) -> str:
        if not isinstance(rule, dict):
            return self.fault(path, 'must be an object with "all", "any", "not" or "field"')
        if depth > MAX_DEPTH:
            return self.fault(path, f"is nested deeper than {MAX_DEPTH} levels", "too_deep")
        known = cast("dict[str, Any]", rule)
        groups = [name for name in ("all", "any", "not") if name in known]
        if groups:
            if len(known) > 1:
                return self.fault(path, f'must hold nothing besides "{groups[0]}"')
            return self._group(groups[0], known[groups[0]], f"{path}.{groups[0]}", depth)
        return self._comparison(known, path)

    def _group(self, name: str, rules: Any, path: str, depth: int) -> str:
        if name == "not":
            return f"NOT ({self.rule(rules, path, depth + 1)})"
        if not isinstance(rules, list) or not rules:
            return self.fault(path, "must be a list of at least one rule")
        found = cast("list[Any]", rules)
        if len(found) > MAX_RULES:
            return self.fault(path, f"holds more than {MAX_RULES} rules", "too_large")
        return (" AND " if name == "all" else " OR ").join(
            f"({self.rule(rule, f'{path}.{number}', depth + 1)})" for number, rule in enumerate(found)
        )

    def _comparison(self, rule: dict[str, Any], path: str) -> str:
        self.rules += 1
        unknown = sorted(set(rule) - {"field", "operator", "value"})
        if unknown:
            return self.fault(
                f"{path}.{unknown[0]}", "is not known here; a rule has field, operator and value", "unknown"
            )
        named = rule.get("field")
        subject = self._subject(named) if isinstance(named, str) else None
        if subject is None:
            return self.fault(f"{path}.field", _unknown_field(named), "unknown_field")
        operator = rule.get("operator")
        allowed = _operators(subject.kind)
        if not isinstance(operator, str) or operator not in allowed:
            return self.fault(
                f"{path}.operator", f"must be one of {', '.join(allowed)} for {named}", "unknown_operator"
            )
        positive = NEGATIONS.get(operator, operator)
        try:
            value = _value(subject.kind, positive, rule)
        except ValueError as reason:
            return self.fault(f"{path}.value", str(reason))
        sql = self._positive(subject, positive, value)
        return f"NOT {sql}" if operator != positive else sql

    def _subject(self, name: str) -> "_Subject | None":
        if name in LINKS:
            return _Subject(name, "")
        kinds: tuple[tuple[Kind, dict[str, LiteralString]], ...] = (
            ("text", TEXT_FIELDS), ("number", NUMBER_FIELDS), ("time", TIME_FIELDS),
        )  # fmt: skip
        for kind, columns in kinds:
            if name in columns:
                return _Subject(kind, columns[name])
        declared = self.fields.get(name.removeprefix("attributes.")) if name.startswith("attributes.") else None
        if declared is None:
            return None
        kind, column = _CUSTOM_COLUMNS[declared.type]
        return _Subject(kind, column, declared.id)

    def _positive(self, subject: "_Subject", operator: str, value: Any) -> str:
        if subject.kind in LINKS:
            return _LINK[subject.kind].replace("{v}", self.param(value))
        present = f"{subject.column} IS NOT NULL"
        if operator == "is_set":
            condition = present
        else:
            # Not null first: it makes the whole false, not null, so that NOT means not.
            compared = _COMPARISONS[subject.kind][operator]
            condition = f"({present} AND {compared.replace('{x}', subject.column).replace('{v}', self.param(value))})"
        if subject.field_id is None:
            return f"({condition})"
        return _CUSTOM.replace("{f}", self.param(subject.field_id)).replace("{condition}", condition)


@dataclass(frozen=True, slots=True)
class _Subject:
    kind: Kind
    column: LiteralString
    field_id: UUID | None = None


def _operators(kind: Kind) -> tuple[str, ...]:
    if kind in LINKS:
        return ("has", "has_not")
    positive = (*_COMPARISONS[kind], "is_set")
    return (*positive, *(negated for negated, of in NEGATIONS.items() if of in positive))


def _unknown_field(named: Any) -> str:
    known = ", ".join([*TEXT_FIELDS, *NUMBER_FIELDS, *TIME_FIELDS, *LINKS])
    if isinstance(named, str) and named.startswith("attributes."):
        key = named.removeprefix("attributes.")[:64]
        return f"{key} is not declared, or still being prepared; see GET /contact-fields, or declare it there first"
    return f"must be one of {known}, or attributes.<key> of a declared custom field"


def _value(kind: Kind, operator: str, rule: dict[str, Any]) -> Any:
    """The parameter of a comparison; raises ValueError with what it must be."""
    if operator == "is_set":
        if rule.get("value") is not None:
            raise ValueError("must be absent for this operator")
        return None
    if "value" not in rule:
        raise ValueError("is missing")
    if operator == "in_last_days":
        return _days(rule["value"])
    if operator == "one_of":
        return _choices(rule["value"])
    return _READERS[kind](rule["value"])


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
        raise ValueError(f"must be a text of 1 to {MAX_TEXT} characters")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("must not hold NUL characters or unpaired surrogates")
    return value


def _choices(value: Any) -> list[str]:
    found = cast("list[Any]", value) if isinstance(value, list) else []
    if not 1 <= len(found) <= MAX_CHOICES:
        raise ValueError(f"must be a list of 1 to {MAX_CHOICES} texts")
    return [_text(choice) for choice in found]


def _days(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MAX_DAYS:
        raise ValueError(f"must be a whole number of days from 1 to {_MAX_DAYS}")
    return value


def _number(value: Any) -> Decimal:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= _MAX_NUMBER:
        raise ValueError("must be a number between -10^15 and 10^15")
    # Through its text: the database then compares the number that was written, not its nearest binary fraction.
    return Decimal(str(value))


def moment_of(value: Any) -> datetime:
    """The moment that a rule names, in UTC; of a date, where its day begins there. Raises ValueError with what it must be."""
    reason = "must be a date such as 2026-01-31 or a moment with its offset such as 2026-01-31T12:00:00Z"
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None and len(value) == len("2026-01-31"):
            moment = moment.replace(tzinfo=UTC)
        if moment.tzinfo is None:
            raise ValueError(reason)
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(reason) from None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _id(value: Any) -> UUID:
    try:
        return UUID(value)
    except (TypeError, ValueError, AttributeError):
        raise ValueError("must be an id") from None


_READERS: dict[Kind, Callable[[Any], Any]] = {
    "text": _text, "tag": _text, "number": _number, "time": moment_of, "boolean": _flag, "list": _id, "workspace": _id,
}  # fmt: skip
