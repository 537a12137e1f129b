"""Contacts: what may be stored, how lists are paged, and who sees what."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts.app import handler
from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from tests.support.http import Answer, call
from tests.support.tenants import TestKey, TestTenant, make_tenant

CONTACTS = "/api/v1/contacts"


def create(key: TestKey, **fields: Any) -> Answer:
    body = {"email": f"{uuid4().hex}@example.com", **fields}
    return call(handler, "POST", CONTACTS, token=key.plaintext, json=body)


def event_types(tenant: TestTenant, mode: Any = "live") -> list[str]:
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        return tx.all("SELECT type FROM events ORDER BY created_at, id", {})


def test_a_contact_is_created_with_its_tags_and_attributes(tenant: TestTenant, key: TestKey) -> None:
    fields = {"first_name": "  Ada ", "attributes": {"seats": 12, "vip": True}, "tags": ["b", "a", "a"]}

    answer = create(key, email="Ada@Example.com", **fields)

    assert answer.status == 201
    assert answer.json["email"] == "ada@example.com"
    assert answer.json["first_name"] == "Ada"
    assert answer.json["tags"] == ["a", "b"]
    shown = call(handler, "GET", f"{CONTACTS}/{answer.json['id']}", token=key.plaintext)
    assert shown.json == answer.json
    assert event_types(tenant) == ["contact.created"]


def test_an_address_is_unique_unless_upsert_is_asked_for(tenant: TestTenant, key: TestKey) -> None:
    first = create(key, email="ada@example.com", first_name="Ada", company="Engines").json

    twin = create(key, email="ADA@example.com")
    assert (twin.status, twin.code) == (409, "RESOURCE_CONFLICT")
    assert twin.json["errors"][0]["field"] == "email"

    body = {"email": "ada@example.com", "first_name": "Augusta"}
    upserted = call(handler, "POST", CONTACTS, token=key.plaintext, json=body, query={"upsert": "true"})
    assert upserted.status == 200
    assert (upserted.json["id"], upserted.json["first_name"]) == (first["id"], "Augusta")
    assert upserted.json["company"] == "Engines"
    assert event_types(tenant) == ["contact.created", "contact.updated"]


def test_an_external_id_is_unique(key: TestKey) -> None:
    create(key, external_id="crm-1")

    assert create(key, external_id="crm-1").json["errors"][0]["field"] == "external_id"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "nonsense"}, "email"),
        ({"email": "a@" + "x" * 250 + ".example"}, "email"),
        ({"first_name": "x" * 101}, "first_name"),
        ({"first_name": "a\x00b"}, "first_name"),
        ({"tags": [""]}, "tags.0"),
        ({"tags": ["x"] * 51}, "tags"),
        ({"attributes": {"1bad": 1}}, "attributes.1bad.[key]"),
        ({"workspace_ids": [str(uuid4())]}, "workspace_ids"),
        ({"tenant_id": str(uuid4())}, "tenant_id"),
        ({"status": "bounced"}, "status"),
    ],
)
def test_a_bad_field_is_named(key: TestKey, fields: dict[str, Any], field: str) -> None:
    answer = create(key, **fields)

    assert answer.status == 400
    assert field in [error["field"] for error in answer.json["errors"]]


def test_a_missing_field_and_broken_json_are_told_apart(key: TestKey) -> None:
    missing = call(handler, "POST", CONTACTS, token=key.plaintext, json={})
    broken = call(handler, "POST", CONTACTS, token=key.plaintext, raw=b'{"email": ')

    assert (missing.status, missing.code) == (400, "MISSING_REQUIRED_FIELD")
    assert (broken.status, broken.json["errors"][0]["code"]) == (400, "json_invalid")


def test_only_what_is_sent_is_changed_and_null_clears(tenant: TestTenant, key: TestKey) -> None:
    contact = create(key, first_name="Ada", company="Engines", tags=["x"]).json

    changed = call(
        handler, "PUT", f"{CONTACTS}/{contact['id']}", token=key.plaintext, json={"company": None, "tags": ["y"]}
    )

    assert changed.status == 200
    assert (changed.json["first_name"], changed.json["company"], changed.json["tags"]) == ("Ada", None, ["y"])
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        data = tx.one("SELECT data FROM events WHERE type = 'contact.updated'", {})
    assert data["changed_fields"] == ["company", "tags"]


def test_a_change_that_changes_nothing_raises_no_event(tenant: TestTenant, key: TestKey) -> None:
    contact = create(key, first_name="Ada").json

    call(handler, "PATCH", f"{CONTACTS}/{contact['id']}", token=key.plaintext, json={"first_name": "Ada"})

    assert event_types(tenant) == ["contact.created"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_to_a_taken_address_is_refused(key: TestKey, method: str) -> None:
    create(key, email="one@example.com")
    other = create(key, email="two@example.com").json

    answer = call(handler, method, f"{CONTACTS}/{other['id']}", token=key.plaintext, json={"email": "one@example.com"})

    assert answer.status == 409


def test_a_deleted_contact_is_gone(key: TestKey) -> None:
    contact = create(key).json
    path = f"{CONTACTS}/{contact['id']}"

    assert call(handler, "DELETE", path, token=key.plaintext).json == {"id": contact["id"], "deleted": True}
    assert call(handler, "GET", path, token=key.plaintext).status == 404
    assert call(handler, "DELETE", path, token=key.plaintext).status == 404
    assert call(handler, "PUT", path, token=key.plaintext, json={}).status == 404


def test_live_and_test_contacts_are_two_data_sets(tenant: TestTenant, key: TestKey) -> None:
    test_key = tenant.key(mode="test")
    live = create(key, email="ada@example.com").json

    assert create(test_key, email="ada@example.com").status == 201
    assert call(handler, "GET", f"{CONTACTS}/{live['id']}", token=test_key.plaintext).status == 404


def test_another_tenant_sees_changes_and_deletes_nothing(other_tenant: TestTenant, key: TestKey) -> None:
    path, stranger = f"{CONTACTS}/{create(key).json['id']}", other_tenant.key().plaintext

    assert call(handler, "GET", path, token=stranger).status == 404
    assert call(handler, "PUT", path, token=stranger, json={"first_name": "x"}).status == 404
    assert call(handler, "DELETE", path, token=stranger).status == 404
    assert call(handler, "GET", CONTACTS, token=stranger).json["data"] == []


def test_the_scope_is_required(tenant: TestTenant) -> None:
    answer = call(handler, "GET", CONTACTS, token=tenant.key(Scope.SEND_EMAIL).plaintext)

    assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS")
    assert answer.json["required_scope"] == "manage_contacts"
    assert answer.json["available_scopes"] == ["send_email"]


def test_the_plans_limit_is_kept(tenant: TestTenant, key: TestKey) -> None:
    with transaction(role="jobs") as tx:
        tx.run(
            "INSERT INTO tenant_overrides (tenant_id, limits, reason) VALUES (%(id)s, '{\"max_contacts\": 2}', 'test')",
            {"id": tenant.id},
        )
    first = create(key).json
    create(key)

    assert create(key).code == "QUOTA_EXCEEDED"
    call(handler, "DELETE", f"{CONTACTS}/{first['id']}", token=key.plaintext)
    assert create(key).status == 201


def test_an_idempotency_key_makes_a_post_happen_once(key: TestKey) -> None:
    headers = {"Idempotency-Key": "order-1"}
    body = {"email": "ada@example.com"}

    first = call(handler, "POST", CONTACTS, token=key.plaintext, json=body, headers=headers)
    again = call(handler, "POST", CONTACTS, token=key.plaintext, json=body, headers=headers)
    other = call(handler, "POST", CONTACTS, token=key.plaintext, json={"email": "b@example.com"}, headers=headers)

    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    assert (other.status, other.code) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_filters_narrow_the_list(key: TestKey) -> None:
    create(key, email="ada@example.com", tags=["vip"], external_id="7")
    create(key, email="adam@example.com")
    create(key, email="bea@example.com", status="unsubscribed")

    def emails(**query: str) -> list[str]:
        answer = call(handler, "GET", CONTACTS, token=key.plaintext, query={"order": "asc", **query})
        return [item["email"].split("@")[0] for item in answer.json["data"]]

    assert emails(search="AD") == ["ada", "adam"]
    assert emails(tag="vip") == emails(external_id="7") == emails(email="ADA@example.com") == ["ada"]
    assert emails(status="unsubscribed") == ["bea"]
    assert emails(created_after="2999-01-01T00:00:00Z") == []
    assert emails(workspace="default") == []


@pytest.mark.parametrize(
    "query",
    [
        {"sort_by": "email", "status": "active"},
        {"sort_by": "updated_at", "tag": "vip"},
        {"sort_by": "updated_at", "created_after": "2026-01-01T00:00:00Z"},
        {"updated_after": "2026-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_a_filter_that_needs_another_order_is_refused_with_the_order(key: TestKey, query: dict[str, str]) -> None:
    answer = call(handler, "GET", CONTACTS, token=key.plaintext, query=query)

    assert (answer.status, answer.json["errors"][0]["code"]) == (400, "not_combinable")
    assert "must be" in answer.json["errors"][0]["message"]


def test_one_contact_is_found_with_any_filter_and_order_besides(key: TestKey) -> None:
    create(key, email="ada@example.com", tags=["vip"], external_id="7")
    query = {"email": "ada@example.com", "tag": "vip", "search": "ad", "status": "active", "sort_by": "email"}

    answer = call(handler, "GET", CONTACTS, token=key.plaintext, query=query)

    assert [item["external_id"] for item in answer.json["data"]] == ["7"]


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"cursor": "nonsense"}, {"cursor": "x", "offset": "1"}, {"sort_by": "phone"}, {"search": "a\x00"}],
)
def test_a_bad_query_is_refused(key: TestKey, query: dict[str, str]) -> None:
    assert call(handler, "GET", CONTACTS, token=key.plaintext, query=query).status == 400


def test_a_limit_above_the_maximum_is_clamped(key: TestKey) -> None:
    answer = call(handler, "GET", CONTACTS, token=key.plaintext, query={"limit": "5000"})

    assert answer.json["pagination"]["limit"] == 100


@settings(max_examples=15, deadline=None)
@given(before=st.integers(0, 12), page_size=st.integers(1, 5), added=st.integers(0, 3))
def test_pages_by_cursor_show_each_contact_once_whatever_is_added_meanwhile(
    before: int, page_size: int, added: int
) -> None:
    key = make_tenant().key()
    expected = {create(key).json["id"] for _ in range(before)}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": str(page_size), **({"cursor": cursor} if cursor else {})}
        page = call(handler, "GET", CONTACTS, token=key.plaintext, query=query).json
        seen += [item["id"] for item in page["data"]]
        cursor = page["pagination"]["next_cursor"]
        if not cursor:
            break
        for _ in range(added):
            create(key)

    assert len(seen) == len(set(seen))
    assert set(seen) == expected


def test_a_body_of_another_type_or_size_is_refused(key: TestKey) -> None:
    as_form = call(
        handler, "POST", CONTACTS, token=key.plaintext, raw=b"email=a", headers={"Content-Type": "text/plain"}
    )
    too_large = call(handler, "POST", CONTACTS, token=key.plaintext, raw=b"x" * 1_000_001)

    assert (as_form.status, as_form.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert (too_large.status, too_large.code) == (413, "PAYLOAD_TOO_LARGE")


def test_an_unknown_path_and_a_wrong_method_are_problems_too(key: TestKey) -> None:
    unknown = call(handler, "GET", f"{CONTACTS}/a/b/c", token=key.plaintext)
    wrong = call(handler, "PATCH", CONTACTS, token=key.plaintext)

    assert (unknown.status, unknown.code) == (404, "RESOURCE_NOT_FOUND")
    assert (wrong.status, wrong.code) == (405, "METHOD_NOT_ALLOWED")
    assert "POST" in wrong.headers["allow"]
