"""Retention of contacts: thirty days after an opt-out the address alone is left, after two silent years nothing is."""

import os
from typing import Any, LiteralString

import psycopg

from contact_fields.app import handler as fields_handler
from contacts.app import handler as contacts
from forget_contacts.app import handler
from penguinmails.db import transaction
from suppression.app import handler as suppression
from tests.support.http import call
from tests.support.imports_of_contacts import run_import
from tests.support.people import signed_in
from tests.support.queues import run_job
from tests.support.tenants import TestKey, TestTenant

CONTACTS = "/api/v1/contacts"
ADA = {
    "email": "ada@example.com", "first_name": "Ada", "last_name": "L", "company": "C", "job_title": "J", "phone": "1",
    "city": "Ci", "state": "S", "country": "Co", "lead_source": "fair", "external_id": "x1", "attributes": {"seats": 5},
    "tags": ["vip"],
}  # fmt: skip


def add(key: TestKey, **body: Any) -> str:
    answer = call(contacts, "POST", CONTACTS, token=key.plaintext, json=body)
    assert answer.status == 201, answer.body
    return answer.json["id"]


def show(key: TestKey, contact_id: str) -> Any:
    return call(contacts, "GET", f"{CONTACTS}/{contact_id}", token=key.plaintext).json


def change(key: TestKey, contact_id: str, **body: Any) -> None:
    assert call(contacts, "PATCH", f"{CONTACTS}/{contact_id}", token=key.plaintext, json=body).status == 200


def emails(key: TestKey) -> set[str]:
    return {contact["email"] for contact in call(contacts, "GET", CONTACTS, token=key.plaintext).json["data"]}


def age(tenant: TestTenant, statement: LiteralString) -> None:
    """Make something older than it is; a change by the application would be news of the contact."""
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement, [tenant.id])


def lift(tenant: TestTenant, key: TestKey, address: str) -> None:
    path = "/api/v1/suppression-list"
    entry = call(suppression, "POST", path, token=key.plaintext, json={"email": address}).json
    note = {"consent_note": "Agreed by letter on 2026-01-31"}
    assert signed_in(tenant).call(suppression, "DELETE", f"{path}/{entry['id']}", query=note).status == 200


def entries(tenant: TestTenant, event: str) -> list[Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT details FROM audit_log WHERE event = %(event)s ORDER BY id", {"event": event})


# ---- Opted out -------------------------------------------------------------------------------------------------------

_OPTED_OUT_LONG_AGO: LiteralString = (
    "UPDATE contacts SET status_since = status_since - interval '31 days' WHERE tenant_id = %s"
)


def test_thirty_days_after_an_opt_out_the_address_alone_is_kept(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey
) -> None:
    field = {"key": "seats", "type": "number"}
    call(fields_handler, "POST", "/api/v1/contact-fields", token=key.plaintext, json=field)
    gone, active = add(key, **ADA, status="unsubscribed"), add(key, email="active@example.com", first_name="B")
    before = show(key, gone)
    run_import(tenant, key, "email,company\nada@example.com,New\n", duplicates="update")
    stranger = other_tenant.key()
    recent = add(stranger, **ADA, status="unsubscribed")
    age(tenant, _OPTED_OUT_LONG_AGO)

    assert run_job(handler)["done"] >= 1
    after = show(key, gone)

    kept = {
        "id",
        "email",
        "status",
        "source",
        "created_at",
        "workspace_ids",
        "lead_score",
        "total_opens",
        "total_clicks",
    }
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert {name: value for name, value in after.items() if value and name not in kept} == {
        "updated_at": after["updated_at"]
    }
    assert show(key, active)["first_name"] == "B"
    assert show(stranger, recent)["first_name"] == "Ada"
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT count(*) FROM contact_field_values", {}) == 0
        assert tx.one("SELECT count(*) FROM import_events", {}) == 0
    assert entries(tenant, "contact_fields_expired") == [{"mode": "live", "contacts": 1}]


def test_what_is_written_to_them_later_is_erased_too_and_nothing_twice(tenant: TestTenant, key: TestKey) -> None:
    gone = add(key, **ADA, status="unsubscribed")
    age(tenant, _OPTED_OUT_LONG_AGO)
    run_job(handler)
    run_job(handler)
    change(key, gone, company="Again")
    run_job(handler)

    assert show(key, gone)["company"] is None
    assert len(entries(tenant, "contact_fields_expired")) == 2


def test_who_comes_back_keeps_everything_and_the_thirty_days_begin_with_each_opt_out(
    tenant: TestTenant, key: TestKey
) -> None:
    back, again = (
        add(key, **ADA, status="unsubscribed"),
        add(key, email="b@example.com", status="unsubscribed", city="C"),
    )
    age(tenant, _OPTED_OUT_LONG_AGO)
    change(key, back, status="active")
    change(key, again, status="active")
    change(key, again, status="unsubscribed")
    run_job(handler)

    assert (show(key, back)["first_name"], show(key, again)["city"]) == ("Ada", "C")


# ---- Silent ----------------------------------------------------------------------------------------------------------

_LONG_UNCHANGED: LiteralString = "UPDATE contacts SET updated_at = now() - interval '25 months' WHERE tenant_id = %s"


def test_after_two_years_without_a_change_or_a_mail_a_contact_is_deleted(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey
) -> None:
    add(key, email="silent@example.com")
    add(key, email="out@example.com", status="unsubscribed")
    add(key, email="written.to@example.com")
    add(other_tenant.key(), email="silent@example.com")
    for address in ("silent@example.com", "written.to@example.com"):
        lift(tenant, key, address)
    age(tenant, _LONG_UNCHANGED)
    add(key, email="new@example.com")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            "INSERT INTO emails (id, tenant_id, mode, to_email, from_email, subject, status, content_key, created_at)"
            " VALUES (gen_random_uuid(), %(tenant)s, 'live', 'written.to@example.com', 'a@example.com', 's', 'sent',"
            " gen_random_uuid(), now())",
            {"tenant": tenant.id},
        )

    run_job(handler)

    assert emails(key) == {"written.to@example.com", "new@example.com"}
    assert emails(other_tenant.key()) == {"silent@example.com"}
    listed = call(suppression, "GET", "/api/v1/suppression-list", token=key.plaintext).json["data"]
    assert [entry["email"] for entry in listed] == ["out@example.com"]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.all("SELECT email FROM suppression_lifts", {}) == ["written.to@example.com"]
    assert entries(tenant, "contacts_expired") == [{"mode": "live", "contacts": 2}]


def test_a_contact_that_is_changed_at_the_last_moment_stays(tenant: TestTenant, key: TestKey, monkeypatch: Any) -> None:
    from forget_contacts import repository

    late = add(key, email="late@example.com")
    age(tenant, _LONG_UNCHANGED)
    found = repository.silent

    def then_changed(tx: Any, batch: int) -> Any:
        due = found(tx, batch)
        tx.run("UPDATE contacts SET company = 'C' WHERE id = %(id)s", {"id": late})
        return due

    monkeypatch.setattr(repository, "silent", then_changed)
    run_job(handler)

    assert emails(key) == {"late@example.com"}
