"""Base classes of request and response models."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, TypeVar, cast
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic import GetCoreSchemaHandler as Handler
from pydantic_core import CoreSchema, core_schema

Item = TypeVar("Item")


NOT_STORABLE = "must not hold NUL characters or unpaired surrogates"


def is_storable(text: str) -> bool:
    """Whether PostgreSQL keeps it, and UTF-8 can say it."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError(NOT_STORABLE)
    return text


Storable = AfterValidator(_storable)
"""For every free text: PostgreSQL keeps any but NUL characters and unpaired surrogates."""


@dataclass(frozen=True, slots=True)
class Prefixed:
    """For a UUID that may also come as receivers know it: a prefix such as `evt_`, and 32 hex digits."""

    prefix: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Handler) -> CoreSchema:
        """Called by pydantic."""
        return core_schema.no_info_before_validator_function(
            lambda value: value.removeprefix(self.prefix) if isinstance(value, str) else value, handler(source)
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Called by pydantic."""
        forms = ({"format": "uuid"}, {"pattern": f"^{self.prefix}[0-9a-f]{{32}}$"})
        return {"anyOf": [{"type": "string", **form} for form in forms]}


_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def _written_out(value: Any) -> Any:
    """Numbers would be taken for seconds since 1970, which is not what the API's description says."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _TIME.match(value)):
        raise ValueError("must be a time with its offset, such as 2026-01-31T12:00:00Z")
    return value


def _representable(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie between the years 1 and 9999 in UTC") from None


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_representable)]
"""A point in time as RFC 3339 writes it, offset included; in UTC from here on."""


def _as_described(schema: Any) -> Any:
    """The schema without the guesses that pydantic makes of other JSON types, such as "yes" for true or "5" for 5."""
    if isinstance(schema, list):
        return [_as_described(part) for part in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    node = {key: _as_described(part) for key, part in cast("dict[str, Any]", schema).items()}
    # A model's field may be called "type" too; then this is no type but the field's schema.
    kind = node.get("type")
    return {**node, "strict": True} if isinstance(kind, str) and kind in {"bool", "int", "float"} else node


@cache
def _zones() -> frozenset[str]:
    """Read from disk once per process: it takes milliseconds."""
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("must be a time zone of the IANA database, such as Europe/Berlin")
    return name


Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]
"""The name of a time zone, which `zoneinfo` knows."""


class RequestModel(BaseModel):
    """A request body: unknown fields and other JSON types than the described are refused, strings are trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Handler) -> CoreSchema:
        """Called by pydantic while it builds the class."""
        return cast("CoreSchema", _as_described(handler(source)))


class ResponseModel(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True)

    unversioned: ClassVar[Mapping[str, Any]] = {}
    """What changes without anybody's edit and is no part of the version: fields, as Pydantic's `exclude` names them."""


class Pagination(ResponseModel):
    """Where this page stands in its list."""

    limit: int = Field(description="Most items that this page could hold.")
    has_more: bool = Field(description="Whether items follow this page.")
    next_cursor: str | None = Field(default=None, description="Pass as `cursor` for the next page; valid for 24 hours.")
    offset: int | None = Field(
        default=None, description="Position of the first item, when the page was asked for by offset."
    )
    total: int | None = Field(
        default=None,
        description="Number of items in the list, when the page was asked for by offset; null when there are more than 10,000, "
        "or counting them takes too long.",
    )


class Page(ResponseModel, Generic[Item]):
    """A collection: its items and where the page stands."""

    data: list[Item]
    pagination: Pagination
