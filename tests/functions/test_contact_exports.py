"""Exports: the file holds who was asked for, runs nothing in a spreadsheet, and is gone after seven days."""

import csv
import io
import json
import urllib.parse
import zipfile
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from contact_exports.app import handler
from contact_imports.app import handler as imports_handler
from contacts.app import handler as contacts_handler
from export_contacts import service as export_service
from export_contacts.app import handler as worker
from export_contacts.parts import PartWriter
from lists.app import handler as lists_handler
from penguinmails import aws
from penguinmails.db import transaction
from penguinmails.domain import segment_pages
from penguinmails.domain.files import new_key
from purge_files.app import handler as purge
from segments.app import handler as segments_handler
from tests.support.http import Answer, call
from tests.support.imports_of_contacts import IMPORTS, run_import
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant

CONTACTS, EXPORTS = "/api/v1/contacts", "/api/v1/contacts/export"


def add(key: TestKey, email: str, **body: Any) -> str:
    answer = call(contacts_handler, "POST", CONTACTS, token=key.plaintext, json={"email": email, **body})
    assert answer.status == 201, answer.body
    return answer.json["id"]


def ask(key: TestKey, **body: Any) -> Answer:
    return call(handler, "POST", EXPORTS, token=key.plaintext, json=body)


def export(tenant: TestTenant, key: TestKey, **body: Any) -> dict[str, Any]:
    asked = ask(key, **body)
    assert asked.status == 202, asked.body
    for message in messages_for("exports", tenant.id):
        assert consume(worker, message) == []
    return call(handler, "GET", f"{EXPORTS}/{asked.json['id']}", token=key.plaintext).json


def link(key: TestKey, job: dict[str, Any]) -> Answer:
    return call(handler, "GET", f"{EXPORTS}/{job['id']}/download", token=key.plaintext)


def stored_key(url: str) -> str:
    return "/".join(urllib.parse.urlsplit(url).path.split("/")[-2:])


def content(key: TestKey, job: dict[str, Any]) -> bytes:
    answer = link(key, job)
    assert answer.status == 200, answer.body
    return b"".join(aws.stream_object(stored_key(answer.json["url"])))


def rows(key: TestKey, job: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(key, job).decode("utf-8-sig"))))


def emails(key: TestKey, job: dict[str, Any]) -> list[str]:
    return [row["email"].split("@")[0] for row in rows(key, job)]


def test_all_contacts_are_exported_page_by_page_with_all_their_fields(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_service, "PAGE", 3)
    for n in range(8):
        add(key, f"p{n}@example.com", first_name=f"Ä{n}", tags=["b", "a"])
    add(tenant.key(mode="test"), "other-mode@example.com")

    job = export(tenant, key)
    written = rows(key, job)

    assert (job["status"], job["export_type"], job["processed_contacts"]) == ("completed", "full", 8)
    assert [row["email"] for row in written] == [f"p{n}@example.com" for n in range(8)]
    assert (written[0]["first_name"], written[0]["tags"], written[0]["company"]) == ("Ä0", "a;b", "")
    assert job["file_size"] == len(content(key, job))


def test_an_export_is_narrowed_by_filters_and_segments(tenant: TestTenant, key: TestKey) -> None:
    a, b = add(key, "a@example.com", tags=["t"]), add(key, "b@example.com", tags=["t"], status="unsubscribed")
    add(key, "c@example.com")
    listed = call(lists_handler, "POST", "/api/v1/lists", token=key.plaintext, json={"name": "l"}).json["id"]
    path = f"/api/v1/lists/{listed}/contacts"
    call(lists_handler, "POST", path, token=key.plaintext, json={"contact_ids": [a, b]})
    rule = {"not": {"field": "tag", "operator": "has", "value": "t"}}
    body = {"name": "s", "definition": rule}
    segment = call(segments_handler, "POST", "/api/v1/segments", token=key.plaintext, json=body).json["id"]

    assert emails(key, export(tenant, key, tag="t")) == ["a", "b"]
    assert emails(key, export(tenant, key, list_id=listed, status="active")) == ["a"]
    assert emails(key, export(tenant, key, created_after="2999-01-01T00:00:00Z")) == []
    assert emails(key, export(tenant, key, segment_id=segment)) == ["c"]
    dynamic = {"name": "d", "segment_id": segment}
    found = call(lists_handler, "POST", "/api/v1/lists", token=key.plaintext, json=dynamic).json["id"]
    assert emails(key, export(tenant, key, list_id=found)) == ["c"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "=HYPERLINK(A1)"])
def test_what_looks_like_a_formula_is_kept_as_data_and_never_run(tenant: TestTenant, key: TestKey, text: str) -> None:
    run_import(tenant, key, f'email,company\na@example.com,"{text}"\n')

    as_csv = rows(key, export(tenant, key, fields=["email", "company"]))
    as_json = json.loads(content(key, export(tenant, key, format="json", fields=["company"])))

    assert as_csv[0]["company"] == f"'{text}"
    assert as_json[0]["company"] == text


