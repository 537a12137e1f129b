"""CSV and TSV (RFC 4180, with the delimiters and line ends that spreadsheets write) as a stream of rows."""

import csv
from collections.abc import Callable, Iterable, Iterator

from penguinmails.tabular.guards import APOSTROPHE, unguarded
from penguinmails.tabular.layout import (
    MAX_RECORD,
    FileFault,
    Kind,
    Layout,
    checked_header,
    delimiter_of,
    encoding_of,
)

OpenAt = Callable[[int], Iterable[bytes]]
"""Opens the file's bytes from a position on, in chunks of any size."""
_MAX_FIELD = 131_072


class _Lines:
    """Text lines of a byte stream, each with its end, and how many bytes they took."""

    def __init__(self, chunks: Iterable[bytes], encoding: str, line_end: str, start: int, line: int) -> None:
        self._chunks = iter(chunks)
        self._encoding = encoding
        self._wide = encoding.startswith("utf-16")
        self._end = line_end.encode(encoding)
        self.position = start
        self.line = line

    def __iter__(self) -> Iterator[str]:
        rest = b""
        for chunk in self._chunks:
            rest += chunk
            *lines, rest = self._split(rest)
            for line in lines:
                yield self._decoded(line)
            if len(rest) > MAX_RECORD:
                raise FileFault(
                    "line_too_long",
                    f"Line {self.line} is longer than {MAX_RECORD} bytes. Does the file have line ends?",
                    self.line,
                )
        if rest:
            yield self._decoded(rest)

    def _split(self, data: bytes) -> list[bytes]:
        end = self._end
        if not self._wide:
            parts = data.split(end)
            return [*(part + end for part in parts[:-1]), parts[-1]]
        found: list[bytes] = []
        start = at = 0
        while (at := data.find(end, at)) >= 0:
            # Two bytes per unit: a match across two of them is none.
            if (at - start) % 2 == 0:
                found.append(data[start : at + 2])
                start = at = at + 2
            else:
                at += 1
        return [*found, data[start:]]

    def _decoded(self, line: bytes) -> str:
        self.position += len(line)
        self.line += 1
        try:
            text = line.decode(self._encoding)
        except UnicodeDecodeError:
            raise FileFault(
                "wrong_encoding",
                f"Line {self.line - 1} is not valid {self._encoding.upper()}. Save the file as UTF-8, or start the import with "
                "the encoding that it has, such as windows-1252.",
                self.line - 1,
            ) from None
        return text.replace("\r", "\n") if self._end == b"\r" else text


def inspect_delimited(
    chunks: Iterable[bytes], kind: Kind, *, encoding: str | None = None, delimiter: str | None = None
) -> Layout:
    """The layout of a CSV or TSV file, from its beginning. Raises FileFault."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) > MAX_RECORD:
            break
    if not head:
        raise FileFault("empty", "The file is empty.")
    name, mark = encoding_of(head, encoding)
    line_end = _line_end(head[mark:].decode(name, "ignore"))
    first = next(iter(_Lines([head[mark:]], name, line_end, mark, 1)), "")
    found = delimiter_of(first, kind, delimiter)
    lines = _Lines([head[mark:]], name, line_end, mark, 1)
    header = next(_records(found, lines), [])
    return Layout(kind, name, found, checked_header(header), lines.position, lines.line, line_end)


def _line_end(text: str) -> str:
    return "\r" if "\r" in text and "\n" not in text else "\n"


class DelimitedRows:
    """The rows of a file from a position on; `position` and `line` are those of the row after the last one given."""

    def __init__(self, layout: Layout, open_at: OpenAt, position: int, line: int) -> None:
        self._layout = layout
        self._lines = _Lines(open_at(position), layout.encoding, layout.line_end, position, line)

    @property
    def position(self) -> int:
        """Where the next row begins, in bytes."""
        return self._lines.position

    @property
    def line(self) -> int:
        """The number of the next row's first line."""
        return self._lines.line

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Line number and cells; empty lines are passed over. Raises FileFault."""
        line = self._lines.line
        for cells in _records(self._layout.delimiter, self._lines):
            if cells and any(cells):
                yield line, cells
            line = self._lines.line


def _records(delimiter: str, lines: _Lines) -> Iterator[list[str]]:
    started, began = lines.line, lines.position
    may_be_guarded = False

    def bounded() -> Iterator[str]:
        nonlocal may_be_guarded
        for line in lines:
            may_be_guarded = may_be_guarded or APOSTROPHE in line
            # Cells that each end in the line in which the next one begins make a row that never ends.
            if lines.position - began > MAX_RECORD + len(line):
                raise FileFault(
                    "row_too_long",
                    f"The row that begins in line {started} is longer than {MAX_RECORD} bytes. Is a quotation mark missing "
                    "there?",
                    started,
                )
            yield line

    # Strict: else a quotation mark that is never closed makes one cell of all that follows it.
    reader = csv.reader(bounded(), delimiter=delimiter, strict=True)
    csv.field_size_limit(_MAX_FIELD)
    while True:
        started, began, may_be_guarded = lines.line, lines.position, False
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field larger" in str(error):
                raise FileFault(
                    "field_too_long",
                    f"A cell that begins in line {started} has more than {_MAX_FIELD} characters. Is a quotation mark "
                    "missing there?",
                    started,
                ) from None
            reason = (
                "the quotation mark that opens a cell there is never closed"
                if "end of data" in str(error)
                else f"{error}; a quotation mark within a cell is written twice"
            )
            raise FileFault("malformed", f"The row of line {started} cannot be read: {reason}.", started) from None
        yield [unguarded(cell) for cell in cells] if may_be_guarded else cells
