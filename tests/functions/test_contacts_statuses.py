"""Contacts: every status that a route declares can be had, on every route, as a problem document."""

import json
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from contacts import listing, repository, routes
from contacts.app import handler
from contacts.routes import router
from penguinmails import db
from penguinmails.auth.scopes import Scope
from tests.support.http import Answer, call
from tests.support.tenants import TestKey, TestTenant

CONTACTS = "/api/v1/contacts"
ROUTES = [
    ("GET", CONTACTS),
    ("POST", CONTACTS),
    *((method, f"{CONTACTS}/{{id}}") for method in ("GET", "PUT", "PATCH", "DELETE")),
]
WRITES = [(method, path) for method, path in ROUTES if method in {"POST", "PUT", "PATCH"}]
every_route = pytest.mark.parametrize(("method", "path"), ROUTES)


def send(token: str | None, method: str, path: str, **request: Any) -> Answer:
    body = {"json": {"email": "ada@example.com"}} if method in {"POST", "PUT", "PATCH"} and "raw" not in request else {}
    return call(handler, method, path.format(id=uuid4()), token=token, **body, **request)


def test_the_routes_below_are_all_but_those_of_many() -> None:
    """Search and what takes many at once have tests of their own."""
    assert {
        (method, route.path.replace("contact_id", "id"))
        for route in router.routes
        for method in route.methods
        if not route.path.endswith(("/bulk", "/search"))
    } == set(ROUTES)


@every_route
def test_without_a_credential_it_is_401(method: str, path: str) -> None:
    answer = send(None, method, path)

    assert (answer.status, answer.code) == (401, "AUTHENTICATION_REQUIRED")
    assert answer.headers["content-type"] == "application/problem+json"


@every_route
def test_with_every_scope_but_its_own_it_is_403(tenant: TestTenant, method: str, path: str) -> None:
    others = [scope for scope in Scope if scope is not Scope.MANAGE_CONTACTS]

    answer = send(tenant.key(*others).plaintext, method, path)

    assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS")


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if "{id}" in route[1]])
def test_an_id_that_is_no_id_is_400_and_one_of_nothing_404(key: TestKey, method: str, path: str) -> None:
    malformed = send(key.plaintext, method, path.replace("{id}", "nonsense"))
    unknown = send(key.plaintext, method, path)

    assert (malformed.status, malformed.json["errors"][0]["field"]) == (400, "contact_id")
    assert (unknown.status, unknown.code) == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_body_too_large_is_413_and_one_that_is_no_json_415(key: TestKey, method: str, path: str) -> None:
    too_large = send(key.plaintext, method, path, raw=b" " * 1_000_001)
    no_json = send(key.plaintext, method, path, raw=b"email=a", headers={"Content-Type": "text/csv"})

    assert (too_large.status, too_large.code) == (413, "PAYLOAD_TOO_LARGE")
    assert (no_json.status, no_json.code) == (415, "UNSUPPORTED_MEDIA_TYPE")


@every_route
def test_too_many_requests_are_429_with_the_time_to_wait(tenant: TestTenant, method: str, path: str) -> None:
    with db.transaction(role="jobs") as tx:
        limits = '{"api_rate_limit": 1, "api_burst_limit": 1}'
        tx.run(
            "INSERT INTO tenant_overrides (tenant_id, limits, reason) VALUES (%(id)s, %(limits)s::jsonb, 'test')",
            {"id": tenant.id, "limits": limits},
        )
    token = tenant.key().plaintext
    send(token, "GET", CONTACTS)

    answer = send(token, method, path)

    assert (answer.status, answer.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert int(answer.headers["retry-after"]) == answer.json["retry_after"] > 0


@every_route
def test_a_database_that_cannot_be_reached_is_503(
    key: TestKey, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    def refuse(role: db.Role) -> Any:
        raise psycopg.OperationalError("connection refused")

    send(key.plaintext, "GET", CONTACTS)
    db.close_connection("app")
    monkeypatch.setattr(db, "_connect", refuse)

    answer = send(key.plaintext, method, path)

    assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["retry-after"]


@every_route
def test_a_fault_of_ours_is_500_without_its_inner_workings(
    key: TestKey, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    def crash(*_arguments: Any, **_options: Any) -> Any:
        raise ZeroDivisionError("an inner detail")

    monkeypatch.setattr(listing, "list_contacts", crash)
    monkeypatch.setattr(routes, "find_contact", crash)
    for name in ("insert_contact", "lock_contact"):
        monkeypatch.setattr(repository, name, crash)

    answer = send(key.plaintext, method, path)

    assert (answer.status, answer.code) == (500, "INTERNAL_SERVER_ERROR")
    assert "inner detail" not in answer.body
    assert "ZeroDivisionError" not in answer.body
    assert answer.json["request_id"] == answer.headers["x-request-id"]


NASTY_BODIES = [
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"email": ' + b"1" * 5_000 + b"}",
    b"[]",
    b"null",
    b'"text"',
    b'{"email": "a@example.com", "\\ud800": 1}',
    b'{"email": "\\ud800@example.com"}',
    b'{"email": "a\\u0000@example.com"}',
    b'{"email": "a@example.com", "tags": ["\\ud800"]}',
    b'{"email": "a@example.com", "phone": "\\u0000"}',
    b'{"email": "a@example.com", "external_id": "\\ud83d"}',
    b'{"email": "a@example.com", "attributes": {"\\ud800": 1}}',
    b'{"email": "a@example.com", "attributes": {"a": 1e999}}',
    b'{"email": "a@example.com", "attributes": {"a": NaN}}',
    b'{"email": "a@example.com", "attributes": {"a": "\\u0000"}}',
    b'{"email": "a@example.com", "workspace_ids": ["\\u0000"]}',
]


@pytest.mark.parametrize("raw", NASTY_BODIES, ids=lambda raw: raw[:40].decode("latin-1"))
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_what_cannot_be_stored_is_400(key: TestKey, method: str, path: str, raw: bytes) -> None:
    assert send(key.plaintext, method, path, raw=raw).status == 400


@pytest.mark.parametrize("value", [[1], {"a": 1}, 10**16, 1e300, "x" * 1001])
def test_an_attribute_of_a_wrong_kind_is_refused_once_in_plain_words(key: TestKey, value: Any) -> None:
    body = {"email": "ada@example.com", "attributes": {"seats": value}}

    answer = call(handler, "POST", CONTACTS, token=key.plaintext, json=body)

    (error,) = answer.json["errors"]
    assert (answer.status, error["field"]) == (400, "attributes.seats")
    assert error["message"].startswith("must be a text of at most 1000 characters")


def test_attributes_come_back_as_they_were_sent(key: TestKey) -> None:
    attributes = {"text": "12", "day": "2026-02-28", "int": 12, "float": 0.1, "yes": True, "none": None, "emoji": "🐧"}

    answer = call(
        handler, "POST", CONTACTS, token=key.plaintext, json={"email": "a@example.com", "attributes": attributes}
    )

    assert json.dumps(answer.json["attributes"], sort_keys=True) == json.dumps(attributes, sort_keys=True)
    too_many = {f"a{n}": n for n in range(51)}
    refused = call(
        handler, "POST", CONTACTS, token=key.plaintext, json={"email": "b@example.com", "attributes": too_many}
    )
    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "attributes")
