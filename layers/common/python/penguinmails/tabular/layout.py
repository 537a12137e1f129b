"""What a file looks like: its kind, encoding, delimiter and header, told from its beginning."""

import codecs
import csv
from dataclasses import dataclass
from typing import Literal

Kind = Literal["csv", "tsv", "json", "xlsx"]

MAX_RECORD = 1_000_000
"""Bytes of one row, over all of its lines, or characters of one JSON object; a longer one is refused, not read into memory."""
MAX_COLUMNS = 500
MAX_HEADER = 255
_DELIMITERS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
ENCODINGS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "windows-1252": "cp1252", "iso-8859-1": "latin-1"}
"""Names that a customer may choose from, and Python's."""


class FileFault(Exception):
    """The file as a whole cannot be read; `code` is stable, `message` says where and what to do, `line` counts from 1."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a file. `start` is the position of the first row, `line` its number; both go on as rows are read."""

    kind: Kind
    encoding: str
    delimiter: str
    header: list[str]
    start: int
    line: int
    line_end: str = "\n"
    is_array: bool = False
    """Whether a JSON file is an array, which must be closed; else it is one object after the other."""


def encoding_of(head: bytes, chosen: str | None) -> tuple[str, int]:
    """Python's name of the encoding and the length of the byte order mark. Raises FileFault for what is no text."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileFault("wrong_encoding", "The file is UTF-32, which is not read. Save it as UTF-8.", 1)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, len(mark)
    if chosen is not None:
        return ENCODINGS[chosen], 0
    if b"\x00" in head[:1000]:
        raise FileFault(
            "not_text", "The file is no text: it holds NUL bytes. Save it as CSV in UTF-8, or name its encoding."
        )
    return "utf-8", 0


def delimiter_of(first_line: str, kind: Kind, chosen: str | None) -> str:
    """The chosen delimiter, a tab for TSV, else that of the usual ones which divides the header into most parts."""
    if chosen is not None:
        return chosen
    if kind == "tsv":
        return "\t"
    counts = {candidate: len(next(csv.reader([first_line], delimiter=candidate), [])) for candidate in _DELIMITERS}
    return max(counts, key=lambda candidate: counts[candidate])


def checked_header(names: list[str]) -> list[str]:
    """Names without surrounding blanks. Raises FileFault when they cannot be told apart."""
    header = [name.strip() for name in names]
    if len(header) > MAX_COLUMNS:
        raise FileFault("too_many_columns", f"The file has {len(header)} columns; at most {MAX_COLUMNS} are read.", 1)
    long = next((name for name in header if len(name) > MAX_HEADER), None)
    if long is not None:
        raise FileFault(
            "header_too_long",
            f"A column is named with {len(long)} characters. Is the first line the header? Names have up to {MAX_HEADER}.",
            1,
        )
    if any("\x00" in name or any("\ud800" <= character <= "\udfff" for character in name) for name in header):
        raise FileFault(
            "unreadable_header",
            "A column's name holds NUL characters or halves of characters. Is the encoding the right one?",
            1,
        )
    if not any(header):
        raise FileFault("no_header", "The first line is empty. It must name the columns.", 1)
    seen: set[str] = set()
    for name in header:
        folded = name.casefold()
        if folded and folded in seen:
            raise FileFault(
                "duplicate_headers",
                f"Two columns are named {name}. Rename or remove one, so that it is clear which is meant.",
                1,
            )
        seen.add(folded)
    return header
