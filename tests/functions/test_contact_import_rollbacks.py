"""Imports taken back: whatever the order of what they did, reverse order restores what was, and nothing blocks the rest."""

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contact_fields.app import handler as fields_handler
from contacts.app import handler as contacts_handler
from import_contacts import merge, service, undo
from import_contacts.app import handler as worker
from penguinmails.db import transaction
from suppression.app import handler as suppression_handler
from tests.functions.test_contact_import_jobs import post
from tests.functions.test_contact_imports import CONTACTS, add, contacts
from tests.support.http import call
from tests.support.imports_of_contacts import run_import, show, work
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestKey, TestTenant, make_tenant


def take_back(tenant: TestTenant, key: TestKey, job: dict[str, Any]) -> dict[str, Any]:
    begun = post(key, job, "rollback")
    assert begun.status == 202, begun.body
    work(tenant)
    return show(key, job["id"])


def outcome(job: dict[str, Any]) -> tuple[str, int, int]:
    return job["status"], job["rolled_back_count"], job["kept_count"]


def people(key: TestKey) -> dict[str, dict[str, Any]]:
    told = ("company", "external_id", "status", "attributes", "tags")
    return {contact["email"]: {name: contact[name] for name in told} for contact in contacts(key)}


_LETTERS = st.sampled_from("abcd")
_ROW = st.tuples(
    st.sampled_from(["", "A", "B"]),
    st.sampled_from(["", "x", "y", "z"]),
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(["", "t", "t;u"]),
    st.sampled_from(["", "active", "unsubscribed"]),
)
_FILE = st.dictionaries(_LETTERS, _ROW, min_size=1).flatmap(lambda rows: st.permutations(list(rows.items())))
_STEPS = st.lists(st.one_of(st.tuples(st.sampled_from(["update", "skip"]), _FILE), st.just(None)), max_size=6)


def _companies(*names: str) -> list[Any]:
    return [("update", [("a", (name, "", "", "", ""))]) if name else None for name in names]


# One import stays while two others come and go after it; and an external id goes from one row of a file to a later one.
@example(there=[], steps=_companies("A", "B", "", "B", "", ""), slice_rows=2, undo_rows=2)
@example(
    there=[("a", ("", "x", "", "", ""))],
    steps=[("update", [("a", ("", "y", "", "", "")), ("b", ("", "x", "", "", ""))]), None],
    slice_rows=1,
    undo_rows=1,
)
@given(there=_FILE, steps=_STEPS, slice_rows=st.sampled_from([1, 2, 100]), undo_rows=st.sampled_from([1, 2, 100]))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_imports_taken_back_in_reverse_order_leave_everybody_as_they_were(
    monkeypatch: pytest.MonkeyPatch, there: Any, steps: Any, slice_rows: int, undo_rows: int
) -> None:
    monkeypatch.setattr(merge, "ROWS_PER_SLICE", slice_rows)
    monkeypatch.setattr(undo, "ROWS_PER_SLICE", undo_rows)
    monkeypatch.setattr(service, "LANES", 1)
    tenant = make_tenant()
    key = tenant.key()
    field = {"key": "seats", "type": "number"}
    assert call(fields_handler, "POST", "/api/v1/contact-fields", token=key.plaintext, json=field).status == 201

    def run(rows: Any, duplicates: str) -> dict[str, Any]:
        lines = [f"{letter}@example.com,{','.join(row)}\n" for letter, row in rows]
        return run_import(
            tenant, key, "email,company,external_id,seats,tags,status\n" + "".join(lines), duplicates=duplicates
        )

    if there:
        run(there, "skip")
    done: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def take_last_back() -> None:
        job, before = done.pop()
        if job["can_rollback"]:
            written = job["created_count"] + job["updated_count"]
            assert outcome(take_back(tenant, key, job)) == ("rolled_back", written, 0)
        assert people(key) == before

    # An import, or (None) the last one that is not taken back yet is.
    for step in steps:
        if step is not None:
            before = people(key)
            done.append((run(step[1], step[0]), before))
        elif done:
            take_last_back()
    while done:
        take_last_back()


def test_an_import_whose_contact_a_later_one_has_changed_is_taken_back_after_that_one(
    tenant: TestTenant, key: TestKey
) -> None:
    first = run_import(tenant, key, "email,company\nx@example.com,One\n")
    second = run_import(tenant, key, "email,company\nx@example.com,Two\n", duplicates="update")

    assert outcome(take_back(tenant, key, second)) == ("rolled_back", 1, 0)
    assert people(key)["x@example.com"]["company"] == "One"
    assert outcome(take_back(tenant, key, first)) == ("rolled_back", 1, 0)
    assert contacts(key) == []


def test_who_was_changed_by_hand_between_two_imports_is_kept_by_the_first_one(tenant: TestTenant, key: TestKey) -> None:
    first = run_import(tenant, key, "email,company\nx@example.com,One\ny@example.com,One\n")
    (person, _) = contacts(key)
    call(contacts_handler, "PATCH", f"{CONTACTS}/{person['id']}", token=key.plaintext, json={"city": "Rome"})
    second = run_import(tenant, key, "email,company\nx@example.com,Two\ny@example.com,Two\n", duplicates="update")

    assert outcome(take_back(tenant, key, second)) == ("rolled_back", 2, 0)
    assert outcome(take_back(tenant, key, first)) == ("rolled_back", 1, 1)
    assert [(c["email"], c["company"], c["city"]) for c in contacts(key)] == [("x@example.com", "One", "Rome")]


