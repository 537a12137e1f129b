"""XLSX (ECMA-376) as rows: the first sheet, streamed, with limits on what its archive may unpack to.

Cells are given as text, number, boolean, or ISO date for cells that are formatted as dates.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

from penguinmails.tabular.layout import MAX_COLUMNS, FileFault, Layout, checked_header

MAX_UNPACKED = 2_000_000_000
MAX_STRINGS = 64_000_000
MAX_RATIO = 200
_CHUNK = 256 * 1024
_DIGITS = 10
_MAX_CELL = 32_767
_MAX_PIECES = 100
_MAX_PART = 50_000_000
_MAX_ROWS = 1_048_576
_DATE_FORMATS = {*range(14, 23), *range(45, 48)}
_DATE_LETTERS = re.compile(r"[ymdhs]", re.IGNORECASE)
_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
_DAY_ZERO_OF_1904 = datetime(1904, 1, 1, tzinfo=UTC)
_COLUMN = re.compile(r"[A-Z]{1,3}")


class XlsxRows:
    """The rows of a workbook's first sheet after the first `position` of them; `position` is how many were given."""

    def __init__(self, path: Path, position: int = 0) -> None:
        self._path = path
        self._skip = position
        self.position = position

    @property
    def line(self) -> int:
        """The number of the next row, from 1."""
        return self.position + 1

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        """Row number and cells; empty rows are passed over. Raises FileFault."""
        try:
            with zipfile.ZipFile(self._path) as archive:
                yield from self._rows(archive)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            if isinstance(error, FileFault):
                raise
            raise FileFault(
                "not_xlsx",
                "The file is no XLSX workbook, or damaged or encrypted. Save it as .xlsx without a password.",
            ) from None

    def _rows(self, archive: zipfile.ZipFile) -> Iterator[tuple[int, list[Any]]]:
        _require_modest(archive)
        sheet, day_zero = _first_sheet(archive)
        strings = _shared_strings(archive)
        dates = _date_styles(archive)
        for number, cells in _Sheet(strings, dates, day_zero).read(archive, sheet):
            if number <= self._skip:
                continue
            self.position = number
            if any(cell not in {None, ""} for cell in cells):
                yield number, cells


def inspect_xlsx(path: Path) -> Layout:
    """The layout of a workbook: its first row that is not empty names the columns. Raises FileFault."""
    for number, cells in XlsxRows(path):
        names = ["" if cell is None else str(cell) for cell in cells]
        return Layout("xlsx", "", "", checked_header(names), number, number + 1)
    raise FileFault("empty", "The first sheet is empty.")


def _require_modest(archive: zipfile.ZipFile) -> None:
    for part in archive.infolist():
        if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise FileFault("not_xlsx", "The file is no XLSX workbook: it is packed in a way that XLSX is not.")
        if part.file_size > MAX_UNPACKED or part.file_size > MAX_RATIO * max(part.compress_size, 10_000):
            raise _bomb()


def _bomb() -> FileFault:
    return FileFault(
        "archive_too_large",
        "The workbook unpacks to far more than it is packed as. Save the table as CSV and import that.",
    )


def _read(archive: zipfile.ZipFile, name: str, limit: int) -> Iterator[bytes]:
    """The bytes of a part; what its directory entry says of its size is not believed."""
    try:
        part: IO[bytes] = archive.open(name)
    except KeyError:
        raise FileFault("not_xlsx", f"The file is no XLSX workbook: it has no {name}.") from None
    read = 0
    with part:
        while chunk := part.read(_CHUNK):
            read += len(chunk)
            if read > limit:
                raise _bomb()
            yield chunk


def _parse(archive: zipfile.ZipFile, name: str, limit: int, start: Any, end: Any = None, text: Any = None) -> None:
    parser = _parser(start, end, text)
    for chunk in _read(archive, name, limit):
        _feed(parser, chunk, name)
    _feed(parser, b"", name, is_last=True)


def _parser(start: Any, end: Any, text: Any) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True

    def refuse(*_: Any) -> None:
        raise FileFault("not_xlsx", "The workbook declares a document type, which XLSX never does.")

    # No entities, so none that expand without end.
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    return parser


