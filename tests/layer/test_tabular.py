"""Tables in files: read as they were written, from any position on, in bounded memory, or refused with the reason."""

import csv
import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penguinmails.tabular.delimited import DelimitedRows, inspect_delimited
from penguinmails.tabular.json_rows import JsonRows, inspect_json
from penguinmails.tabular.layout import MAX_RECORD, FileFault
from penguinmails.tabular.writers import CsvWriter, JsonWriter, XlsxWriter
from penguinmails.tabular.xlsx import XlsxRows, inspect_xlsx

# What every kind of file keeps as it is.
cells = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff\ufffe\uffff'")
    | st.sampled_from("\n"),
    max_size=12,
).filter(lambda text: (text == text.strip() and text[:1] not in "=+-@＝＋－＠") or text == "")
tables = st.lists(st.lists(cells, min_size=3, max_size=3), max_size=12)
# Whatever the database can hold, and more often than not what a spreadsheet would run or what was guarded before.
anything = st.builds(
    "".join,
    st.tuples(
        st.text(st.sampled_from("'=+-@\t\r\n＝ \""), max_size=4),
        st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=8),
    ),
)


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def read_csv(data: bytes, kind: Any = "csv", size: int = 7, **options: Any) -> list[tuple[int, list[str]]]:
    layout = inspect_delimited(chunks(data, size), kind, **options)
    return list(DelimitedRows(layout, lambda start: chunks(data[start:], size), layout.start, layout.line))


def full(table: list[list[str]]) -> list[list[str]]:
    return [row for row in table if any(row)]


@given(table=tables, size=st.integers(1, 40))
def test_csv_is_read_as_it_was_written_whatever_the_chunks(table: list[list[str]], size: int) -> None:
    file = io.BytesIO()
    writer = CsvWriter(file, ["a", "b", "c"])
    for row in table:
        writer.write(row)
    writer.close()

    assert [row for _, row in read_csv(file.getvalue(), size=size, delimiter=",")] == full(table)


@given(table=st.lists(st.lists(anything, min_size=3, max_size=3), max_size=12), size=st.integers(1, 40))
def test_any_text_that_an_export_writes_is_what_an_import_reads(table: list[list[str]], size: int) -> None:
    file = io.BytesIO()
    writer = CsvWriter(file, ["a", "b", "c"])
    for row in table:
        writer.write(row)
    writer.close()
    saved_as_tsv = io.StringIO(newline="")
    csv.writer(saved_as_tsv, delimiter="\t").writerows(
        csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline=""))
    )

    assert [row for _, row in read_csv(file.getvalue(), size=size)] == full(table)
    assert [row for _, row in read_csv(saved_as_tsv.getvalue().encode(), "tsv", size)] == full(table)


@given(table=tables, size=st.integers(1, 40), stop=st.integers(0, 12))
def test_csv_goes_on_from_every_position(table: list[list[str]], size: int, stop: int) -> None:
    file = io.BytesIO()
    writer = CsvWriter(file, ["a", "b", "c"])
    for row in table:
        writer.write(row)
    writer.close()
    data = file.getvalue()
    layout = inspect_delimited(chunks(data, size), "csv", delimiter=",")

    first = DelimitedRows(layout, lambda start: chunks(data[start:], size), layout.start, layout.line)
    iterator = iter(first)
    seen = [row for _ in range(min(stop, len(full(table)))) for _, row in [next(iterator)]]
    second = DelimitedRows(layout, lambda start: chunks(data[start:], size), first.position, first.line)

    assert seen + [row for _, row in second] == full(table)


@given(table=tables, size=st.integers(1, 40), stop=st.integers(0, 12))
def test_json_goes_on_from_every_position(table: list[list[str]], size: int, stop: int) -> None:
    data = json.dumps([dict(zip("abc", row, strict=True)) for row in table], ensure_ascii=False).encode()
    if not table:
        return
    layout = inspect_json(chunks(data, size))
    first = JsonRows(layout, lambda start: chunks(data[start:], size), 0, 1)
    iterator = iter(first)
    seen = [row for _ in range(min(stop, len(table))) for _, row in [next(iterator)]]
    second = JsonRows(layout, lambda start: chunks(data[start:], size), first.position, first.line)
    rest = list(second) if seen else list(iterator)

    assert seen + [row for _, row in rest] == table
    assert [number for number, _ in rest] == list(range(len(seen) + 1, len(table) + 1))


