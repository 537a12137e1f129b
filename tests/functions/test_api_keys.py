"""API keys: who may make which, what is shown, and how they end."""

from uuid import uuid4

import pytest

from api_keys.app import handler
from me.app import handler as me_handler
from penguinmails.auth.key_format import PATTERN
from penguinmails.db import transaction
from penguinmails.vault import read_secret, secret_path
from tests.support.http import Answer, call
from tests.support.people import Person, signed_in
from tests.support.queues import messages_for
from tests.support.tenants import TestTenant

KEYS = "/api/v1/platform/api-keys"


@pytest.fixture
def owner(tenant: TestTenant) -> Person:
    return signed_in(tenant)


def create(person: Person, **fields: object) -> Answer:
    body = {"name": "Billing service", "permissions": ["send_email"], **fields}
    return person.call(handler, "POST", KEYS, json=body, headers=person.step_up())


def who_is(key: str) -> Answer:
    return call(me_handler, "GET", "/api/v1/me", token=key)


def test_a_new_key_is_shown_once_and_works(owner: Person) -> None:
    answer = create(owner)

    assert answer.status == 201
    assert PATTERN.fullmatch(answer.json["api_key"])
    assert who_is(answer.json["api_key"]).json["scopes"] == ["send_email"]
    shown = owner.call(handler, "GET", f"{KEYS}/{answer.json['key_id']}")
    assert shown.status == 200
    assert answer.json["api_key"] not in shown.body
    secret = answer.json["api_key"].removeprefix("pm_live_")
    assert shown.json["masked_key"] == f"pm_live_{secret[:3]}...{secret[-4:]}"


def test_the_hash_of_a_key_is_bcrypt_in_vault_and_nothing_of_it_is_in_the_database(owner: Person) -> None:
    answer = create(owner).json

    stored = read_secret(secret_path("api_keys", str(owner.tenant_id), answer["key_id"]))

    assert stored is not None
    assert stored.data["key_hash"].startswith("$2b$")
    assert stored.data["permissions"] == ["send_email"]
    with transaction(tenant_id=owner.tenant_id) as tx:
        row = tx.one("SELECT row_to_json(k)::text FROM api_keys k WHERE id = %(id)s", {"id": answer["key_id"]})
    assert answer["api_key"] not in row
    assert stored.data["key_hash"] not in row


