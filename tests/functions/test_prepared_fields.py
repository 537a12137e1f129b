"""A field is declared at once, however many contacts carry its key; a job takes up what the request did not come to."""

from typing import Any

import pytest

from contact_fields import service
from contact_fields.app import handler
from contacts.app import handler as contacts
from count_segments import service as job
from count_segments.app import handler as worker
from penguinmails.db import transaction
from penguinmails.domain import field_preparation
from purge_expired.app import handler as purge
from segments.app import handler as segments
from tests.support.http import Answer, call
from tests.support.queues import run_job
from tests.support.tenants import TestKey, TestTenant

CONTACTS, FIELDS, SEGMENTS = "/api/v1/contacts", "/api/v1/contact-fields", "/api/v1/segments"
RULE = {"field": "attributes.seats", "operator": "at_least", "value": 3}


def add(key: TestKey, name: str, **attributes: Any) -> Answer:
    body = {"email": f"{name}@example.com", "attributes": attributes}
    return call(contacts, "POST", CONTACTS, token=key.plaintext, json=body)


def declare(key: TestKey, **body: Any) -> Answer:
    return call(handler, "POST", FIELDS, token=key.plaintext, json={"key": "seats", "type": "number", **body})


def shown(key: TestKey, field: Answer) -> dict[str, Any]:
    return call(handler, "GET", f"{FIELDS}/{field.json['id']}", token=key.plaintext).json


def search(key: TestKey, query: str = "seats>=3") -> Answer:
    return call(contacts, "GET", f"{CONTACTS}/search", token=key.plaintext, query={"query": query})


def found(key: TestKey) -> list[str]:
    answer = search(key)
    assert answer.status == 200, answer.body
    return sorted(row["email"][0] for row in answer.json["data"])


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two contacts are looked at within a request, and two in each step of the job."""
    monkeypatch.setattr(field_preparation, "BATCH", 2)
    monkeypatch.setattr(service, "_BATCHES_AT_ONCE", 1)
    run_job(worker)


def test_a_field_of_many_contacts_is_found_by_once_the_job_is_through(key: TestKey) -> None:
    for number, name in enumerate("abcde"):
        add(key, name, seats=number)

    made = declare(key)

    assert (made.status, made.json["status"], made.json["error"]) == (201, "preparing", None)
    refused = call(segments, "POST", SEGMENTS, token=key.plaintext, json={"name": "s", "definition": RULE})
    assert (search(key).status, refused.status, refused.json["errors"][0]["code"]) == (400, 400, "unknown_field")
    assert "still being prepared" in refused.json["errors"][0]["message"]

    run_job(worker)

    assert shown(key, made)["status"] == "ready"
    assert found(key) == ["d", "e"]
    assert shown(key, made)["updated_at"] == made.json["updated_at"]


def test_a_field_of_few_contacts_is_ready_at_once(key: TestKey) -> None:
    add(key, "a", seats=5)

    assert declare(key).json["status"] == "ready"
    assert found(key) == ["a"]


def test_what_is_written_meanwhile_is_checked_and_found(key: TestKey) -> None:
    made_before = [add(key, name, seats=number).json["id"] for number, name in enumerate("abcd")]
    made = declare(key)

    refused = add(key, "x", seats="many")
    add(key, "y", seats=9)
    path = f"{CONTACTS}/{made_before[3]}"
    changed = call(contacts, "PATCH", path, token=key.plaintext, json={"attributes": {"seats": 1}})
    run_job(worker)

    assert (refused.status, refused.json["errors"][0]["field"], changed.status) == (400, "attributes.seats", 200)
    assert (shown(key, made)["status"], found(key)) == ("ready", ["y"])


def test_a_value_that_does_not_fit_is_named_by_the_request_that_meets_it_or_by_the_field(key: TestKey) -> None:
    add(key, "a", seats=1)
    early = add(key, "b", seats="many").json["id"]
    refused = declare(key)
    call(contacts, "DELETE", f"{CONTACTS}/{early}", token=key.plaintext)
    add(key, "c", seats=3)
    late = add(key, "d", seats="many").json["id"]

    made = declare(key)
    run_job(worker)
    failed = shown(key, made)

    assert (refused.status, early in refused.json["detail"]) == (409, True)
    assert (made.status, made.json["status"], failed["status"], late in failed["error"]) == (
        201,
        "preparing",
        "failed",
        True,
    )
    assert failed["error"].endswith("Correct it, delete this field and declare it again.")
    assert run_job(worker)["done"] == 0, "a field that has failed is not tried again"
    call(contacts, "PATCH", f"{CONTACTS}/{late}", token=key.plaintext, json={"attributes": {"seats": 4}})
    assert call(handler, "DELETE", f"{FIELDS}/{made.json['id']}", token=key.plaintext).status == 200
    declare(key)
    run_job(worker)
    assert found(key) == ["c", "d"]


def test_a_job_that_dies_goes_on_where_it_was(key: TestKey, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate("abcdefg"):
        add(key, name, seats=number)
    made = declare(key)
    looked_at: list[int] = []
    batch = field_preparation._next

    def dying(*arguments: Any) -> Any:
        rows = batch(*arguments)
        looked_at.append(len(rows))
        if len(looked_at) == 2:
            raise RuntimeError("killed")
        return rows

    monkeypatch.setattr(field_preparation, "_next", dying)
    with pytest.raises(RuntimeError):
        run_job(worker)
    run_job(worker)

    assert looked_at == [2, 2, 2, 1], "of seven, two in the request and two again after the crash"
    assert (shown(key, made)["status"], found(key)) == ("ready", ["d", "e", "f", "g"])


def test_a_field_that_is_deleted_while_it_is_prepared_is_gone(tenant: TestTenant, key: TestKey) -> None:
    for number, name in enumerate("abcde"):
        add(key, name, seats=number)
    made = declare(key)
    assert job.prepare_field() == 1
    assert call(handler, "DELETE", f"{FIELDS}/{made.json['id']}", token=key.plaintext).status == 200

    assert job.prepare_field() == 0
    run_job(purge)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.all("SELECT contact_id FROM contact_field_values", {}) == []


def test_a_field_of_one_account_takes_up_nothing_of_another(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey
) -> None:
    for name in "abc":
        add(key, name, seats=3)
        add(other_tenant.key(), name, seats="many")
    made = declare(key)
    run_job(worker)

    assert (shown(key, made)["status"], found(key)) == ("ready", ["a", "b", "c"])
    with transaction(tenant_id=other_tenant.id, mode="live") as tx:
        assert tx.all("SELECT contact_id FROM contact_field_values", {}) == []