def _feed(parser: expat.XMLParserType, chunk: bytes, name: str, *, is_last: bool = False) -> None:
    try:
        parser.Parse(chunk, is_last)
    except (expat.ExpatError, LookupError, ValueError):
        raise FileFault("not_xlsx", f"The workbook is damaged: {name} is not well formed.") from None


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _first_sheet(archive: zipfile.ZipFile) -> tuple[str, datetime]:
    """The part that holds the sheet, and the day from which the workbook counts."""
    found: list[str] = []
    day_zero = _DAY_ZERO

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal day_zero
        if _local(name) == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
            day_zero = _DAY_ZERO_OF_1904
        elif _local(name) == "sheet":
            found.extend(value for key, value in attributes.items() if _local(key) == "id")

    _parse(archive, "xl/workbook.xml", _MAX_PART, start)
    if not found:
        raise FileFault("not_xlsx", "The workbook has no sheet.")
    targets: dict[str, str] = {}

    def relation(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse(archive, "xl/_rels/workbook.xml.rels", _MAX_PART, relation)
    target = targets.get(found[0], "")
    return (target.lstrip("/") if target.startswith("/") else f"xl/{target}"), day_zero


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    name = "xl/sharedStrings.xml"
    if name not in archive.namelist():
        return []
    strings: list[str] = []
    parts: list[str] = []
    state = {"text": False, "phonetic": False}

    def start(tag: str, _attributes: dict[str, str]) -> None:
        local = _local(tag)
        if local == "si":
            parts.clear()
        elif local in {"t", "rPh"}:
            state["text" if local == "t" else "phonetic"] = True

    def end(tag: str) -> None:
        local = _local(tag)
        if local == "si":
            strings.append("".join(parts))
        elif local in {"t", "rPh"}:
            state["text" if local == "t" else "phonetic"] = False

    def text(data: str) -> None:
        if state["text"] and not state["phonetic"]:
            parts.append(data)

    _parse(archive, name, MAX_STRINGS, start, end, text)
    return strings


def _date_styles(archive: zipfile.ZipFile) -> set[int]:
    """Numbers of the cell styles that show a number as a date."""
    if "xl/styles.xml" not in archive.namelist():
        return set()
    custom: set[int] = set()
    styles: list[int] = []
    state = {"cells": False}

    def start(tag: str, attributes: dict[str, str]) -> None:
        local = _local(tag)
        if local == "numFmt" and _DATE_LETTERS.search(_LITERAL.sub("", attributes.get("formatCode", ""))):
            custom.add(_count(attributes.get("numFmtId", "0")))
        elif local == "cellXfs":
            state["cells"] = True
        elif local == "xf" and state["cells"]:
            styles.append(_count(attributes.get("numFmtId", "0")))

    def end(tag: str) -> None:
        if _local(tag) == "cellXfs":
            state["cells"] = False

    _parse(archive, "xl/styles.xml", _MAX_PART, start, end)
    return {place for place, number in enumerate(styles) if number in _DATE_FORMATS or number in custom}


@dataclass(slots=True)
class _Sheet:
    strings: list[str]
    dates: set[int]
    day_zero: datetime
    done: list[tuple[int, list[Any]]] = field(default_factory=list[tuple[int, list[Any]]])
    row: int = 0
    cells: list[Any] = field(default_factory=list[Any])
    column: int = -1
    kind: str = "n"
    is_date: bool = False
    value: list[str] = field(default_factory=list[str])
    reading: bool = False

    def read(self, archive: zipfile.ZipFile, name: str) -> Iterator[tuple[int, list[Any]]]:
        parser = _parser(self._start, self._end, self._text)
        for chunk in _read(archive, name, MAX_UNPACKED):
            _feed(parser, chunk, name)
            yield from self.done
            self.done.clear()
        _feed(parser, b"", name, is_last=True)
        yield from self.done

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        local = _local(tag)
        if local == "row":
            number = _count(attributes.get("r", "")) or self.row + 1
            if number <= self.row or number > _MAX_ROWS:
                raise FileFault(
                    "not_xlsx", f"The workbook is damaged: row {number} follows row {self.row}, of {_MAX_ROWS} at most."
                )
            self.row = number
            self.cells, self.column = [], -1
        elif local == "c":
            named = _COLUMN.match(attributes.get("r", ""))
            self.column = _number_of(named[0]) if named else self.column + 1
            style = attributes.get("s", "")
            self.kind, self.is_date = attributes.get("t", "n"), bool(style) and _count(style) in self.dates
            self.value.clear()
        elif local in {"v", "t"}:
            self.reading = True

    def _end(self, tag: str) -> None:
        local = _local(tag)
        if local == "row":
            self.done.append((self.row, self.cells))
        elif local == "c" and self.value:
            if self.column >= MAX_COLUMNS:
                raise FileFault("too_many_columns", f"Row {self.row} has more than {MAX_COLUMNS} columns.", self.row)
            self.cells += [None] * (self.column + 1 - len(self.cells))
            self.cells[self.column] = self._cell("".join(self.value)[:_MAX_CELL])
        elif local in {"v", "t"}:
            self.reading = False

    def _text(self, data: str) -> None:
        # What no spreadsheet can hold is not kept either; the cell is cut where it ends.
        if self.reading and len(self.value) < _MAX_PIECES:
            self.value.append(data[:_MAX_CELL])

    def _cell(self, text: str) -> Any:
        if self.kind == "s":
            place = int(text) if text.isdecimal() and len(text) < _DIGITS else -1
            return self.strings[place] if 0 <= place < len(self.strings) else None
        if self.kind == "b":
            return text == "1"
        if self.kind != "n":
            return None if self.kind == "e" else text
        try:
            number = float(text)
        except ValueError:
            return text
        if self.is_date:
            return _as_date(number, self.day_zero)
        return int(number) if number.is_integer() and abs(number) < 10**15 else number


def _count(text: str) -> int:
    """A whole number as a workbook counts rows and formats; 0 for what is none."""
    return int(text) if text.isdecimal() and len(text) < _DIGITS else 0


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _as_date(days: float, day_zero: datetime) -> str:
    """A serial number of days as a date, or as a moment in UTC when it has a time of day."""
    try:
        moment = day_zero + timedelta(seconds=round(days * 86_400))
    except (OverflowError, ValueError):
        return str(days)
    return moment.date().isoformat() if days == int(days) else moment.isoformat().replace("+00:00", "Z")
