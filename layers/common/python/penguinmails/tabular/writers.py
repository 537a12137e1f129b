"""Tables written to files: CSV, JSON and XLSX, row by row.

What a spreadsheet would run is guarded in CSV; XLSX cells are typed as text, which no spreadsheet runs.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from typing import IO, Any, Protocol
from xml.sax.saxutils import escape

from penguinmails.tabular.guards import guarded

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MAX_CELL = 32_767


class TableWriter(Protocol):
    """Writes a header when it is made, then rows."""

    def write(self, row: Sequence[Any]) -> None:
        """Add a row: texts, numbers, booleans, None."""
        ...

    def close(self) -> None:
        """Write what ends the file; the file itself stays open."""
        ...


class CsvWriter:
    """CSV in UTF-8 with a byte order mark, by which spreadsheets know it."""

    def __init__(self, file: IO[bytes], header: Sequence[str]) -> None:
        self._text = io.TextIOWrapper(file, "utf-8", newline="", write_through=False)
        self._text.write("\ufeff")
        self._writer = csv.writer(self._text)
        self._writer.writerow([guarded(name) for name in header])

    def write(self, row: Sequence[Any]) -> None:
        """Add a row."""
        self._writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])

    def close(self) -> None:
        """Hand the file back, complete."""
        self._text.flush()
        self._text.detach()


class JsonWriter:
    """A JSON array of objects, one per line."""

    def __init__(self, file: IO[bytes], header: Sequence[str]) -> None:
        self._file = file
        self._header = list(header)
        self._before = "[\n"

    def write(self, row: Sequence[Any]) -> None:
        """Add a row."""
        found = json.dumps(dict(zip(self._header, row, strict=True)), ensure_ascii=False)
        self._file.write((self._before + found).encode())
        self._before = ",\n"

    def close(self) -> None:
        """End the array."""
        self._file.write(b"[]\n" if self._before == "[\n" else b"\n]\n")


class XlsxWriter:
    """A workbook of one sheet (ECMA-376); texts stand in their cells, so that nothing is kept in memory."""

    MAX_ROWS = 1_048_576

    def __init__(self, file: IO[bytes], header: Sequence[str]) -> None:
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        for name, content in _PARTS.items():
            self._archive.writestr(name, content)
        self._sheet = self._archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
        self._sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
        self._rows = 0
        self.write(header)

    def write(self, row: Sequence[Any]) -> None:
        """Add a row. Raises ValueError when the sheet is full."""
        if self._rows == self.MAX_ROWS:
            raise ValueError(f"A sheet holds {self.MAX_ROWS} rows; export as CSV instead.")
        self._rows += 1
        self._sheet.write(("<row>" + "".join(map(_cell, row)) + "</row>").encode())

    def close(self) -> None:
        """End sheet and archive."""
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._archive.close()


def _cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value}</v></c>"
    text = escape(_UNPRINTABLE.sub("", str(value))[:_MAX_CELL])
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Contacts" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
