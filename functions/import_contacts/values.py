"""Turns the cells of a row into the values of a contact, or says what is wrong with them."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from penguinmails.domain.contact_fields import DeclaredField, fitting
from penguinmails.domain.contact_imports import TEXT_TARGETS
from penguinmails.tabular.lists import parted

MAX_TAGS = 50
MAX_TAG = 50
MAX_ATTRIBUTE = 1000
# A part of what is valid that needs no closer look; the rest is checked by the library that the API uses.
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|org|net|io|co|de|fr|uk|eu)"
)
_TRUE, _FALSE = {"true", "yes", "1", "y"}, {"false", "no", "0", "n"}
_STATUSES = {
    "active": "active", "subscribed": "active", "unsubscribed": "unsubscribed", "opted out": "unsubscribed",
    "bounced": "bounced",
}  # fmt: skip


class RowFault(Exception):
    """A row that is left out; `target` is the contact's field."""

    def __init__(self, target: str, message: str) -> None:
        super().__init__(message)
        self.target = target
        self.message = message


@dataclass(slots=True)
class Reader:
    """Reads rows of one file by its mapping."""

    places: dict[str, int]
    """Where in the row each field stands."""
    text_places: list[tuple[int, str, int, int]]
    """Of each text field that the file has: its number among TEXT_TARGETS, its name, its place, its most characters."""
    attributes: dict[str, int]
    fields: Mapping[str, DeclaredField]
    tags: list[str]
    """Tags that every contact of the job gets."""
    width: int | None
    """How many cells a row has, where a surplus one has moved the others; None where each cell says its column."""

    @classmethod
    def of(
        cls,
        header: Sequence[str],
        mapping: Mapping[str, str | None],
        fields: Mapping[str, DeclaredField],
        tags: list[str],
        *,
        is_addressed: bool = False,
    ) -> "Reader":
        """A reader for a header and what its columns are mapped to; `is_addressed` when each cell says its column."""
        places = {target: header.index(column) for column, target in mapping.items() if target}
        attributes = {
            target.removeprefix("attributes."): place
            for target, place in places.items()
            if target.startswith("attributes.")
        }
        texts = [
            (number, target, places[target], most)
            for number, (target, most) in enumerate(TEXT_TARGETS.items())
            if target in places
        ]
        return cls(places, texts, attributes, fields, tags, None if is_addressed else len(header))

    def check_width(self, cells: Sequence[Any]) -> None:
        """Raises RowFault for a row with more cells than the header: they stand under the wrong names then."""
        if self.width is not None and len(cells) > self.width:
            raise RowFault(
                "",
                f"has {len(cells)} cells where the header has {self.width}; put a cell with the delimiter into quotation marks",
            )

    def email(self, cells: Sequence[Any]) -> str:
        """The address, in lower case. Raises RowFault."""
        text = self._text(cells, "email", 254)
        if not text:
            raise RowFault("email", "is missing")
        lowered = text.lower()
        if not (len(lowered) <= 64 and _PLAIN_EMAIL.fullmatch(lowered)):
            lowered = _validated(text)
        return lowered

    def texts(self, cells: Sequence[Any]) -> list[str | None]:
        """The text fields in the order of TEXT_TARGETS; None for what is empty. Raises RowFault."""
        found: list[str | None] = [None] * len(TEXT_TARGETS)
        for number, target, place, most in self.text_places:
            value = cells[place] if place < len(cells) else None
            # Most cells are plain, and there are ten million in a large file.
            if type(value) is str and value.isascii() and "\x00" not in value and len(value) <= most:
                found[number] = value.strip() or None
            elif value is not None:
                found[number] = self._text(cells, target, most)
        return found

    def attributes_json(self, cells: Sequence[Any]) -> str | None:
        """The custom values as a JSON object; None when there are none. Raises RowFault."""
        found: dict[str, Any] = {}
        for key, place in self.attributes.items():
            value = _cell(cells, place)
            if value is not None:
                found[key] = self._attribute(key, value)
        return json.dumps(found) if found else None

    def tag_names(self, cells: Sequence[Any]) -> list[str] | None:
        """The contact's tags, those of the job included; None when there are none. Raises RowFault."""
        place = self.places.get("tags")
        value = None if place is None else _cell(cells, place)
        if value is None:
            return self.tags or None
        parts = (
            [str(part).strip() for part in cast("list[Any]", value)] if isinstance(value, list) else parted(str(value))
        )
        names = dict.fromkeys([*self.tags, *parts])
        names.pop("", None)
        if len(names) > MAX_TAGS:
            raise RowFault("tags", f"are {len(names)}; a contact has up to {MAX_TAGS}")
        if any(len(name) > MAX_TAG or not _storable(name) for name in names):
            raise RowFault("tags", f"must each have up to {MAX_TAG} characters")
        return list(names) or None

    def status(self, cells: Sequence[Any]) -> str | None:
        """`active`, `unsubscribed` or `bounced`; None when the file does not say. Raises RowFault."""
        text = self._text(cells, "status", 50) if "status" in self.places else None
        if text is None:
            return None
        if text.lower() not in _STATUSES:
            raise RowFault("status", "must be active, unsubscribed or bounced")
        return _STATUSES[text.lower()]

    def _text(self, cells: Sequence[Any], target: str, most: int) -> str | None:
        place = self.places.get(target)
        value = None if place is None else _cell(cells, place)
        if value is None:
            return None
        if isinstance(value, list | dict):
            raise RowFault(target, "must be a text")
        text = value if isinstance(value, str) else _plain(value)
        if len(text) > most:
            raise RowFault(target, f"has {len(text)} characters; at most {most} are kept")
        if not _storable(text):
            raise RowFault(target, "must not hold NUL characters")
        return text

    def _attribute(self, key: str, value: Any) -> Any:
        if isinstance(value, list | dict):
            raise RowFault(f"attributes.{key}", "must be a text, number or boolean")
        if isinstance(value, str) and (len(value) > MAX_ATTRIBUTE or not _storable(value)):
            raise RowFault(f"attributes.{key}", f"must have up to {MAX_ATTRIBUTE} characters, none of them NUL")
        if isinstance(value, int | float) and not abs(value) <= 10**15:
            raise RowFault(f"attributes.{key}", "must be a number between -10^15 and 10^15")
        field = self.fields.get(key)
        if field is None:
            return value
        try:
            return fitting(_CASTS[field.type](value), field.type)
        except ValueError as reason:
            raise RowFault(f"attributes.{key}", str(reason)) from None


def _cell(cells: Sequence[Any], place: int) -> Any:
    value = cells[place] if place < len(cells) else None
    if isinstance(value, str):
        value = value.strip()
    return None if value in ("", None) else value


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _storable(text: str) -> bool:
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text))


def _validated(address: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(address, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise RowFault("email", "is not a valid address") from None


def _as_number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    number = float(value.replace("_", "x"))
    if not abs(number) <= 10**15:
        raise ValueError("must be a number between -10^15 and 10^15")
    return int(value) if re.fullmatch(r"[+-]?\d+", value) else number


def _as_flag(value: Any) -> Any:
    lowered = str(value).lower()
    return True if lowered in _TRUE else False if lowered in _FALSE else value


def _as_text(value: Any) -> Any:
    return value if isinstance(value, str) else _plain(value)


_CASTS: dict[str, Callable[[Any], Any]] = {
    "number": _as_number, "boolean": _as_flag, "text": _as_text, "date": _as_text,
}  # fmt: skip
