"""Imports: every row of a file becomes a contact or a line in the report, or nothing is imported at all."""

import csv
import io
import urllib.parse
from typing import Any

import pytest

from contact_fields.app import handler as fields_handler
from contact_imports.app import handler
from contacts.app import handler as contacts_handler
from import_contacts import lanes, merge, service
from lists.app import handler as lists_handler
from penguinmails import aws
from penguinmails.db import transaction
from segments.app import handler as segments_handler
from suppression.app import handler as suppression_handler
from tests.support.http import call
from tests.support.imports_of_contacts import IMPORTS, hand_in, run_import, show, start, work
from tests.support.queues import messages_for
from tests.support.tenants import TestKey, TestTenant, make_tenant

CONTACTS = "/api/v1/contacts"


def contacts(key: TestKey) -> list[dict[str, Any]]:
    query = {"sort_by": "email", "order": "asc"}
    return call(contacts_handler, "GET", CONTACTS, token=key.plaintext, query=query).json["data"]


def add(key: TestKey, **body: Any) -> dict[str, Any]:
    answer = call(contacts_handler, "POST", CONTACTS, token=key.plaintext, json=body)
    assert answer.status == 201, answer.body
    return answer.json


def report(key: TestKey, job: dict[str, Any]) -> list[dict[str, str]]:
    link = call(handler, "GET", f"{IMPORTS}/{job['id']}/errors", token=key.plaintext)
    assert link.status == 200, link.body
    path = urllib.parse.urlsplit(link.json["url"]).path
    text = b"".join(aws.stream_object("/".join(path.split("/")[-2:]))).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def counts(job: dict[str, Any]) -> tuple[int, int, int, int]:
    return job["created_count"], job["updated_count"], job["skipped_count"], job["error_count"]


def staging_tables() -> int:
    with transaction(role="imports") as tx:
        assert tx.one("SELECT count(*) FROM import_staging.slices", {}) == 0
        return tx.one("SELECT count(*) FROM pg_inherits WHERE inhparent = 'import_staging.rows'::regclass", {})


# ---- What becomes of rows --------------------------------------------------------------------------------------------


def test_a_file_becomes_contacts_with_tags_list_and_custom_values(tenant: TestTenant, key: TestKey) -> None:
    field = {"key": "seats", "type": "number"}
    call(fields_handler, "POST", "/api/v1/contact-fields", token=key.plaintext, json=field)
    listed = call(lists_handler, "POST", "/api/v1/lists", token=key.plaintext, json={"name": "l"}).json["id"]
    text = (
        'E-Mail;First Name;Firma;Seats;Tags;Notes\r\n Ada@Example.com ;Ada;"A; B";5;x, y;-\r\nbob@example.com;;;;;\r\n'
    )

    job = run_import(tenant, key, text, tags=["june"], list_id=listed)
    ada, bob = contacts(key)
    rule = {"field": "attributes.seats", "operator": "equals", "value": 5}
    found = call(segments_handler, "POST", "/api/v1/segments/preview", token=key.plaintext, json={"definition": rule})
    on_list = call(contacts_handler, "GET", CONTACTS, token=key.plaintext, query={"list_id": listed}).json["data"]

    assert (job["status"], job["progress"], job["total_rows"], counts(job)) == ("completed", 1.0, 2, (2, 0, 0, 0))
    assert (ada["email"], ada["first_name"], ada["company"], ada["source"]) == (
        "ada@example.com",
        "Ada",
        "A; B",
        "import",
    )
    assert (ada["attributes"], ada["tags"]) == ({"seats": 5}, ["june", "x", "y"])
    assert (bob["first_name"], bob["company"], bob["tags"]) == (None, None, ["june"])
    assert (found.json["count"], len(on_list)) == (1, 2)
    assert staging_tables() == 0


