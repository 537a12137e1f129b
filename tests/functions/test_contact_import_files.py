"""Files that somebody made to do harm, or that were cut off: the import's API says what is wrong, and nothing is imported."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from contact_imports.app import handler
from tests.layer.test_tabular import workbook
from tests.support.http import Answer, call
from tests.support.imports_of_contacts import IMPORTS, hand_in, run_import, start
from tests.support.tenants import TestKey, TestTenant


def preview(key: TestKey, job: dict[str, Any], **query: str) -> Answer:
    return call(handler, "GET", f"{IMPORTS}/{job['id']}/preview", token=key.plaintext, query=query)


@pytest.mark.parametrize(
    ("content", "file_type", "query", "code"),
    [
        ("email,a\x00\na@example.com,b\n", "csv", {"encoding": "windows-1252"}, "unreadable_header"),
        ('[{"email": "a@example.com", "\\ud800": 1}]', "json", {}, "unreadable_header"),
        ('[{"email": "a@example.com", "a": NaN}]', "json", {}, "malformed"),
        ('[{"email": "a@example.com"}', "json", {}, "malformed"),
        ('[{"email": "a@example.com"}]\n[{"email": "b@example.com"}]', "json", {}, "malformed"),
        ('email,a\na@example.com,"b\nb@example.com,c\n', "csv", {}, "malformed"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_before_it_is_started(
    key: TestKey, content: str, file_type: str, query: dict[str, str], code: str
) -> None:
    job = hand_in(key, content, file_type)
    seen = preview(key, job, **query)

    assert (seen.status, seen.json["errors"][0]["code"]) == (400, code)


def test_a_workbook_whose_parts_hold_nonsense_is_refused_or_read_but_never_a_fault_of_ours(
    key: TestKey, tmp_path: Path
) -> None:
    styles = '<styleSheet><cellXfs><xf numFmtId="abc"/></cellXfs></styleSheet>'
    good = workbook(tmp_path / "a.xlsx", '<row r="1"><c r="A1" s="x"><v>1</v></c></row>', styles=styles).read_bytes()
    torn = bytearray(good)
    torn[good.index(b"sheet1.xml") + 12 : good.index(b"sheet1.xml") + 24] = b"\xff" * 12
    answers = [
        preview(key, hand_in(key, base64.b64encode(bytes(content)).decode(), "xlsx")) for content in (good, torn)
    ]

    assert [answer.status for answer in answers] == [200, 400]
    assert answers[1].json["errors"][0]["code"] == "not_xlsx"


def test_a_preview_is_small_and_can_be_answered_whatever_the_cells_hold(key: TestKey) -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    row = {"email": "a@example.com", "long": "x" * 100_000, "half": "\ud800", "deep": deep, "tags": ["a", "b"], "o": {}}
    seen = preview(key, hand_in(key, json.dumps([row] * 9), "json"))

    assert seen.status == 200, seen.body
    assert len(seen.body) < 20_000
    shown = seen.json["rows"][0]
    assert (shown["long"], shown["half"], shown["tags"], shown["o"]) == ("x" * 200 + "…", "?", ["a", "b"], "{…}")


def test_a_file_that_was_cut_off_imports_nothing(tenant: TestTenant, key: TestKey) -> None:
    objects = [{"email": f"p{n}@example.com"} for n in range(1_500)]
    job = run_import(tenant, key, json.dumps(objects)[:-1], "json")

    assert (job["status"], job["error"]["code"], job["created_count"]) == ("failed", "malformed", 0)
    assert "after object 1500" in job["error"]["message"]


def test_columns_of_json_are_the_fields_of_its_first_thousand_objects(key: TestKey) -> None:
    objects: list[dict[str, Any]] = [{"email": f"p{n}@example.com"} for n in range(1_100)]
    objects[999]["phone"] = objects[1_050]["city"] = "x"
    seen = preview(key, hand_in(key, json.dumps(objects), "json"))

    assert seen.json["columns"] == ["email", "phone"]


def test_a_mapping_of_a_column_that_only_later_objects_have_is_refused(key: TestKey) -> None:
    answer = start(key, hand_in(key, '{"email": "a@example.com"}', "json")["id"], mapping={"email": "email", "x": None})

    assert (answer.status, answer.json["errors"][0]["code"]) == (400, "unknown_column")