def test_creating_a_key_raises_an_event(owner: Person) -> None:
    create(owner)

    assert [m for m in messages_for("events", owner.tenant_id) if "event_id" in m]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 51}, "name"),
        ({"name": "no/slash"}, "name"),
        ({"permissions": []}, "permissions"),
        ({"permissions": ["fly"]}, "permissions.0"),
        ({"allowed_cidrs": ["10.0.0.0/99"]}, "allowed_cidrs.0"),
        ({"monthly_quota": 0}, "monthly_quota"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_bad_field_is_named(owner: Person, fields: dict[str, object], field: str) -> None:
    answer = create(owner, **fields)

    assert answer.status == 400
    assert answer.code == "VALIDATION_ERROR"
    assert field in [error["field"] for error in answer.json["errors"]]


def test_without_a_step_up_nothing_is_made(owner: Person) -> None:
    answer = owner.call(handler, "POST", KEYS, json={"name": "a", "permissions": ["send_email"]})

    assert (answer.status, answer.code) == (403, "REAUTHENTICATION_REQUIRED")


def test_an_api_key_cannot_manage_api_keys(tenant: TestTenant) -> None:
    answer = call(handler, "GET", KEYS, token=tenant.key().plaintext)

    assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS")


def test_a_member_may_look_at_masked_keys_but_not_make_one(tenant: TestTenant) -> None:
    member = signed_in(tenant, "member")

    assert member.call(handler, "GET", KEYS).status == 200
    assert create(member).status == 403


def test_a_role_grants_only_what_it_has(tenant: TestTenant) -> None:
    developer = signed_in(tenant, "developer")

    refused = create(developer, permissions=["manage_contacts"])

    assert refused.status == 400
    assert refused.json["errors"][0]["code"] == "not_grantable"
    assert create(developer, permissions=["send_email"]).status == 201


def test_nobody_is_let_in_without_a_session() -> None:
    assert call(handler, "GET", KEYS).code == "AUTHENTICATION_REQUIRED"
    assert call(handler, "GET", KEYS, token="not-a-token").status == 401


def test_the_twenty_first_active_key_is_refused(tenant: TestTenant, owner: Person) -> None:
    for _ in range(20):
        tenant.key()

    answer = create(owner)

    assert (answer.status, answer.code) == (409, "KEY_LIMIT_REACHED")


def test_more_than_ten_creations_an_hour_are_refused(owner: Person) -> None:
    headers = owner.step_up()
    body = {"name": "many", "permissions": ["send_email"]}

    statuses = [owner.call(handler, "POST", KEYS, json=body, headers=headers).status for _ in range(11)]

    assert statuses == [201] * 10 + [429]


def test_a_replayed_creation_answers_alike_but_without_the_secret(owner: Person) -> None:
    headers = owner.step_up() | {"Idempotency-Key": str(uuid4())}
    body = {"name": "once", "permissions": ["send_email"]}

    first = owner.call(handler, "POST", KEYS, json=body, headers=headers)
    second = owner.call(handler, "POST", KEYS, json=body, headers=headers)

    assert (first.status, second.status) == (201, 201)
    assert second.json == {**first.json, "api_key": None}
    assert second.headers["idempotency-replayed"] == "true"


def test_keys_are_listed_with_filters_and_pages(tenant: TestTenant, owner: Person) -> None:
    for number in range(5):
        tenant.key(name=f"worker {number}")
    tenant.key(name="dashboard")

    first = owner.call(handler, "GET", KEYS, query={"search": "WORKER", "limit": 3})
    rest = owner.call(
        handler, "GET", KEYS, query={"search": "WORKER", "limit": 3, "cursor": first.json["pagination"]["next_cursor"]}
    )

    names = [item["name"] for item in first.json["data"] + rest.json["data"]]
    assert names == [f"worker {number}" for number in (4, 3, 2, 1, 0)]
    assert rest.json["pagination"]["has_more"] is False
    by_offset = owner.call(handler, "GET", KEYS, query={"limit": 2, "offset": 4, "sort_by": "name", "order": "asc"})
    assert by_offset.json["pagination"]["total"] == 6
    assert [item["name"] for item in by_offset.json["data"]] == ["worker 3", "worker 4"]


def test_another_tenants_key_is_not_found(other_tenant: TestTenant, owner: Person) -> None:
    foreign = other_tenant.key()

    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/regenerate")):
        answer = owner.call(handler, method, f"{KEYS}/{foreign.id}{path}", headers=owner.step_up())
        assert (answer.status, answer.code) == (404, "RESOURCE_NOT_FOUND")
    changed = owner.call(handler, "PUT", f"{KEYS}/{foreign.id}", json={"name": "mine"}, headers=owner.step_up())
    assert changed.status == 404


def test_a_revoked_key_is_refused_at_once_and_cannot_be_revoked_again(owner: Person) -> None:
    key = create(owner).json
    assert who_is(key["api_key"]).status == 200

    revoked = owner.call(handler, "DELETE", f"{KEYS}/{key['key_id']}", headers=owner.step_up())

    assert revoked.status == 200
    assert who_is(key["api_key"]).code == "INVALID_API_KEY"
    again = owner.call(handler, "DELETE", f"{KEYS}/{key['key_id']}", headers=owner.step_up())
    assert (again.status, again.code) == (409, "RESOURCE_CONFLICT")
    listed = owner.call(handler, "GET", KEYS, query={"status": "revoked"})
    assert [item["key_id"] for item in listed.json["data"]] == [key["key_id"]]


def test_a_regenerated_key_keeps_its_id_and_its_old_secret_dies(owner: Person) -> None:
    old = create(owner, allowed_cidrs=["203.0.113.0/24"]).json
    assert who_is(old["api_key"]).status == 200

    new = owner.call(handler, "POST", f"{KEYS}/{old['key_id']}/regenerate", headers=owner.step_up())

    assert new.status == 200
    assert new.json["key_id"] == old["key_id"]
    assert who_is(old["api_key"]).status == 401
    assert who_is(new.json["api_key"]).status == 200


def test_a_revoked_key_cannot_be_changed_or_regenerated(owner: Person) -> None:
    key_id = create(owner).json["key_id"]
    owner.call(handler, "DELETE", f"{KEYS}/{key_id}", headers=owner.step_up())

    assert owner.call(handler, "POST", f"{KEYS}/{key_id}/regenerate", headers=owner.step_up()).status == 409
    for method in ("PUT", "PATCH"):
        answer = owner.call(handler, method, f"{KEYS}/{key_id}", json={"name": "x"}, headers=owner.step_up())
        assert answer.status == 409


def test_narrower_scopes_hold_on_the_next_request(owner: Person) -> None:
    key = create(owner, permissions=["send_email", "read_analytics"]).json
    assert who_is(key["api_key"]).json["scopes"] == ["read_analytics", "send_email"]

    changed = owner.call(
        handler, "PATCH", f"{KEYS}/{key['key_id']}", json={"permissions": ["send_email"]}, headers=owner.step_up()
    )

    assert changed.json["permissions"] == ["send_email"]
    assert who_is(key["api_key"]).json["scopes"] == ["send_email"]


def test_narrower_networks_hold_on_the_next_request(owner: Person) -> None:
    key = create(owner).json
    assert who_is(key["api_key"]).status == 200

    owner.call(
        handler, "PUT", f"{KEYS}/{key['key_id']}", json={"allowed_cidrs": ["198.51.100.0/24"]}, headers=owner.step_up()
    )

    assert who_is(key["api_key"]).status == 403


def test_every_change_is_audited(owner: Person) -> None:
    key_id = create(owner).json["key_id"]
    owner.call(handler, "PUT", f"{KEYS}/{key_id}", json={"name": "renamed"}, headers=owner.step_up())
    owner.call(handler, "POST", f"{KEYS}/{key_id}/regenerate", headers=owner.step_up())
    owner.call(handler, "DELETE", f"{KEYS}/{key_id}", headers=owner.step_up())

    with transaction(tenant_id=owner.tenant_id) as tx:
        events = tx.all("SELECT event FROM audit_log WHERE resource_id = %(id)s ORDER BY id", {"id": key_id})
    assert events == ["api_key_created", "api_key_changed", "api_key_regenerated", "api_key_revoked"]
