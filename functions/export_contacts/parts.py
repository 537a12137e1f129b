"""Parts of an export: the cells of some thousand contacts each, a JSON list per line, compressed."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any
from uuid import UUID

from penguinmails.aws import store_object, stream_object
from penguinmails.domain.contact_exports import ATTRIBUTE
from penguinmails.domain.contacts import ContactRow
from penguinmails.tabular.lists import joined

_PIECE_BYTES = 1024 * 1024


class PartWriter:
    """Takes the rows of one part."""

    def __init__(self, file: IO[bytes], fields: Sequence[str], *, as_text: bool) -> None:
        """`file` holds the part until it is stored; `as_text` joins tags into one cell, as tables need it."""
        self._fields = fields
        self._as_text = as_text
        self._file = file
        self._rows = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1)
        self.size = 0
        """Bytes before compression."""

    def write(self, contacts: Sequence[ContactRow]) -> None:
        """Add contacts."""
        for contact in contacts:
            cells = [_cell(contact, name, as_text=self._as_text) for name in self._fields]
            self.size += self._rows.write(json.dumps(cells, ensure_ascii=False).encode() + b"\n")

    def store(self, key: str) -> None:
        """Keep the part."""
        self._rows.close()
        self._file.seek(0)
        store_object(key, self._file, "application/gzip")


def read_part(key: str) -> Iterator[list[Any]]:
    """The cells of each row of a stored part."""
    rest = b""
    for piece in _unpacked(stream_object(key)):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield json.loads(line)


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """In pieces of bounded size, however well what they hold was compressed."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for chunk in chunks:
        yield unpacker.decompress(chunk, _PIECE_BYTES)
        while unpacker.unconsumed_tail:
            yield unpacker.decompress(unpacker.unconsumed_tail, _PIECE_BYTES)


def _cell(row: ContactRow, name: str, *, as_text: bool) -> Any:
    if name.startswith(ATTRIBUTE):
        return row.attributes.get(name.removeprefix(ATTRIBUTE))
    value = getattr(row, name)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    return joined(value) if name == "tags" and as_text else value