@pytest.mark.parametrize("file_format", ["csv", "json", "xlsx"])
def test_what_is_exported_can_be_imported_again(tenant: TestTenant, key: TestKey, file_format: str) -> None:
    import base64

    for n, name in enumerate(['Quote"', "Line\nbreak", "Semi;colon", "<tag> & ]]>", "=1", "Ünï"]):
        add(key, f"p{n}@example.com", company=name, tags=["t"], attributes={"seats": n, "vip": n % 2 == 0})
    fields = ["email", "company", "tags", "attributes.seats", "attributes.vip"]
    body = content(key, export(tenant, key, format=file_format, fields=fields))
    fresh = tenant.key(mode="test")
    text = base64.b64encode(body).decode() if file_format == "xlsx" else body.decode()

    mapping = {name: name for name in fields}
    job = {"file_name": "x", "file_type": file_format, "content": text}
    made = call(imports_handler, "POST", IMPORTS, token=fresh.plaintext, json=job).json
    started = call(
        imports_handler, "POST", f"{IMPORTS}/{made['id']}/start", token=fresh.plaintext, json={"mapping": mapping}
    )
    assert started.status == 202, started.body
    from tests.support.imports_of_contacts import work

    work(tenant)
    query = {"sort_by": "email", "order": "asc"}
    before, after = (
        call(contacts_handler, "GET", CONTACTS, token=k.plaintext, query=query).json["data"] for k in (key, fresh)
    )

    def kept(contact: dict[str, Any]) -> tuple[Any, ...]:
        seats = contact["attributes"]["seats"]
        return contact["email"], contact["company"], contact["tags"], int(seats)

    assert [kept(contact) for contact in after] == [kept(contact) for contact in before]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"fields": ["email", "password"]}, "fields.1"),
        ({"fields": ["email", "email"]}, "fields"),
        ({"segment_id": str(uuid4())}, "segment_id"),
        ({"list_id": str(uuid4())}, "list_id"),
        ({"workspace_id": str(uuid4())}, "workspace_id"),
    ],
)
def test_what_cannot_be_exported_is_refused(key: TestKey, body: dict[str, Any], field: str) -> None:
    answer = ask(key, **body)

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, field)


def test_a_link_lasts_five_minutes_and_serves_an_attachment(tenant: TestTenant, key: TestKey) -> None:
    job = export(tenant, key)
    url = link(key, job).json["url"]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)

    assert query["X-Amz-Expires"] == ["300"]
    assert query["response-content-disposition"] == ['attachment; filename="contacts.csv"']
    assert stored_key(url).startswith(f"{tenant.id}/")


def test_a_file_that_is_not_made_yet_has_no_link(key: TestKey) -> None:
    job = ask(key).json

    assert (link(key, job).status, link(key, job).code) == (409, "INVALID_STATE_TRANSITION")


def test_a_message_that_comes_twice_makes_one_file(tenant: TestTenant, key: TestKey) -> None:
    ask(key)
    (message,) = messages_for("exports", tenant.id)

    assert consume(worker, message) == consume(worker, message) == []
    stored = [k for k in _all_keys() if k.startswith(str(tenant.id))]
    assert len(stored) == 1


def _all_keys() -> list[str]:
    return [item["Key"] for item in aws.client("s3").list_objects_v2(Bucket="files").get("Contents", [])]