@given(table=tables, stop=st.integers(0, 12))
def test_xlsx_is_read_as_it_was_written_and_goes_on_from_every_row(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], stop: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.xlsx"
    with path.open("wb") as file:
        writer = XlsxWriter(file, ["a", "b", "c"])
        for row in table:
            writer.write(row)
        writer.close()
    rows = list(XlsxRows(path, 1 + stop))
    wanted = [(number, row) for number, row in enumerate(table, 2) if any(row) and number > 1 + stop]

    assert inspect_xlsx(path).header == ["a", "b", "c"]
    assert [(number, [cell or "" for cell in row] + [""] * (3 - len(row))) for number, row in rows] == wanted


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_encodings_and_line_ends_are_told_by_themselves(encoding: str, end: str, size: int) -> None:
    text = end.join(["ä;b", '"1\n;2";Ȋ', "", "3;਍ऀ"]) if end != "\r" else end.join(["ä;b", "1;Ȋ", "", "3;x"])
    rows = read_csv(text.encode(encoding), size=size)

    assert [row[0] for _, row in rows] == (["1\n;2", "3"] if end != "\r" else ["1", "3"])
    assert rows[0][1][1] == "Ȋ"


def test_a_chosen_encoding_is_used_and_a_wrong_one_is_told_with_its_line() -> None:
    data = "name\nMüller\n".encode("cp1252")

    assert read_csv(data, encoding="windows-1252") == [(2, ["Müller"])]
    with pytest.raises(FileFault, match="Line 2") as fault:
        read_csv(data)
    assert (fault.value.code, fault.value.line) == ("wrong_encoding", 2)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"a,b,A\n", "duplicate_headers"),
        (b",,\n1,2,3\n", "no_header"),
        (b"a" * 300 + b"\n", "header_too_long"),
        (b",".join(b"c%d" % n for n in range(600)) + b"\n", "too_many_columns"),
        (b"\x00\x01\x02", "not_text"),
        (b"x" * (MAX_RECORD + 2), "line_too_long"),
        (b"a\n" + b'"' + b"x\n" * 200_000, "field_too_long"),
        (b'a,b\n1,"2\n3,4\n', "malformed"),
        (b'a,b\n1,"2"3\n', "malformed"),
        (b'a,b\n"x\n' + b'","x\n' * 300_000, "row_too_long"),
        (b'"x\n' + b'","x\n' * 300_000, "row_too_long"),
        ("a,b\n1,2\n".encode("utf-32"), "wrong_encoding"),
    ],
)
def test_a_csv_that_cannot_be_read_says_why(data: bytes, code: str) -> None:
    with pytest.raises(FileFault) as fault:
        read_csv(data, size=65_536)
    assert fault.value.code == code


def test_a_quotation_mark_within_an_open_cell_is_a_character() -> None:
    assert read_csv(b'a,b\n1,5" pipe\n2,"5"" pipe"\n') == [(2, ["1", '5" pipe']), (3, ["2", '5" pipe'])]


def test_a_name_that_no_table_can_keep_is_refused_whatever_encoding_was_chosen() -> None:
    with pytest.raises(FileFault) as fault:
        read_csv(b"a,b\x00\n1,2\n", encoding="windows-1252")
    assert fault.value.code == "unreadable_header"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"[]", "empty"),
        (b"[1, 2]", "malformed"),
        (b'[{"a": 1}, {"a": ', "malformed"),
        (b"[" * 100_000, "malformed"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "malformed"),
        (b'{"a": "\xff"}', "wrong_encoding"),
        (b'{"a": "' + b"x" * 3 * MAX_RECORD, "record_too_long"),
        (b'{"a": 1, "A": 2}', "duplicate_headers"),
        (rb'{"a\ud800": 1}', "unreadable_header"),
        (b'{"a": NaN}', "malformed"),
        (b'{"a": 1e999}', "malformed"),
        (b'[{"a": 1}, {"a": 2}', "malformed"),
        (b'[{"a": 1},', "malformed"),
        (b'[{"a": 1}][{"a": 2}]', "malformed"),
        (b'[{"a": 1}] ' + b" " * 100_000 + b"x", "malformed"),
    ],
)
def test_a_json_that_cannot_be_read_says_why(data: bytes, code: str) -> None:
    with pytest.raises(FileFault) as fault:
        inspect_json(chunks(data, 65_536))
    assert fault.value.code == code


