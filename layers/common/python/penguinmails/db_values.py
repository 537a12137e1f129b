"""How values are written for PostgreSQL and read from it: JSON documents, and lists as array literals. Part of `db`.

Statements for a thousand rows take a dozen arrays (section 8.15.2 of PostgreSQL's manual) of a thousand elements each. The
driver asks of each element what its type is and whether it needs quotes, which takes 1 to 4 µs and was a tenth of what
workers do; here a list is written at once.
"""

import json
from collections.abc import Callable
from datetime import datetime
from types import NoneType
from typing import Any
from uuid import UUID

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import PyFormat
from psycopg.types.array import ListDumper
from psycopg.types.json import Jsonb, set_json_dumps, set_json_loads

_NULL = "NULL"


class ArrayDumper(ListDumper):
    """Writes lists. What the elements are is for the statement to say, as of a list that may be empty: `%(ids)s::uuid[]`.

    Elements of types that are rare in arrays, and lists in lists, are left to the driver.
    """

    def get_key(self, obj: list[Any], format: PyFormat) -> type:
        """One dumper serves all lists, so there is nothing to find out about this one."""
        return self.cls

    def upgrade(self, obj: list[Any], format: PyFormat) -> "ArrayDumper":
        """The same."""
        return self

    def dump(self, obj: list[Any]) -> Buffer | None:
        """The literal, in UTF-8. Raises psycopg.DataError for text with a NUL character, which PostgreSQL cannot hold."""
        kinds = set(map(type, obj)) - {NoneType}
        written = _WRITTEN.get(kinds.pop()) if len(kinds) == 1 else None
        if written is None:
            return super().dump(obj)
        literal = "{" + ",".join([_NULL if element is None else written(element) for element in obj]) + "}"
        return super().dump(obj) if "\0" in literal else literal.encode()


def compact_json(value: Any) -> str:
    """A document without spaces; moments as RFC 3339 has them, which every JSON client can parse, ids and the like as text."""
    return _ENCODER.encode(value)


def register() -> None:
    """Have connections that are opened from now on write values so."""
    set_json_dumps(compact_json)
    psycopg.adapters.register_dumper(list, ArrayDumper)


def read_documents_by(parse: Callable[[str | bytes], Any]) -> None:
    """Have connections that are opened from now on read JSON documents by another parser than the standard library's."""
    set_json_loads(parse)


def _plain(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_plain)


def _quoted(text: str) -> str:
    """Quotes are right around every text, so nothing has to be asked of it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _document(value: Jsonb) -> str:
    return _quoted(compact_json(value.obj))


def _moment(moment: datetime) -> str:
    return f'"{moment}"'


def _digits(id_: UUID) -> str:
    return id_.hex


_WRITTEN: dict[type, Callable[[Any], str]] = {
    str: _quoted,
    int: str,
    UUID: _digits,
    datetime: _moment,
    Jsonb: _document,
}
