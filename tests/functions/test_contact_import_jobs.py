"""Jobs of imports: they survive every crash, end when they are told to, and can be taken back."""

import itertools
import threading
import urllib.parse
from typing import Any
from uuid import UUID

import pytest

from contact_imports.app import handler
from contacts.app import handler as contacts_handler
from import_contacts import lanes, merge, reading, service, slices
from import_contacts import repository as import_repository
from import_contacts.app import handler as worker
from lists.app import handler as lists_handler
from penguinmails import aws
from penguinmails.db import transaction
from tests.support.connections import connected
from tests.support.http import call
from tests.support.imports_of_contacts import IMPORTS, hand_in, run_import, show, start, work
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestKey, TestTenant

CONTACTS = "/api/v1/contacts"


def contacts(key: TestKey) -> list[dict[str, Any]]:
    query = {"sort_by": "email", "order": "asc"}
    return call(contacts_handler, "GET", CONTACTS, token=key.plaintext, query=query).json["data"]


def add(key: TestKey, **body: Any) -> dict[str, Any]:
    answer = call(contacts_handler, "POST", CONTACTS, token=key.plaintext, json=body)
    assert answer.status == 201, answer.body
    return answer.json


def counts(job: dict[str, Any]) -> tuple[int, int, int, int]:
    return job["created_count"], job["updated_count"], job["skipped_count"], job["error_count"]


# ---- Crashes and repetitions -----------------------------------------------------------------------------------------


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS_PER_SLICE", 7)
    monkeypatch.setattr(merge, "ROWS_PER_SLICE", 6)


_STEPS = [(import_repository, "hold_job"), (import_repository, "join_job"), (slices, "claim"), (slices, "finish")]
"""What every step of a job begins or ends with."""


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("crash_at", range(1, 34, 2))
def test_a_crash_anywhere_goes_on_exactly_there(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch, crash_at: int
) -> None:
    text = "email,company,tags\n" + "".join(f'p{n:02}@example.com,"C\n{n}",t{n % 3}\n' for n in range(40))
    job = hand_in(key, text)
    assert start(key, job["id"]).status == 202
    (message,) = messages_for("imports", tenant.id)
    steps = itertools.count(1)

    def crashing(original: Any) -> Any:
        def step(*arguments: Any, **named: Any) -> Any:
            done = original(*arguments, **named)
            if next(steps) == crash_at:
                raise ConnectionResetError("the worker is gone")
            return done

        return step

    for module, name in _STEPS:
        monkeypatch.setattr(module, name, crashing(getattr(module, name)))
    failed = consume(worker, message)
    assert consume(worker, message, receive_count=2) == []
    assert consume(worker, message, receive_count=3) == []

    done = show(key, job["id"])
    assert len(failed) == 1
    assert (done["status"], done["total_rows"], counts(done)) == ("completed", 40, (40, 0, 0, 0))
    assert [c["company"] for c in contacts(key)] == [f"C\n{n}" for n in range(40)]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT count(*) FROM events WHERE type = 'contact.created'", {}) == 40