@pytest.mark.parametrize("text", ['{"a": 1}\n{"a": null}\n', '\ufeff [{"a": 1},\n {"a": null}]', '{"a":1}{"a":null}'])
def test_json_comes_as_an_array_or_as_lines(text: str) -> None:
    data = text.encode()
    layout = inspect_json([data])

    assert list(JsonRows(layout, lambda start: [data[start:]], 0, 1)) == [(1, [1]), (2, [None])]


def test_an_array_that_goes_on_after_a_stop_must_still_be_closed() -> None:
    layout = inspect_json([b'[{"a": 1}, {"a": 2}]'])
    cut_off = b'[{"a": 1}, {"a": 2}'
    first = JsonRows(layout, lambda start: [cut_off[start:]], 0, 1)
    assert next(iter(first)) == (1, [1])
    rest = iter(JsonRows(layout, lambda start: [cut_off[start:]], first.position, first.line))

    assert next(rest) == (2, [2])
    with pytest.raises(FileFault, match="after object 2"):
        next(rest)


def endless(first: bytes, again: bytes, megabytes: int) -> Iterable[bytes]:
    yield first
    for _ in range(megabytes):
        yield again * (1_000_000 // len(again))


@pytest.mark.parametrize("again", [b"x", b"x\n", b'"x",', b'","x\n'])
def test_a_hundred_megabytes_of_anything_take_a_few(again: bytes) -> None:
    layout = inspect_delimited([b"a\n1\n"], "csv")
    tracemalloc.start()
    try:
        rows = DelimitedRows(layout, lambda _: endless(b'1\n"\n' if again[:2] == b'",' else b"1\n", again, 100), 0, 1)
        count = 0
        with pytest.MonkeyPatch.context() if again == b"x\n" else pytest.raises(FileFault):
            for _ in rows:
                count += 1
                if count == 200_000:
                    break
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60_000_000


# ---- XLSX ------------------------------------------------------------------------------------------------------------


def workbook(path: Path, sheet: str, *, packed: int = zipfile.ZIP_DEFLATED, **parts: str) -> Path:
    with path.open("wb") as file:
        XlsxWriter(file, ["a"]).close()
    with zipfile.ZipFile(path) as old:
        kept = {name: old.read(name) for name in old.namelist()}
    kept["xl/worksheets/sheet1.xml"] = f"<worksheet><sheetData>{sheet}</sheetData></worksheet>".encode()
    kept |= {f"xl/{name}.xml": text.encode() for name, text in parts.items()}
    with zipfile.ZipFile(path, "w", packed) as new:
        for name, content in kept.items():
            new.writestr(name, content)
    return path


def test_a_workbook_s_types_come_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    styles = (
        '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[Red]yyyy\\-mm"/></numFmts><cellXfs><xf numFmtId="0"/>'
    )
    styles += '<xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>'
    strings = "<sst><si><t>shared</t></si><si><r><t>two </t></r><r><t>runs</t></r><rPh><t>no</t></rPh></si></sst>"
    sheet = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>'
        '<row r="3"><c r="A3"><v>5</v></c><c r="B3"><v>5.5</v></c><c r="C3" t="b"><v>1</v></c>'
        '<c r="D3" s="1"><v>45322</v></c><c r="E3" s="2"><v>45322.5</v></c><c r="F3" t="e"><v>#REF!</v></c>'
        '<c r="G3" t="str"><f>1+1</f><v>two</v></c><c r="H3"><v>1E400</v></c></row>'
    )
    path = workbook(tmp_path / "w.xlsx", sheet, styles=styles, sharedStrings=strings)

    rows = list(XlsxRows(path))

    assert rows[0] == (1, ["shared", None, "two runs"])
    assert rows[1][0] == 3
    assert rows[1][1][:7] == [5, 5.5, True, "2024-01-31", "2024-01-31T12:00:00Z", None, "two"]


