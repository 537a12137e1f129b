"""Fields of a contact in the text of a campaign: `{{ first_name }}`, `{{ company | default("your company") }}`.

The notation is the part of Jinja that such texts need. A text is read once and filled in for many contacts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

CONTACT_FIELDS = (
    "email", "first_name", "last_name", "company", "job_title", "phone", "city", "state", "country", "lead_source",
    "external_id",
)  # fmt: skip
ATTRIBUTES = "attributes."
_PLACE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_FIELD = re.compile(
    r"""\s*([a-z_]+(?:\.[A-Za-z0-9_]+)?)\s*(?:\|\s*default\(\s*(?:"([^"]*)"|'([^']*)')\s*\)\s*)?""", re.VERBOSE
)
_HIDDEN = re.compile(r"\{\{|\}\}")


class TextRefused(Exception):
    """A text that cannot be filled in; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    default: str | None


@dataclass(frozen=True, slots=True)
class MergeText:
    """A text that was read: literal parts and fields in turn, beginning and ending with a literal."""

    literals: tuple[str, ...]
    fields: tuple[_Field, ...]

    @property
    def required(self) -> frozenset[str]:
        """Fields that have no default."""
        return frozenset(field.name for field in self.fields if field.default is None)

    def fill(self, values: Mapping[str, str], *, as_html: bool = False) -> str:
        """The text with the fields' values, escaped for HTML on request. Raises KeyError for one that has no value."""
        if not self.fields:
            return self.literals[0]
        parts = [self.literals[0]]
        for field, literal in zip(self.fields, self.literals[1:], strict=True):
            value = values[field.name] if field.default is None else values.get(field.name, field.default)
            parts += (escape(value) if as_html else value, literal)
        return "".join(parts)


@lru_cache(maxsize=256)
def merge_text(text: str) -> MergeText:
    """Read a text. Raises TextRefused when a place is not written as a field, or names none of a contact."""
    pieces = _PLACE.split(text)
    literals, places = pieces[0::2], pieces[1::2]
    if any(_HIDDEN.search(literal) for literal in literals):
        raise TextRefused("has braces {{ or }} without their other half")
    return MergeText(tuple(literals), tuple(_field(place) for place in places))


def _field(place: str) -> _Field:
    match = _FIELD.fullmatch(place)
    if match is None:
        raise TextRefused(
            f"holds {{{{{place[:60]}}}}}, which is no field; write {{{{ first_name }}}}"
            ' or {{ first_name | default("there") }}'
        )
    name = match[1]
    if name not in CONTACT_FIELDS and not name.startswith(ATTRIBUTES):
        raise TextRefused(f"names {name}, which no contact has; use {', '.join(CONTACT_FIELDS)} or attributes.<key>")
    return _Field(name, match[2] if match[2] is not None else match[3])


def values_of(fields: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, str]:
    """What a contact has to offer to a text: only what is there and not empty."""
    found = {name: str(fields[name]) for name in CONTACT_FIELDS if fields.get(name)}
    for key, value in attributes.items():
        if value is not None and value != "":
            found[ATTRIBUTES + key] = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return found