def small_parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Parts of two pages of two contacts; returns a list that tells how many contacts were read, page by page."""
    read: list[int] = []
    page = export_service._page

    def counted(*arguments: Any) -> Any:
        rows, following = page(*arguments)
        read.append(len(rows))
        return rows, following

    monkeypatch.setattr(export_service, "PAGE", 2)
    monkeypatch.setattr(export_service, "PAGES_PER_PART", 2)
    monkeypatch.setattr(export_service, "_page", counted)
    return read


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "json"])
def test_an_export_whose_time_is_up_goes_on_where_it_stopped(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    read = small_parts(monkeypatch)
    for n in range(9):
        add(key, f"p{n}@example.com", tags=["a"])
    whole = content(key, export(tenant, key, format=file_format, fields=["email", "tags"]))
    assert sum(read) == 9

    job = ask(key, format=file_format, fields=["email", "tags"]).json
    messages = 0
    with monkeypatch.context() as patched:
        # Time for one part per message; the file is made by one of its own.
        patched.setattr(export_service, "SECONDS_PER_MESSAGE", -1)
        while waiting := messages_for("exports", tenant.id):
            for message in waiting:
                messages += 1
                assert consume(worker, message) == []

    shown = call(handler, "GET", f"{EXPORTS}/{job['id']}", token=key.plaintext).json
    assert (messages, shown["status"], shown["processed_contacts"], sum(read)) == (4, "completed", 9, 18)
    if file_format == "xlsx":
        sheets = [zipfile.ZipFile(io.BytesIO(b)).read("xl/worksheets/sheet1.xml") for b in (whole, content(key, shown))]
        assert sheets[0] == sheets[1]
    else:
        assert content(key, shown) == whole


def test_an_export_of_few_among_many_contacts_stores_no_part_where_nobody_is_found(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = small_parts(monkeypatch)
    monkeypatch.setattr(export_service, "PAGES_PER_PART", 1)
    monkeypatch.setattr(export_service, "_SECONDS_TO_READ", timedelta(seconds=-1))
    monkeypatch.setattr(segment_pages, "WINDOW", 2)
    for n in range(9):
        add(key, f"p{n}@example.com", company="Acme" if n in {0, 7, 8} else "Bolt")
    rule = {"field": "company", "operator": "contains", "value": "cm"}
    body = {"name": "s", "definition": rule}
    segment = call(segments_handler, "POST", "/api/v1/segments", token=key.plaintext, json=body).json["id"]
    stored: list[str] = []
    monkeypatch.setattr(export_service, "new_key", lambda tenant_id: stored.append(new_key(tenant_id)) or stored[-1])

    assert emails(key, export(tenant, key, segment_id=segment)) == ["p0", "p7", "p8"]
    assert read == [1, 0, 0, 1, 1]
    assert len(stored) == 3 + 1, "a part for each page with contacts, and the file"


def test_a_crash_reads_no_part_again(tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch) -> None:
    read = small_parts(monkeypatch)
    for n in range(6):
        add(key, f"p{n}@example.com")
    job = ask(key).json
    (message,) = messages_for("exports", tenant.id)
    with monkeypatch.context() as patched:
        patched.setattr(export_service, "object_writer", lambda *_: 1 / 0)
        assert len(consume(worker, message)) == 1
    assert consume(worker, message, receive_count=2) == []

    assert emails(key, job) == [f"p{n}" for n in range(6)]
    assert sum(read) == 6
    assert [k for k in _all_keys() if k.startswith(str(tenant.id))] == [stored_key(link(key, job).json["url"])]


def test_of_two_workers_at_one_export_the_slower_one_leaves_nothing_behind(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    for n in range(6):
        add(key, f"p{n}@example.com")
    job = ask(key).json
    (message,) = messages_for("exports", tenant.id)
    store = PartWriter.store

    def overtaken(part: PartWriter, part_key: str) -> None:
        monkeypatch.setattr(PartWriter, "store", store)
        assert consume(worker, message) == []
        store(part, part_key)

    monkeypatch.setattr(PartWriter, "store", overtaken)
    assert consume(worker, message) == []

    assert emails(key, job) == [f"p{n}" for n in range(6)]
    assert [k for k in _all_keys() if k.startswith(str(tenant.id))] == [stored_key(link(key, job).json["url"])]


def test_an_export_that_fails_leaves_no_parts_behind(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(key, "a@example.com")
    job = ask(key).json
    (message,) = messages_for("exports", tenant.id)
    monkeypatch.setattr(export_service, "object_writer", lambda *_: 1 / 0)
    assert consume(worker, message, receive_count=5) == []

    shown = call(handler, "GET", f"{EXPORTS}/{job['id']}", token=key.plaintext).json
    assert (shown["status"], [k for k in _all_keys() if k.startswith(str(tenant.id))]) == ("failed", [])


def test_files_are_removed_when_their_time_is_over(tenant: TestTenant, key: TestKey) -> None:
    job, young = export(tenant, key), export(tenant, key)
    done = run_import(tenant, key, "email,company\na@example.com,\n")
    with transaction(role="jobs") as tx:
        tx.run("UPDATE export_jobs SET expires_at = now() - interval '1 s' WHERE id = %(id)s", {"id": job["id"]})
        tx.run("UPDATE import_jobs SET created_at = now() - interval '31 days' WHERE id = %(id)s", {"id": done["id"]})
    assert link(key, job).status == 409

    run_job(purge)

    shown = call(handler, "GET", f"{EXPORTS}/{job['id']}", token=key.plaintext).json
    old_import = call(imports_handler, "GET", f"{IMPORTS}/{done['id']}", token=key.plaintext).json
    assert (shown["status"], old_import["can_rollback"]) == ("expired", False)
    assert [k for k in _all_keys() if k.startswith(str(tenant.id))] == [stored_key(link(key, young).json["url"])]


def test_an_export_is_its_owner_s_alone(tenant: TestTenant, key: TestKey, other_tenant: TestTenant) -> None:
    job, stranger = export(tenant, key), other_tenant.key()

    assert link(stranger, job).status == 404
    assert call(handler, "GET", EXPORTS, token=stranger.plaintext).json["data"] == []