def test_a_workbook_may_count_its_days_from_1904(tmp_path: Path) -> None:
    sheet = '<row r="1"><c r="A1" s="0"><v>43860</v></c></row>'
    styles = '<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>'
    book = '<workbook xmlns:r="r"><workbookPr date1904="1"/><sheets><sheet name="s" r:id="rId1"/></sheets></workbook>'
    path = workbook(tmp_path / "w.xlsx", sheet, styles=styles, workbook=book)

    assert list(XlsxRows(path)) == [(1, ["2024-01-31"])]


@given(
    places=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6), inside=st.booleans()
)
def test_any_damage_to_a_workbook_is_a_fault_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int]], inside: bool
) -> None:
    styles = '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    sheet = '<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" s="1"><v>45322.5</v></c></row>' + (
        "".join(f'<row><c t="str"><v>{n * 7_919 % 1_009}</v></c></row>' for n in range(300))
    )

    def damaged(data: bytes) -> bytes:
        changed = bytearray(data)
        for place, byte in places:
            changed[place % len(changed)] = byte
        return bytes(changed)

    path = tmp_path_factory.getbasetemp() / "damaged.xlsx"
    if inside:
        sheet, styles = (damaged(text.encode()).decode("latin-1") for text in (sheet, styles))
    workbook(path, sheet, styles=styles, sharedStrings="<sst><si><t>a</t></si></sst>")
    if not inside:
        path.write_bytes(damaged(path.read_bytes()))

    try:
        layout = inspect_xlsx(path)
        rows = list(XlsxRows(path, layout.start))
    except FileFault as fault:
        assert fault.message
    else:
        assert [number for number, _ in rows] == sorted({number for number, _ in rows})


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = workbook(tmp_path / "bomb.xlsx", "<row><c><v>1</v></c></row>" * 4_000_000)

    assert path.stat().st_size < 1_000_000
    with pytest.raises(FileFault) as fault:
        inspect_xlsx(path)
    assert fault.value.code == "archive_too_large"


def test_an_archive_that_lies_about_its_size_is_refused_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from penguinmails.tabular import xlsx

    path = workbook(tmp_path / "w.xlsx", "<row><c><v>1</v></c></row>" * 20_000)
    monkeypatch.setattr(xlsx, "_require_modest", lambda _: None)
    monkeypatch.setattr(xlsx, "MAX_UNPACKED", 100_000)

    with pytest.raises(FileFault) as fault:
        list(XlsxRows(path))
    assert fault.value.code == "archive_too_large"


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"not a zip"),
        lambda path: path.write_bytes(path.read_bytes()[:300]),
        lambda path: workbook(path, "<row><c></row>"),
        lambda path: workbook(path, "</sheetData></worksheet><!DOCTYPE a [<!ENTITY b 'c'>]>"),
        lambda path: workbook(path, "", workbook="<!DOCTYPE a [<!ENTITY b 'c'>]><workbook>&b;</workbook>"),
        lambda path: workbook(path, "", workbook="<workbook></workbook>"),
        lambda path: workbook(path, '<row r="2"/><row r="1"><c><v>1</v></c></row>'),
        lambda path: workbook(path, '<row r="1048577"><c><v>1</v></c></row>'),
        lambda path: workbook(path, "", workbook='<?xml version="1.0" encoding="none"?><workbook/>'),
        lambda path: workbook(path, "", packed=zipfile.ZIP_BZIP2),
    ],
)
def test_a_damaged_workbook_says_so(tmp_path: Path, damage: Any) -> None:
    path = workbook(tmp_path / "w.xlsx", "<row><c><v>1</v></c></row>")
    damage(path)

    with pytest.raises(FileFault) as fault:
        inspect_xlsx(path)
    assert fault.value.code == "not_xlsx"


def test_json_is_written_as_an_array() -> None:
    file = io.BytesIO()
    empty = io.BytesIO()
    JsonWriter(empty, ["a"]).close()
    writer = JsonWriter(file, ["a"])
    writer.write(["ä"])
    writer.write([None])
    writer.close()

    assert json.loads(file.getvalue()) == [{"a": "ä"}, {"a": None}]
    assert json.loads(empty.getvalue()) == []