def test_out_of_order_the_later_import_s_values_stay(tenant: TestTenant, key: TestKey) -> None:
    first = run_import(tenant, key, "email,company\nx@example.com,One\n")
    second = run_import(tenant, key, "email,company\nx@example.com,Two\n", duplicates="update")

    assert outcome(take_back(tenant, key, first)) == ("rolled_back", 0, 1)
    assert people(key)["x@example.com"]["company"] == "Two"
    assert outcome(take_back(tenant, key, second)) == ("rolled_back", 1, 0)
    assert people(key)["x@example.com"]["company"] == "One"


def test_an_import_waits_with_its_rollback_for_that_of_a_later_one(tenant: TestTenant, key: TestKey) -> None:
    first = run_import(tenant, key, "email,company\nx@example.com,One\n")
    second = run_import(tenant, key, "email,company\nx@example.com,Two\n", duplicates="update")

    assert post(key, second, "rollback").status == 202
    refused = post(key, first, "rollback")
    work(tenant)

    assert (refused.status, "Wait until it has ended" in refused.json["detail"]) == (409, True)
    assert outcome(take_back(tenant, key, first)) == ("rolled_back", 1, 0)


@pytest.mark.parametrize("owner", ["by hand", "import"])
def test_who_cannot_have_an_external_id_back_is_kept_and_the_others_are_restored(
    tenant: TestTenant, key: TestKey, owner: str
) -> None:
    add(key, email="a@example.com", external_id="X", tags=["kept"])
    for n in range(3):
        add(key, email=f"n{n}@example.com", company="Old")
    text = "email,external_id,company,tags\na@example.com,Y,New,t\n" + "".join(
        f"n{n}@example.com,,New,t\n" for n in range(3)
    )
    job = run_import(tenant, key, text, duplicates="update")
    if owner == "import":
        run_import(tenant, key, "email,external_id\nb@example.com,X\n")
    else:
        add(key, email="b@example.com", external_id="X")

    assert outcome(take_back(tenant, key, job)) == ("rolled_back", 3, 1)
    found = people(key)
    assert [found[f"n{n}@example.com"]["company"] for n in range(3)] == ["Old"] * 3
    assert (found["a@example.com"]["external_id"], found["a@example.com"]["company"]) == ("Y", "New")
    assert found["a@example.com"]["tags"] == ["kept", "t"]


def test_an_external_id_that_two_had_one_after_the_other_goes_back_to_one_of_them(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "ROWS_PER_SLICE", 1)
    monkeypatch.setattr(service, "LANES", 1)
    add(key, email="a@example.com", external_id="X")
    second = add(key, email="b@example.com")
    original = merge.merging.find_present

    def and_pass_it_on(tx: Any, part: Any) -> int:
        if part.number == 1:
            path = f"{CONTACTS}/{second['id']}"
            answer = call(contacts_handler, "PATCH", path, token=key.plaintext, json={"external_id": "X"})
            assert answer.status == 200, answer.body
        return original(tx, part)

    monkeypatch.setattr(merge.merging, "find_present", and_pass_it_on)
    job = run_import(tenant, key, "email,external_id\na@example.com,Y\nb@example.com,Z\n", duplicates="update")
    assert (job["status"], job["updated_count"]) == ("completed", 2)

    assert outcome(take_back(tenant, key, job)) == ("rolled_back", 1, 1)
    assert {email: person["external_id"] for email, person in people(key).items()} == {
        "a@example.com": "Y", "b@example.com": "X",
    }  # fmt: skip


def test_a_rollback_that_fails_says_so_and_goes_on_when_it_is_asked_for_again(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undo, "ROWS_PER_SLICE", 2)
    job = run_import(tenant, key, "email\n" + "".join(f"p{n}@example.com\n" for n in range(6)))
    original, slices = service.undo_slice, list[int]()

    def breaks(tx: Any, held: Any) -> bool:
        slices.append(1)
        if len(slices) > 2:
            raise ZeroDivisionError("an inner detail")
        return original(tx, held)

    monkeypatch.setattr(service, "undo_slice", breaks)
    assert post(key, job, "rollback").status == 202
    (message,) = messages_for("imports", tenant.id)
    assert consume(worker, message, receive_count=5) == []
    failed = show(key, job["id"])
    assert (outcome(failed), failed["error"]["code"], failed["can_rollback"]) == (
        ("failed", 4, 0), "rollback_failed", True,
    )  # fmt: skip
    assert "4 contacts are taken back" in failed["error"]["message"]
    assert "Take the import back once more" in failed["error"]["message"]

    monkeypatch.setattr(service, "undo_slice", original)
    done = take_back(tenant, key, job)

    assert (outcome(done), done["error"], contacts(key)) == (("rolled_back", 6, 0), None, [])


def test_what_a_rollback_leaves_behind_tells_nothing_about_anybody(tenant: TestTenant, key: TestKey) -> None:
    add(key, email="a@example.com", company="Old")
    job = run_import(tenant, key, "email,company,tags\na@example.com,New,t\nb@example.com,New,t\n", duplicates="update")
    take_back(tenant, key, job)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        left = tx.all("SELECT jsonb_build_array(type, previous, changed_fields, tags) FROM import_events", {})
    assert left == [["undone", None, None, None]]


def test_an_opt_out_that_a_file_has_told_of_outlasts_the_rollback(tenant: TestTenant, key: TestKey) -> None:
    add(key, email="a@example.com")
    text = "email,status\na@example.com,unsubscribed\nnew@example.com,unsubscribed\n"

    take_back(tenant, key, run_import(tenant, key, text, duplicates="update"))
    listed = call(suppression_handler, "GET", "/api/v1/suppression-list", token=key.plaintext).json["data"]

    assert {entry["email"] for entry in listed} == {"a@example.com", "new@example.com"}
    assert [(c["email"], c["status"]) for c in contacts(key)] == [("a@example.com", "active")]
