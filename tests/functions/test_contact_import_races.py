"""Imports of who is there, before or meanwhile: each row does what its settings say, or is refused for what is true."""

from collections.abc import Callable
from typing import Any

import pytest

from contacts.app import handler as contacts_handler
from import_contacts import merging
from import_contacts.slices import Slice
from lists.app import handler as lists_handler
from penguinmails.db import Tx
from tests.functions.test_contact_imports import CONTACTS, add, contacts, counts, report
from tests.support.http import call
from tests.support.imports_of_contacts import run_import
from tests.support.tenants import TestKey, TestTenant


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], Any]], None]:
    """Have somebody do something right after a step of the merge."""

    def after(step: str, act: Callable[[], Any]) -> None:
        original, acted = getattr(merging, step), list[Any]()

        def and_act(*arguments: Any, **named: Any) -> Any:
            done = original(*arguments, **named)
            if not acted:
                acted.append(act())
            return done

        monkeypatch.setattr(merging, step, and_act)

    return after


TEXT = "email,company,external_id\nfree@example.com,New,\nraced@example.com,New,\nthird@example.com,New,x1\n"


@pytest.mark.parametrize(
    ("duplicates", "outcome", "company"),
    [("update", (1, 1, 0, 1), "New"), ("skip", (1, 0, 1, 1), "Old"), ("create", (1, 0, 0, 2), "Old")],
)
def test_who_is_added_by_somebody_else_during_the_merge_is_as_one_who_was_there(
    tenant: TestTenant, key: TestKey, meanwhile: Any, duplicates: str, outcome: Any, company: str
) -> None:
    listed = call(lists_handler, "POST", "/api/v1/lists", token=key.plaintext, json={"name": "l"}).json["id"]

    def others() -> None:
        add(key, email="raced@example.com", company="Old")
        add(key, email="owner@example.com", external_id="x1")

    meanwhile("find_present", others)
    job = run_import(tenant, key, TEXT, duplicates=duplicates, list_id=listed)

    assert (job["status"], counts(job)) == ("completed", outcome)
    assert {c["email"]: c["company"] for c in contacts(key)} == {
        "free@example.com": "New", "owner@example.com": None, "raced@example.com": company,
    }  # fmt: skip
    assert [row["field"] for row in report(key, job)] == (
        ["email", "external_id"] if duplicates == "create" else ["external_id"]
    )
    on_list = call(contacts_handler, "GET", CONTACTS, token=key.plaintext, query={"list_id": listed}).json["data"]
    expected = {"free@example.com"} if duplicates == "create" else {"free@example.com", "raced@example.com"}
    assert {contact["email"] for contact in on_list} == expected


def test_who_is_added_meanwhile_and_would_get_another_s_external_id_is_refused_for_that(
    tenant: TestTenant, key: TestKey, meanwhile: Any
) -> None:
    add(key, email="owner@example.com", external_id="x1")
    meanwhile("find_present", lambda: add(key, email="third@example.com", company="Old"))

    job = run_import(tenant, key, TEXT, duplicates="update")

    assert counts(job) == (2, 0, 0, 1)
    assert [(row["line"], row["field"]) for row in report(key, job)] == [("4", "external_id")]
    assert contacts(key)[-1]["company"] == "Old"


def test_a_row_is_added_after_all_when_who_was_in_its_way_is_gone_again(
    tenant: TestTenant, key: TestKey, meanwhile: Any
) -> None:
    owner = add(key, email="owner@example.com", external_id="x1")

    def leave() -> None:
        assert call(contacts_handler, "DELETE", f"{CONTACTS}/{owner['id']}", token=key.plaintext).status == 200

    meanwhile("add_contacts", leave)
    job = run_import(tenant, key, "email,external_id\nthird@example.com,x1\n")

    assert (job["status"], counts(job)) == ("completed", (1, 0, 0, 0))
    assert [(c["email"], c["external_id"]) for c in contacts(key)] == [("third@example.com", "x1")]


@pytest.mark.parametrize("step", ["find_present_since", "add_free_contacts"])
def test_a_slice_in_which_everybody_is_new_is_looked_at_once(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError(f"{step} costs a look-up per row")

    monkeypatch.setattr(merging, step, never)

    assert counts(run_import(tenant, key, TEXT)) == (3, 0, 0, 0)


def test_the_planner_is_told_nothing_of_which_rows_are_of_contacts_that_are_there_before_that_is_known(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statistics that say "none" have it compare each row of a slice with each contact of the slice."""
    original, known = merging.find_present, set[str]()

    def look(tx: Tx, part: Slice) -> int:
        table = f"job_{part.job_id.hex}"
        known.update(tx.all("SELECT attname::text FROM pg_stats WHERE tablename = %(table)s", {"table": table}))
        return original(tx, part)

    monkeypatch.setattr(merging, "find_present", look)
    run_import(tenant, key, TEXT, duplicates="update")

    assert {"line", "contact_id", "email"} <= known
    assert "is_present" not in known
