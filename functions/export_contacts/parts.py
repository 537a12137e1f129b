"""Parts of an export: the cells of some thousand contacts each, a JSON list per line, compressed."""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO, Any
from uuid import UUID

from penguinmails.aws import store_object, stream_object
from penguinmails.domain.contact_exports import ATTRIBUTE
from penguinmails.domain.contacts import ContactRow


class PartWriter:
    """Takes the rows of one part."""

    def __init__(self, file: IO[bytes], fields: Sequence[str], *, as_text: bool) -> None:
        """`file` holds the part until it is stored; `as_text` joins tags into one cell, as tables need it."""
        self._fields = fields
        self._as_text = as_text
        self._file = file
        self._rows = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1)

    def write(self, contacts: Sequence[ContactRow]) -> None:
        """Add contacts."""
        for contact in contacts:
            cells = [_cell(contact, name, as_text=self._as_text) for name in self._fields]
            self._rows.write(json.dumps(cells, ensure_ascii=False).encode() + b"\n")

    def store(self, key: str) -> None:
        """Keep the part."""
        self._rows.close()
        self._file.seek(0)
        store_object(key, self._file, "application/gzip")


def read_part(key: str) -> Iterator[list[Any]]:
    """The cells of each row of a stored part."""
    unpacked = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    rest = b""
    for chunk in stream_object(key):
        *lines, rest = (rest + unpacked.decompress(chunk)).split(b"\n")
        for line in lines:
            yield json.loads(line)


def _cell(row: ContactRow, name: str, *, as_text: bool) -> Any:
    if name.startswith(ATTRIBUTE):
        return row.attributes.get(name.removeprefix(ATTRIBUTE))
    value = getattr(row, name)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    return ";".join(value) if name == "tags" and as_text else value