def test_each_row_that_is_left_out_stands_in_the_report(tenant: TestTenant, key: TestKey) -> None:
    add(key, email="owner@example.com", external_id="x1")
    field = {"key": "seats", "type": "number"}
    call(fields_handler, "POST", "/api/v1/contact-fields", token=key.plaintext, json=field)
    text = (
        "email,first_name,external_id,seats,status\n"
        "ok@example.com,Ok,,,\n"
        ",Nobody,,,\n"
        "not an address,,,,\n"
        f"long@example.com,{'x' * 101},,,\n"
        "OK@example.com,Twice,,,\n"
        "stolen@example.com,,x1,,\n"
        "five@example.com,,,five,\n"
        "odd@example.com,,,,perhaps\n"
        "=1+1,,,,\n"
        "moved@example.com,Acme, Inc.,x2,,\n"
    )

    job = run_import(tenant, key, text)
    rows = report(key, job)

    assert (job["status"], counts(job)) == ("completed", (1, 0, 0, 9))
    assert [(row["line"], row["field"]) for row in rows] == [
        ("3", "email"), ("4", "email"), ("5", "first_name"), ("6", "email"), ("7", "external_id"),
        ("8", "attributes.seats"), ("9", "status"), ("10", "email"), ("11", ""),
    ]  # fmt: skip
    assert rows[3]["reason"] == "repeats the address of line 2"
    assert rows[8]["reason"].startswith("has 6 cells where the header has 5")
    assert [contact["email"] for contact in contacts(key)] == ["ok@example.com", "owner@example.com"]


@pytest.mark.parametrize(
    ("duplicates", "company", "outcome"),
    [("skip", "Old", (1, 0, 1, 0)), ("update", "New", (1, 1, 0, 0)), ("create", "Old", (1, 0, 0, 1))],
)
def test_a_contact_that_is_there_is_left_changed_or_reported(
    tenant: TestTenant, key: TestKey, duplicates: str, company: str, outcome: tuple[int, int, int, int]
) -> None:
    add(key, email="ada@example.com", company="Old", first_name="Ada", tags=["kept"], attributes={"a": 1})
    text = "email,company,first_name,attr,tags\nADA@example.com,New,,2,added\nnew@example.com,New,,,\n"
    mapping = {
        "email": "email",
        "company": "company",
        "first_name": "first_name",
        "attr": "attributes.b",
        "tags": "tags",
    }

    job = run_import(tenant, key, text, duplicates=duplicates, mapping=mapping)
    ada = contacts(key)[0]

    assert counts(job) == outcome
    assert (ada["company"], ada["first_name"]) == (company, "Ada")
    is_update = duplicates == "update"
    assert ada["tags"] == (["added", "kept"] if is_update else ["kept"])
    assert ada["attributes"] == ({"a": 1, "b": "2"} if is_update else {"a": 1})


def test_the_same_file_twice_changes_nothing_the_second_time(tenant: TestTenant, key: TestKey) -> None:
    text = "email,company,tags\n" + "".join(f"p{n}@example.com,C{n},t\n" for n in range(30))
    run_import(tenant, key, text, duplicates="update")
    messages_for("events", tenant.id)

    again = run_import(tenant, key, text, duplicates="update")

    assert counts(again) == (0, 0, 30, 0)
    assert messages_for("events", tenant.id) == []


def test_who_opted_out_is_not_made_active_and_who_opts_out_by_the_file_is_suppressed(
    tenant: TestTenant, key: TestKey
) -> None:
    add(key, email="gone@example.com", status="unsubscribed")
    add(key, email="here@example.com")
    text = "email,status\ngone@example.com,active\nhere@example.com,unsubscribed\nnew@example.com,Unsubscribed\n"

    run_import(tenant, key, text, duplicates="update")
    listed = call(suppression_handler, "GET", "/api/v1/suppression-list", token=key.plaintext).json["data"]

    assert {c["email"]: c["status"] for c in contacts(key)} == {
        "gone@example.com": "unsubscribed", "here@example.com": "unsubscribed", "new@example.com": "unsubscribed",
    }  # fmt: skip
    assert {entry["email"] for entry in listed} == {"gone@example.com", "here@example.com", "new@example.com"}


def test_events_are_raised_as_single_requests_raise_them(tenant: TestTenant, key: TestKey) -> None:
    add(key, email="one@example.com", first_name="A")
    call(contacts_handler, "POST", CONTACTS, token=key.plaintext, json={"email": "one@example.com", "first_name": "B"},
         query={"upsert": "true"})  # fmt: skip
    run_import(tenant, key, "email,first_name\ntwo@example.com,A\n")
    run_import(tenant, key, "email,first_name\ntwo@example.com,B\n", duplicates="update")

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        found = tx.all("SELECT jsonb_build_array(type, schema_version, data) FROM events ORDER BY created_at", {})
    single, imported = (
        [(kind, version, _shape(data)) for kind, version, data in found if data["contact"]["email"].startswith(who)]
        for who in ("one", "two")
    )
    assert [kind for kind, *_ in single] == ["contact.created", "contact.updated"]
    assert imported == single
    assert found[-1][2]["changed_fields"] == ["first_name"]


