"""Exports of millions of contacts: bounded in what they hold, whatever the size of the file."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from contact_exports import service as exports_service
from export_contacts import parts
from export_contacts import service as export_service
from penguinmails import aws
from penguinmails.aws import ObjectWriter, object_writer
from tests.functions.test_contact_exports import add, ask, content, emails, export
from tests.support.tenants import TestKey, TestTenant

MB = 1024 * 1024


class Watched:
    """What S3 was sent, call by call."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[str] = []
        self.bodies: list[int] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name == "exceptions":
            return method

        def watched(*place: Any, **arguments: Any) -> Any:
            self.calls.append(name)
            if isinstance(arguments.get("Body"), bytes):
                self.bodies.append(len(arguments["Body"]))
            return method(*place, **arguments)

        return watched


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Watched:
    client = aws.client
    watched = Watched(client("s3"))
    monkeypatch.setattr(aws, "client", lambda name, **how: watched if name == "s3" else client(name, **how))
    return watched


def uploads() -> list[str]:
    return [one["Key"] for one in aws.client("s3").list_multipart_uploads(Bucket="files").get("Uploads", [])]


def stored(key: str) -> bytes:
    return b"".join(aws.stream_object(key))


def test_a_large_file_is_sent_in_parts_and_one_is_held_at_a_time(s3: Watched) -> None:
    key = f"{uuid4()}/large"
    line = bytes(range(256)) * 4
    most = 0
    with object_writer(key, "text/csv") as file:
        for _ in range(20 * MB // len(line)):
            file.write(line)
            most = max(most, len(file._held))
        file.write(b"x" * (9 * MB))

    assert most <= ObjectWriter.PART_BYTES
    assert s3.bodies == [8 * MB, 8 * MB, 8 * MB, 5 * MB]
    assert s3.calls == ["create_multipart_upload", *["upload_part"] * 4, "complete_multipart_upload"]
    assert file.size == 29 * MB
    assert stored(key) == line * (20 * MB // len(line)) + b"x" * (9 * MB)


@pytest.mark.parametrize("size", [0, 5, 8 * MB - 1])
def test_a_small_file_is_sent_at_once(s3: Watched, size: int) -> None:
    key = f"{uuid4()}/small"
    with object_writer(key, "text/csv") as file:
        file.write(b"x" * size)

    assert (s3.calls, s3.bodies) == (["put_object"], [size])
    assert stored(key) == b"x" * size


def test_a_file_that_fails_half_way_leaves_nothing() -> None:
    key = f"{uuid4()}/broken"
    with pytest.raises(ZeroDivisionError), object_writer(key, "text/csv") as file:
        file.write(b"x" * (9 * MB))
        assert uploads() == [key]
        raise ZeroDivisionError

    assert uploads() == []
    assert aws.object_size(key) is None


def test_what_was_compressed_very_well_is_unpacked_in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    row = json.dumps(["a" * 500]).encode() + b"\n"
    packed = gzip.compress(row * 100_000)
    monkeypatch.setattr(
        parts, "stream_object", lambda _: iter([packed[: len(packed) // 2], packed[len(packed) // 2 :]])
    )

    pieces = list(map(len, parts._unpacked(parts.stream_object("part"))))

    assert (sum(pieces), max(pieces)) == (len(row) * 100_000, MB)
    assert sum(cells == ["a" * 500] for cells in parts.read_part("part")) == 100_000


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_the_file_of_many_contacts_goes_to_the_bucket_without_the_disk(
    tenant: TestTenant, key: TestKey, s3: Watched, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    many, company = 25_000, "x" * 1_000
    add(key, "a@example.com")
    read, add_part = parts.read_part, export_service._add_part

    def repeated(part: str) -> Iterator[list[Any]]:
        for cells in read(part):
            yield from ([cells[0], company] for _ in range(many))

    def then_without_a_disk(*arguments: Any) -> Any:
        grown = add_part(*arguments)
        monkeypatch.setattr(export_service, "tempfile", None)
        s3.bodies.clear()
        return grown

    monkeypatch.setattr(export_service, "read_part", repeated)
    monkeypatch.setattr(export_service, "_add_part", then_without_a_disk)

    job = export(tenant, key, format=file_format, fields=["email", "company"])

    whole = content(key, job)
    assert job["file_size"] == len(whole) > many * len(company)
    assert len(s3.bodies) == len(whole) // ObjectWriter.PART_BYTES + 1 == 4
    assert max(s3.bodies) == ObjectWriter.PART_BYTES
    written = (
        json.loads(whole) if file_format == "json" else list(csv.DictReader(io.StringIO(whole.decode("utf-8-sig"))))
    )
    assert written == [{"email": "a@example.com", "company": company}] * many


def test_a_part_ends_with_its_bytes_as_with_its_pages(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_service, "PAGE", 1)
    monkeypatch.setattr(export_service, "BYTES_PER_PART", 10)
    for n in range(3):
        add(key, f"p{n}@example.com")
    sizes: list[int] = []
    store = parts.PartWriter.store
    monkeypatch.setattr(parts.PartWriter, "store", lambda part, k: sizes.append(part.size) or store(part, k))

    assert emails(key, export(tenant, key, fields=["email"])) == ["p0", "p1", "p2"]
    assert sizes == [len('["p0@example.com"]\n')] * 3


def test_a_sheet_for_more_contacts_than_it_holds_is_refused_when_it_is_asked_for(
    key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports_service, "MOST_IN_XLSX", 1)
    add(key, "a@example.com")
    assert ask(key, format="xlsx").status == 202
    add(key, "b@example.com")

    refused = ask(key, format="xlsx")

    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "too_many_rows")
    assert refused.json["errors"][0]["field"] == "format"
    assert "choose csv or json, or narrow the export by a filter" in refused.json["errors"][0]["message"]
    assert {ask(key, format="csv").status, ask(key, format="xlsx", status="bounced").status} == {202}


def test_a_sheet_of_a_filter_that_finds_too_many_fails_as_soon_as_that_is_known(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_service, "MOST_IN_XLSX", 3)
    monkeypatch.setattr(export_service, "PAGE", 1)
    monkeypatch.setattr(export_service, "PAGES_PER_PART", 1)
    for n in range(5):
        add(key, f"p{n}@example.com", tags=["t"] if n < 2 else ["t", "u"])

    fits = export(tenant, key, format="xlsx", tag="u", fields=["id"])
    fails = export(tenant, key, format="xlsx", tag="t", fields=["id"])

    assert (fits["status"], fits["processed_contacts"]) == ("completed", 3)
    assert (fails["status"], fails["processed_contacts"]) == ("failed", 4)
    assert fails["error"].endswith("Export as csv or json, or narrow the export by a filter.")


def test_a_workbook_that_outgrows_the_disk_fails_and_says_what_to_do(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_service, "MOST_WORKBOOK_BYTES", 10)
    add(key, "a@example.com")

    job = export(tenant, key, format="xlsx", tag=None)

    assert job["status"] == "failed"
    assert "csv or json" in job["error"]
    assert aws.list_objects(f"{tenant.id}/", 10) == []


def test_a_text_written_in_pieces_is_the_same_text() -> None:
    key = f"{uuid4()}/text"
    with object_writer(key, "text/csv") as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        for _ in range(1_000):
            text.write("Zażółć gęślą jaźń\r\n")
        text.flush()
        text.detach()

    assert stored(key).decode() == "Zażółć gęślą jaźń\r\n" * 1_000