@pytest.mark.usefixtures("small_slices")
def test_staged_rows_that_a_database_crash_has_taken_are_read_again(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    from import_contacts import repository

    original = repository.count_staged
    counted: list[int] = []

    def after_a_crash(tx: Any, job_id: Any) -> int:
        if not counted:
            repository.empty_staging(tx, job_id)
        counted.append(original(tx, job_id))
        return counted[-1]

    monkeypatch.setattr(repository, "count_staged", after_a_crash)

    job = run_import(tenant, key, "email\n" + "".join(f"p{n}@example.com\n" for n in range(20)))

    assert (counted, job["status"], counts(job)) == ([0, 20], "completed", (20, 0, 0, 0))


def test_a_long_job_goes_on_with_a_message_of_its_own(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    from import_contacts import service

    monkeypatch.setattr(service, "SECONDS_PER_MESSAGE", -1)
    job = hand_in(key, "email\na@example.com\n")
    start(key, job["id"])
    rounds = 0
    while messages := messages_for("imports", tenant.id):
        assert consume(worker, *messages) == []
        rounds += 1

    assert (show(key, job["id"])["status"], rounds) == ("completed", 5)


def test_a_worker_waits_for_a_request_about_its_job(tenant: TestTenant, key: TestKey) -> None:
    job = hand_in(key, "email\na@example.com\n")
    start(key, job["id"])
    (message,) = messages_for("imports", tenant.id)
    with connected("DATABASE_URL", tenant) as other:
        # A second start, or a rollback of a job that still runs, holds the job until it is refused.
        other.run("SELECT 1 FROM import_jobs WHERE id = %(id)s FOR UPDATE", {"id": job["id"]})
        refused = threading.Timer(0.5, other.connection.rollback)
        refused.start()
        assert consume(worker, message) == []
        refused.join()

    assert show(key, job["id"])["status"] == "completed"


def test_two_workers_never_have_the_same_job(tenant: TestTenant, key: TestKey) -> None:
    job = hand_in(key, "email\na@example.com\n")
    start(key, job["id"])
    (message,) = messages_for("imports", tenant.id)
    with connected("IMPORTS_DATABASE_URL", tenant) as other:
        assert import_repository.hold_job(other, UUID(job["id"])) is not None
        assert consume(worker, message) == []
        assert show(key, job["id"])["total_rows"] == 0
        other.connection.rollback()

    assert consume(worker, message) == []
    assert show(key, job["id"])["status"] == "completed"


def test_a_job_that_fails_every_time_ends_as_failed(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    from import_contacts import repository

    job = hand_in(key, "email\na@example.com\n")
    start(key, job["id"])
    (message,) = messages_for("imports", tenant.id)

    def crash(*_: Any) -> Any:
        raise ZeroDivisionError("an inner detail")

    monkeypatch.setattr(repository, "hold_job", crash)

    assert [len(consume(worker, message, receive_count=n)) for n in (1, 4, 5)] == [1, 1, 0]
    ended = show(key, job["id"])
    assert (ended["status"], ended["error"]["code"]) == ("failed", "internal")
    assert "inner detail" not in ended["error"]["message"]


# ---- Cancel and rollback ---------------------------------------------------------------------------------------------


def post(key: TestKey, job: dict[str, Any], action: str) -> Any:
    return call(handler, "POST", f"{IMPORTS}/{job['id']}/{action}", token=key.plaintext, json={})


def test_a_cancelled_job_writes_nothing_more(tenant: TestTenant, key: TestKey) -> None:
    pending, running = hand_in(key, "email\na@example.com\n"), hand_in(key, "email\nb@example.com\n")
    start(key, running["id"])

    cancelled = [post(key, job, "cancel") for job in (pending, running)]
    work(tenant)

    assert [answer.json["status"] for answer in cancelled] == ["cancelled", "cancelled"]
    assert [post(key, running, action).status for action in ("cancel", "start", "rollback")] == [409, 409, 409]
    assert contacts(key) == []


@pytest.mark.usefixtures("small_slices")
def test_a_job_that_is_cancelled_during_the_merge_keeps_whole_slices(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = hand_in(key, "email\n" + "".join(f"p{n:02}@example.com\n" for n in range(20)))
    start(key, job["id"])
    original, answers = lanes.merge_slice, []

    def and_cancel(tx: Any, held: Any, part: Any) -> int:
        # Its owner does not wait for the slice, and the slice is undone.
        if part.number == 1:
            answers.append(post(key, job, "cancel").status)
        return original(tx, held, part)

    monkeypatch.setattr(lanes, "merge_slice", and_cancel)
    monkeypatch.setattr(service, "LANES", 1)
    work(tenant)
    ended = show(key, job["id"])

    assert (answers, ended["status"], counts(ended)) == ([200], "cancelled", (6, 0, 0, 0))
    assert [c["email"] for c in contacts(key)] == [f"p{n:02}@example.com" for n in range(6)]
    assert post(key, job, "rollback").status == 202
    work(tenant)
    assert contacts(key) == []


@pytest.mark.usefixtures("small_slices")
def test_slices_are_merged_side_by_side(tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch) -> None:
    both, original = threading.Barrier(2, timeout=20), lanes.merge_slice
    threads: set[int] = set()

    def together(tx: Any, held: Any, part: Any) -> int:
        threads.add(threading.get_ident())
        if part.number in {1, 2}:
            both.wait()
        return original(tx, held, part)

    monkeypatch.setattr(lanes, "merge_slice", together)
    done = run_import(tenant, key, "email\n" + "".join(f"p{n:02}@example.com\n" for n in range(24)))

    assert (done["status"], counts(done), len(contacts(key)), len(threads)) == ("completed", (24, 0, 0, 0), 24, 2)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT contacts FROM contact_counts", {}) == 24


def test_a_rollback_removes_what_was_added_and_restores_what_was_changed(tenant: TestTenant, key: TestKey) -> None:
    before = add(key, email="old@example.com", company="Old", first_name="Ada", tags=["kept"], attributes={"a": 1})
    touched = add(key, email="touched@example.com", company="Old")
    text = "email,company,external_id,tags\nold@example.com,New,x1,added\ntouched@example.com,New,,\nnew@example.com,New,,\n"
    job = run_import(tenant, key, text, duplicates="update")
    change = {"phone": "123"}
    call(contacts_handler, "PATCH", f"{CONTACTS}/{touched['id']}", token=key.plaintext, json=change)

    begun = post(key, job, "rollback")
    work(tenant)
    done = show(key, job["id"])
    old, kept = contacts(key)

    assert (begun.status, begun.json["status"], done["status"]) == (202, "rolling_back", "rolled_back")
    assert (done["rolled_back_count"], done["kept_count"], done["can_rollback"]) == (2, 1, False)
    assert {n: v for n, v in old.items() if n != "updated_at"} == {n: v for n, v in before.items() if n != "updated_at"}
    assert (kept["company"], kept["phone"]) == ("New", "123")


@pytest.mark.parametrize("duplicates", ["skip", "update"])
def test_a_rollback_takes_off_the_list_whom_the_import_put_on_it(
    tenant: TestTenant, key: TestKey, duplicates: str
) -> None:
    listed = call(lists_handler, "POST", "/api/v1/lists", token=key.plaintext, json={"name": "l"}).json["id"]
    there, on_it = add(key, email="there@example.com"), add(key, email="on.it@example.com")
    members = f"/api/v1/lists/{listed}/contacts"
    call(lists_handler, "POST", members, token=key.plaintext, json={"contact_ids": [on_it["id"]]})
    text = "email,company\nthere@example.com,New\non.it@example.com,New\nnew@example.com,New\n"

    job = run_import(tenant, key, text, duplicates=duplicates, list_id=listed)
    during = call(lists_handler, "GET", members, token=key.plaintext).json["data"]
    assert post(key, job, "rollback").status == 202
    work(tenant)
    after = call(lists_handler, "GET", members, token=key.plaintext).json["data"]

    assert (job["listed_count"], len(during)) == (1, 3)
    assert [contact["email"] for contact in after] == ["on.it@example.com"]
    done = show(key, job["id"])
    assert (done["rolled_back_count"], done["kept_count"]) == ({"skip": 1, "update": 3}[duplicates], 0)
    assert {c["email"]: c["company"] for c in contacts(key)} == {there["email"]: None, on_it["email"]: None}


def test_an_import_that_only_filled_a_list_can_be_taken_back(tenant: TestTenant, key: TestKey) -> None:
    listed = call(lists_handler, "POST", "/api/v1/lists", token=key.plaintext, json={"name": "l"}).json["id"]
    add(key, email="there@example.com")

    job = run_import(tenant, key, "email\nthere@example.com\n", list_id=listed)
    assert (job["skipped_count"], job["can_rollback"]) == (1, True)
    post(key, job, "rollback")
    work(tenant)

    assert call(lists_handler, "GET", f"/api/v1/lists/{listed}", token=key.plaintext).json["contact_count"] == 0


def test_what_a_rollback_would_need_goes_with_the_contact(tenant: TestTenant, key: TestKey) -> None:
    person = add(key, email="old@example.com", company="Old")
    run_import(tenant, key, "email,company\nold@example.com,New\n", duplicates="update")
    call(contacts_handler, "DELETE", f"{CONTACTS}/{person['id']}", token=key.plaintext)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT count(*) FROM import_events", {}) == 0


# ---- The job as its owner sees it ------------------------------------------------------------------------------------


def test_a_preview_shows_columns_their_meaning_and_twenty_rows(key: TestKey) -> None:
    text = "E-mail Address\tSurname\tWhatever\n" + "".join(f"p{n}@example.com\tS{n}\t\n" for n in range(30))
    job = hand_in(key, text, "tsv")
    seen = call(handler, "GET", f"{IMPORTS}/{job['id']}/preview", token=key.plaintext).json

    assert seen["columns"] == ["E-mail Address", "Surname", "Whatever"]
    assert seen["mapping"] == {"E-mail Address": "email", "Surname": "last_name", "Whatever": None}
    assert (len(seen["rows"]), seen["rows"][1]["Surname"], seen["delimiter"]) == (20, "S1", "\t")


def test_a_file_of_nothing_but_its_header_has_no_rows(tenant: TestTenant, key: TestKey) -> None:
    job = hand_in(key, "email,first_name\n")
    seen = call(handler, "GET", f"{IMPORTS}/{job['id']}/preview", token=key.plaintext)
    assert (seen.status, seen.json["columns"], seen.json["rows"]) == (200, ["email", "first_name"], [])

    done = run_import(tenant, key, "email,first_name\n")
    assert (done["status"], done["error"]["message"]) == ("failed", "The file has a header but no rows.")


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"email": "email", "nothing": "company"}, "unknown_column"),
        ({"email": "password"}, "unknown_target"),
        ({"email": "email", "mail": "email"}, "repeated"),
        ({"email": "company"}, "missing"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(key: TestKey, mapping: dict[str, str], code: str) -> None:
    answer = start(key, hand_in(key, "email,mail\na@example.com,b@example.com\n")["id"], mapping=mapping)

    assert (answer.status, answer.json["errors"][0]["code"]) == (400, code)


def test_a_file_is_uploaded_to_a_link_that_fixes_size_and_type(tenant: TestTenant, key: TestKey) -> None:
    content = b"email\na@example.com\n"
    body = {"file_name": "people.csv", "file_type": "csv", "size": len(content)}
    job = call(handler, "POST", IMPORTS, token=key.plaintext, json=body).json
    early = [
        start(key, job["id"]),
        call(handler, "GET", f"{IMPORTS}/{job['id']}/preview", token=key.plaintext),
    ]
    link = urllib.parse.urlsplit(job["upload"]["url"])
    query = urllib.parse.parse_qs(link.query)
    stored = "/".join(link.path.split("/")[-2:])
    aws.store_object(stored, content + b"b@example.com\n", "text/csv")
    wrong_size = start(key, job["id"])
    aws.store_object(stored, content, "text/csv")
    assert start(key, job["id"]).status == 202
    work(tenant)

    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert query["X-Amz-Expires"] == ["3600"]
    assert stored.startswith(f"{tenant.id}/")
    assert job["upload"]["headers"] == {"Content-Type": "text/csv"}
    assert [answer.status for answer in (*early, wrong_size)] == [409, 409, 409]
    assert show(key, job["id"])["created_count"] == 1


def test_a_file_too_large_for_its_kind_is_refused_before_it_is_sent(key: TestKey) -> None:
    body = {"file_name": "p.xlsx", "file_type": "xlsx", "size": 50_000_001}
    answer = call(handler, "POST", IMPORTS, token=key.plaintext, json=body)

    assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")


def test_a_job_is_its_owner_s_alone(key: TestKey, other_tenant: TestTenant) -> None:
    job, stranger = hand_in(key, "email\na@example.com\n"), other_tenant.key()
    answers = [post(stranger, job, action).status for action in ("start", "cancel", "rollback")]

    assert answers == [404, 404, 404]
    assert call(handler, "GET", IMPORTS, token=stranger.plaintext).json["data"] == []
    assert [found["id"] for found in call(handler, "GET", IMPORTS, token=key.plaintext).json["data"]] == [job["id"]]