def _shape(data: Any) -> Any:
    return {name: _shape(part) for name, part in data.items()} if isinstance(data, dict) else type(data).__name__


def upload(key: TestKey, content: bytes, file_type: str = "csv") -> dict[str, Any]:
    body = {"file_name": f"people.{file_type}", "file_type": file_type, "size": len(content)}
    job = call(handler, "POST", IMPORTS, token=key.plaintext, json=body).json
    path = urllib.parse.urlsplit(job["upload"]["url"]).path
    aws.store_object("/".join(path.split("/")[-2:]), content, "text/csv")
    return job


# ---- Faults of the file as a whole -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"email\n" + b"a@example.com\n" * 3 + b'"never closed\n' + b"b@example.com\n" * 20_000, "field_too_long", 5),
        (b"email\na@example.com\n" + b"x" * 1_500_000, "line_too_long", 3),
        (b"email\na@example.com\nb\xfc@example.com\n", "wrong_encoding", 3),
        (b'email,company\na@example.com,A\nb@example.com,"B\nc@example.com,C\n', "malformed", 3),
    ],
    ids=["long quote", "line", "encoding", "quote"],
)
def test_a_file_that_breaks_in_the_middle_imports_nothing(
    tenant: TestTenant, key: TestKey, content: bytes, code: str, line: int
) -> None:
    job = upload(key, content)
    assert start(key, job["id"]).status == 202
    work(tenant)
    job = show(key, job["id"])

    assert (job["status"], job["error"]["code"], job["error"]["line"]) == ("failed", code, line)
    assert (counts(job), contacts(key), staging_tables()) == ((0, 0, 0, 0), [], 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [("a,A,email\n", "duplicate_headers"), ("\n\n", "no_header"), ("PK\x00\x01", "not_text")],
)
def test_a_file_that_cannot_be_read_is_not_started(key: TestKey, content: str, code: str) -> None:
    answer = start(key, hand_in(key, content)["id"])

    assert (answer.status, answer.json["errors"][0]["code"]) == (400, code)


def limited_to(most: int) -> TestTenant:
    tenant = make_tenant("starter")
    with transaction(role="jobs") as tx:
        tx.run(
            "INSERT INTO tenant_overrides (tenant_id, limits, reason)"
            " VALUES (%(id)s, jsonb_build_object('max_contacts', %(most)s::int), 'test')",
            {"id": tenant.id, "most": most},
        )
    return tenant


def test_an_import_beyond_the_plan_s_limit_adds_nobody_and_says_how_many_are_too_many() -> None:
    tenant = limited_to(3)
    key = tenant.key()
    add(key, email="a@example.com", external_id="x1")
    text = "email,external_id\na@example.com,x1\nb@example.com,\nc@example.com,\nd@example.com,\ntaken@example.com,x1\n"

    job = run_import(tenant, key, text)

    assert (job["status"], job["error"]["code"]) == ("failed", "quota_exceeded")
    assert "3 contacts of the file are new, and the plan has room for 2" in job["error"]["message"]
    assert [c["email"] for c in contacts(key)] == ["a@example.com"]


def test_an_import_that_fills_the_plan_exactly_is_done() -> None:
    tenant = limited_to(3)
    key = tenant.key()
    add(key, email="a@example.com", external_id="x1")

    job = run_import(
        tenant, key, "email,external_id\na@example.com,x1\nb@example.com,\nc@example.com,\nd@example.com,x1\n"
    )

    assert (job["status"], counts(job)) == ("completed", (2, 0, 1, 1))


def test_room_that_others_take_during_the_merge_ends_the_job_which_says_what_it_has_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant = limited_to(12)
    key = tenant.key()
    monkeypatch.setattr(merge, "ROWS_PER_SLICE", 4)
    original = lanes.merge_slice

    def and_another_is_added(tx: Any, job: Any, part: Any) -> int:
        if part.number == 1:
            add(key, email="other@example.com")
        return original(tx, job, part)

    monkeypatch.setattr(lanes, "merge_slice", and_another_is_added)
    monkeypatch.setattr(service, "LANES", 1)
    text = "email\n" + "".join(f"p{n:02}@example.com\n" for n in range(12))

    job = run_import(tenant, key, text)

    assert (job["status"], job["error"]["code"]) == ("failed", "quota_exceeded")
    assert "8 contacts were added and 0 changed before" in job["error"]["message"]
    assert (counts(job), len(contacts(key)), job["can_rollback"]) == ((8, 0, 0, 0), 9, True)
    assert staging_tables() == 0
