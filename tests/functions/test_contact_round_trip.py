"""What is exported and imported again, with no mapping by hand, changes nothing; in another account it makes the same."""

import base64
from typing import Any

import pytest

from contact_fields.app import handler as fields_handler
from penguinmails.db import transaction
from penguinmails.domain.contact_exports import all_fields
from penguinmails.domain.contact_imports import TARGETS, guess_mapping
from tests.functions.test_contact_exports import content, export
from tests.functions.test_contact_imports import add, contacts, counts, report
from tests.support.http import call
from tests.support.imports_of_contacts import run_import
from tests.support.tenants import TestKey, TestTenant

_COMPUTED = {"id", "lead_score", "created_at", "updated_at", "source"}


def declare(key: TestKey, **kinds: str) -> None:
    for name, kind in kinds.items():
        body = {"key": name, "type": kind}
        assert call(fields_handler, "POST", "/api/v1/contact-fields", token=key.plaintext, json=body).status == 201


def people(tenant: TestTenant, key: TestKey) -> list[dict[str, Any]]:
    declare(key, industry="text", seats="number", vip="boolean", since="date")
    attributes = {"industry": "=SaaS", "seats": -2.5, "vip": False, "since": "2026-01-31"}
    add(key, email="a@example.com", external_id="crm-1", phone="+49 30 1234", attributes=attributes, lead_source="fair")
    add(key, email="b@example.com", first_name="'-Ann", tags=["Berlin, DE", 'the "best"', "-x", "a;b|c"])
    add(key, email="c@example.com", status="unsubscribed", company="Quote\" & 'tick'", job_title="@home\nor not")
    add(key, email="d@example.com", external_id="crm-4")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE contacts SET status = 'bounced' WHERE email = 'd@example.com'", {})
    return contacts(key)


def exported(tenant: TestTenant, key: TestKey, file_format: str) -> str:
    body = content(key, export(tenant, key, format=file_format))
    return base64.b64encode(body).decode() if file_format == "xlsx" else body.decode()


@pytest.mark.parametrize("file_format", ["csv", "json", "xlsx"])
def test_an_export_that_is_imported_again_changes_nobody(tenant: TestTenant, key: TestKey, file_format: str) -> None:
    before = people(tenant, key)

    job = run_import(tenant, key, exported(tenant, key, file_format), file_format, duplicates="update")

    assert (job["status"], counts(job)) == ("completed", (0, 0, 4, 0))
    assert contacts(key) == before


@pytest.mark.parametrize("file_format", ["csv", "json", "xlsx"])
def test_an_export_makes_the_same_contacts_elsewhere_and_who_bounced_is_not_written_to_there_either(
    tenant: TestTenant, key: TestKey, file_format: str
) -> None:
    before = people(tenant, key)
    elsewhere = tenant.key(mode="test")
    declare(elsewhere, industry="text", seats="number", vip="boolean", since="date")

    job = run_import(tenant, elsewhere, exported(tenant, key, file_format), file_format)

    assert (job["status"], counts(job)) == ("completed", (4, 0, 0, 0))
    same = [{name: value for name, value in person.items() if name not in _COMPUTED} for person in before]
    made = [{name: value for name, value in person.items() if name not in _COMPUTED} for person in contacts(elsewhere)]
    assert made == same
    assert made[3]["status"] == "bounced"


def test_a_bounce_in_a_file_changes_nobody_who_is_there(tenant: TestTenant, key: TestKey) -> None:
    add(key, email="a@example.com")
    add(key, email="gone@example.com", status="unsubscribed")
    text = "email,status,company\na@example.com,Bounced,New\ngone@example.com,bounced,New\nb@example.com,cleaned,\n"

    job = run_import(tenant, key, text, duplicates="update")

    assert counts(job) == (0, 2, 0, 1)
    assert [(c["status"], c["company"]) for c in contacts(key)] == [("active", "New"), ("unsubscribed", "New")]
    assert report(key, job)[0]["reason"] == "must be active, unsubscribed or bounced"


def test_of_a_whole_export_everything_that_a_contact_can_be_given_is_guessed() -> None:
    header = all_fields(["industry", "id", "Source"])

    guessed = guess_mapping(header, {"industry": 1, "id": 1, "Source": 1})

    kept = {*TARGETS, "attributes.industry", "attributes.id", "attributes.Source"}
    assert guessed == {name: name if name in kept else None for name in header}


@pytest.mark.parametrize(
    ("header", "guessed"),
    [
        (["id", "email", "source"], [None, "email", None]),
        (["id", "email", "total_opens", "Vorname"], [None, "email", None, "first_name"]),
        (["id", "Email Address", "source"], ["external_id", "email", "lead_source"]),
        (["ID", "E-Mail", "External ID"], [None, "email", "external_id"]),
        (["Title", "email", "job title", "role"], [None, "email", "job_title", None]),
        (["customer_id", "email", "Team Size"], ["attributes.customer_id", "email", "attributes.team_size"]),
    ],
    ids=["ours", "ours with a column", "foreign", "exact first", "alias taken", "declared before alias"],
)
def test_a_column_named_as_a_field_is_that_field_and_an_id_of_ours_is_nobody_s_external_id(
    header: list[str], guessed: list[str | None]
) -> None:
    assert list(guess_mapping(header, {"customer_id": 1, "team_size": 1}).values()) == guessed
