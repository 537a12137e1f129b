"""An export of an account holds everything that it has, in files of bounded size, and no secret."""

import contextlib
import gzip
import json
import os
import urllib.parse
from datetime import timedelta
from typing import Any

import pytest

from account.app import handler
from contacts.app import handler as contacts_handler
from export_account import service
from export_account.app import handler as export_handler
from export_account.tables import LEFT_OUT, OF_A_MODE, OF_THE_ACCOUNT, SECRET_COLUMNS
from penguinmails import aws
from penguinmails.db import transaction
from purge_files.app import handler as purge
from tests.support.catalogue import tables
from tests.support.http import Answer, call
from tests.support.operations import operations
from tests.support.people import Person, signed_in
from tests.support.queues import run_job
from tests.support.resources import confirmation
from tests.support.tenants import TestTenant

EXPORTS = "/api/v1/account/exports"


@pytest.fixture
def owner(tenant: TestTenant) -> Person:
    return signed_in(tenant)


def ask(person: Person, operation_id: str, path: str = EXPORTS) -> Answer:
    route = next(o for o in operations() if o.id == operation_id)
    headers = confirmation(person, route.requirement)
    return call(handler, route.method, path, token=person.access_token, headers=headers)


def start(person: Person) -> str:
    answer = ask(person, "exportAccount")
    assert answer.status == 202, answer.body
    return answer.json["id"]


def follow(person: Person, export_id: str) -> dict[str, Any]:
    return ask(person, "getAccountExport", f"{EXPORTS}/{export_id}").json


def contents(person: Person, export_id: str) -> dict[str, list[dict[str, Any]]]:
    answer = ask(person, "getAccountExportFiles", f"{EXPORTS}/{export_id}/files")
    assert answer.status == 200, answer.body
    found: dict[str, list[dict[str, Any]]] = {}
    for file in answer.json["files"]:
        key = "/".join(urllib.parse.urlsplit(file["url"]).path.split("/")[-2:])
        packed = b"".join(aws.stream_object(key))
        lines = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
        assert (len(lines), len(packed)) == (file["row_count"], file["file_size"])
        found[file["name"]] = lines
    return found


def add_contacts(tenant: TestTenant, *names: str) -> None:
    for mode in ("live", "test"):
        token = tenant.key(mode=mode).plaintext
        for name in names:
            body = {"email": f"{name}@{mode}.example.com"}
            assert call(contacts_handler, "POST", "/api/v1/contacts", token=token, json=body).status == 201


def test_live_and_test_data_and_the_account_s_own_lie_in_folders_of_their_own(
    tenant: TestTenant, owner: Person
) -> None:
    add_contacts(tenant, "ada")
    export_id = start(owner)
    assert follow(owner, export_id)["status"] == "pending"

    run_job(export_handler)

    assert follow(owner, export_id)["status"] == "completed"
    files = contents(owner, export_id)
    assert [row["email"] for row in files["live/contacts-0001.jsonl.gz"]] == ["ada@live.example.com"]
    assert [row["email"] for row in files["test/contacts-0001.jsonl.gz"]] == ["ada@test.example.com"]
    assert owner.email in {row["email"] for row in files["account/users-0001.jsonl.gz"]}
    assert follow(owner, export_id)["row_count"] == sum(map(len, files.values()))


def test_no_row_leads_to_a_secret(tenant: TestTenant, owner: Person) -> None:
    tenant.key()
    export_id = start(owner)
    run_job(export_handler)

    rows = [row for lines in contents(owner, export_id).values() for row in lines]

    assert rows
    assert not [name for row in rows for name in row if name in SECRET_COLUMNS or "hash" in name or "digest" in name]


def test_large_tables_come_in_parts_and_a_worker_that_dies_loses_and_doubles_no_row(
    tenant: TestTenant, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"p{number}" for number in range(5)]
    add_contacts(tenant, *names)
    monkeypatch.setattr(service, "ROWS_PER_PART", 2)
    export_id = start(owner)
    store, stored = service.store_object, 0

    def store_and_die(*args: Any) -> None:
        nonlocal stored
        store(*args)
        stored += 1
        if stored % 4 == 0:
            raise ConnectionError("the worker is killed")

    monkeypatch.setattr(service, "store_object", store_and_die)
    for _ in range(200):
        if follow(owner, export_id)["status"] == "completed":
            break
        try:
            service.export()
        except ConnectionError:
            continue

    files = contents(owner, export_id)
    parts = [files[name] for name in sorted(files) if name.startswith("live/contacts-")]
    assert [len(part) for part in parts] == [2, 2, 1]
    assert sorted(row["email"] for part in parts for row in part) == [f"{name}@live.example.com" for name in names]


def test_one_export_is_made_at_a_time(owner: Person) -> None:
    start(owner)

    again = ask(owner, "exportAccount")

    assert (again.status, again.code) == (409, "RESOURCE_CONFLICT")
    assert len(ask(owner, "listAccountExports").json["data"]) == 1


def test_files_are_there_once_the_export_is_done_and_for_seven_days(tenant: TestTenant, owner: Person) -> None:
    export_id = start(owner)
    early = ask(owner, "getAccountExportFiles", f"{EXPORTS}/{export_id}/files")
    run_job(export_handler)
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE account_exports SET expires_at = expires_at - %(days)s", {"days": timedelta(days=7, seconds=1)})
    late = ask(owner, "getAccountExportFiles", f"{EXPORTS}/{export_id}/files")
    assert aws.list_objects(f"{tenant.id}/", 10)

    run_job(purge)

    assert [(answer.status, answer.code) for answer in (early, late)] == [(409, "INVALID_STATE_TRANSITION")] * 2
    assert follow(owner, export_id)["status"] == "expired"
    assert aws.list_objects(f"{tenant.id}/", 10) == []


def test_an_export_that_always_fails_ends_and_says_so(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise ConnectionError("no S3 today")

    export_id = start(owner)
    monkeypatch.setattr(service, "store_object", refuse)
    # Those of other tests may be open too.
    for _ in range(100):
        with contextlib.suppress(ConnectionError):
            service.export()
        if follow(owner, export_id)["status"] == "failed":
            break

    assert follow(owner, export_id)["status"] == "failed"
    assert "Make a new export" in follow(owner, export_id)["error"]


def test_every_table_of_tenants_is_exported_or_says_why_not() -> None:
    found = {
        t.name: t
        for t in tables(os.environ["MIGRATIONS_DATABASE_URL"])
        if t.parent is None and t.has("tenant_id") and t.name != "audit_log"
    }

    assert set(found) == {*OF_THE_ACCOUNT, *OF_A_MODE, *LEFT_OUT}
    has_two_data_sets = {
        name for name, table in found.items() if any("app.current_mode" in policy.using for policy in table.policies)
    }
    assert set(OF_A_MODE) <= has_two_data_sets
    assert has_two_data_sets.isdisjoint(OF_THE_ACCOUNT)
