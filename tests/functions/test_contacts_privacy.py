"""Contacts: who has opted out is not written to again, and who is deleted leaves no personal data behind."""

import json
from typing import Any

from contacts.app import handler
from penguinmails.db import transaction
from tests.support.http import call
from tests.support.tenants import TestKey, TestTenant

CONTACTS = "/api/v1/contacts"


def create(key: TestKey, email: str, **fields: Any) -> str:
    answer = call(handler, "POST", CONTACTS, token=key.plaintext, json={"email": email, **fields})
    assert answer.status == 201, answer.body
    return f"{CONTACTS}/{answer.json['id']}"


def suppressed(tenant: TestTenant, mode: Any = "live") -> list[str]:
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        return tx.all("SELECT email FROM suppression_list WHERE reason = 'user_request' ORDER BY email", {})


def events(tenant: TestTenant) -> dict[str, Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return dict(
            tx.all("SELECT jsonb_build_array(type, data) FROM events ORDER BY created_at, id", {}),
        )


def test_opting_out_suppresses_the_address_and_is_announced(tenant: TestTenant, key: TestKey) -> None:
    path = create(key, "ada@example.com")

    call(handler, "PUT", path, token=key.plaintext, json={"status": "unsubscribed"})

    assert suppressed(tenant) == ["ada@example.com"]
    told = events(tenant)
    assert list(told) == ["contact.created", "contact.updated", "contact.unsubscribed"]
    assert told["contact.unsubscribed"]["method"] == "api"


def test_a_contact_that_comes_in_opted_out_is_suppressed(tenant: TestTenant, key: TestKey) -> None:
    create(key, "ada@example.com", status="unsubscribed")

    assert suppressed(tenant) == ["ada@example.com"]
    assert list(events(tenant)) == ["contact.created"]


def test_a_new_address_of_someone_who_opted_out_is_suppressed_too(tenant: TestTenant, key: TestKey) -> None:
    path = create(key, "old@example.com", status="unsubscribed")

    call(handler, "PUT", path, token=key.plaintext, json={"email": "new@example.com"})

    assert suppressed(tenant) == ["new@example.com", "old@example.com"]


def test_storing_a_suppressed_address_as_active_keeps_it_suppressed(tenant: TestTenant, key: TestKey) -> None:
    path = create(key, "ada@example.com", status="unsubscribed")

    call(handler, "PUT", path, token=key.plaintext, json={"status": "active"})
    call(handler, "DELETE", path, token=key.plaintext)
    create(key, "ada@example.com", status="active")

    assert suppressed(tenant) == ["ada@example.com"]


def test_deleting_someone_who_opted_out_elsewhere_leaves_the_suppression(tenant: TestTenant, key: TestKey) -> None:
    path = create(key, "ada@example.com")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE contacts SET status = 'unsubscribed'", {})
    assert suppressed(tenant) == []

    call(handler, "DELETE", path, token=key.plaintext)

    assert suppressed(tenant) == ["ada@example.com"]


def test_an_opt_out_of_test_data_suppresses_nothing_live(tenant: TestTenant) -> None:
    create(tenant.key(mode="test"), "ada@example.com", status="unsubscribed")

    assert (suppressed(tenant, "test"), suppressed(tenant, "live")) == (["ada@example.com"], [])


def test_deleting_takes_the_person_out_of_the_events(tenant: TestTenant, key: TestKey) -> None:
    path = create(key, "ada@example.com", first_name="Augusta", last_name="Lovelace")
    create(key, "bea@example.com", first_name="Beatrice")
    call(handler, "PUT", path, token=key.plaintext, json={"company": "Engines"})

    call(handler, "DELETE", path, token=key.plaintext)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        stored = tx.all("SELECT data FROM events ORDER BY created_at, id", {})
    text = json.dumps(stored)
    assert not any(word in text for word in ("ada@example.com", "Augusta", "Lovelace"))
    assert stored[1]["contact"]["email"] == "bea@example.com"
    # What happened stays: the type, whom it was about, and what else the event says.
    assert stored[2]["contact"] == {"id": path.rsplit("/", 1)[1], "email": None, "first_name": None, "last_name": None}
    assert stored[2]["changed_fields"] == ["company"]


def test_deleting_takes_the_address_out_of_events_about_their_mail(tenant: TestTenant, key: TestKey) -> None:
    path = create(key, "ada@example.com")
    contact_id = path.rsplit("/", 1)[1]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            """
            INSERT INTO events (id, tenant_id, mode, type, data, subject_id, created_at)
            SELECT gen_random_uuid(), tenant_id, mode, 'email.sent',
                   '{"to": "ada@example.com", "subject": "Hello", "contact": {"email": "ada@example.com"}}', id, now()
            FROM contacts WHERE id = %(id)s
            """,
            {"id": contact_id},
        )

    call(handler, "DELETE", path, token=key.plaintext)

    sent = events(tenant)["email.sent"]
    assert (sent["to"], sent["contact"]["email"], sent["subject"]) == (None, None, None)


def test_erasing_reaches_no_other_tenants_events(tenant: TestTenant, other_tenant: TestTenant, key: TestKey) -> None:
    contact_id = create(key, "ada@example.com").rsplit("/", 1)[1]

    with transaction(tenant_id=other_tenant.id, mode="live") as tx:
        assert tx.one("SELECT erase_events_about(ARRAY[%(id)s::uuid])", {"id": contact_id}) == 0
    with transaction(tenant_id=tenant.id, mode="test") as tx:
        assert tx.one("SELECT erase_events_about(ARRAY[%(id)s::uuid])", {"id": contact_id}) == 0

    assert events(tenant)["contact.created"]["contact"]["email"] == "ada@example.com"
