"""Who may call what: every route says so, and holds everybody to it."""

from collections.abc import Iterator
from inspect import iscoroutinefunction
from typing import Any, cast, get_args
from uuid import uuid4

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from penguinmails.auth.scopes import ALL_SCOPES, ROLE_SCOPES, ROLES, Role
from penguinmails.http.access import SESSION_COOKIE
from scripts.openapi.document import routers
from tests.support.bodies import body_for
from tests.support.http import Answer
from tests.support.operations import Operation, declared_routes, operations
from tests.support.people import signed_in
from tests.support.resources import Account
from tests.support.tenants import TestTenant

OPERATIONS = operations()
GUARDED = [o for o in OPERATIONS if o.requirement.kind != "public"]
SCOPED = [o for o in OPERATIONS if o.requirement.kind == "scoped"]
FOR_SESSIONS = [o for o in OPERATIONS if o.requirement.kind == "session"]
FOR_STAFF = [o for o in OPERATIONS if o.requirement.kind == "staff"]
STEPPED_UP = [o for o in FOR_SESSIONS if o.requirement.step_up]
WRITES = [o for o in GUARDED if o.method != "GET"]

OPEN_TO_ANYBODY = {
    "acceptInvitation", "forgotPassword", "refreshSession", "resendVerification", "resetPassword", "signIn", "signUp",
    "verifyEmail",
}  # fmt: skip
OPEN_PAGES = ("/.well-known/", "/api/docs", "/webhooks/", "/t/")


def send(operation: Operation, **request: Any) -> Answer:
    """With a body that would be accepted, and ids of nothing."""
    body = body_for(operation) if operation.requirement.kind in {"scoped", "any"} else None
    # From an address of its own: one that guesses so often is slowed.
    ip = f"10.{uuid4().int % 256}.{uuid4().int % 256}.{uuid4().int % 256}"
    return operation.call({name: uuid4() for name in operation.path_parameters}, json=body, ip=ip, **request)


def test_every_route_of_every_function_declares_its_access() -> None:
    assert len(declared_routes()) > len(OPERATIONS)
    assert [f"{route.method} {route.path}" for route in declared_routes() if route.requirement is None] == []


def test_no_route_and_no_dependency_of_one_is_handed_to_a_pool_of_threads() -> None:
    routes = [context for router in routers().values() for context in iter_route_contexts(router.routes)]
    called = {dependant.call for route in routes for dependant in _with_dependencies(cast("APIRoute", route).dependant)}

    assert len(called) > len(OPERATIONS)
    assert [
        call for call in called if not iscoroutinefunction(call) and not iscoroutinefunction(type(call).__call__)
    ] == []


def _with_dependencies(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _with_dependencies(inner)


def test_what_is_open_to_anybody_is_a_short_list() -> None:
    assert {o.id for o in OPERATIONS if o.requirement.kind == "public"} == OPEN_TO_ANYBODY


def test_a_route_that_is_not_in_the_documents_is_a_page_or_another_path_to_a_documented_operation() -> None:
    requirements = {o.id: o.requirement for o in OPERATIONS}
    for route in (r for r in declared_routes() if not r.documented):
        if route.path.startswith(OPEN_PAGES):
            assert route.requirement is not None
            assert route.requirement.kind == "public"
        else:
            assert route.requirement == requirements.get(route.operation_id), f"{route.method} {route.path}"


@pytest.mark.parametrize("operation", GUARDED, ids=str)
@pytest.mark.parametrize(
    "token", [None, "nonsense", "pm_live_" + "a" * 32, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."], ids=str
)
def test_without_a_valid_credential_it_is_401_that_says_which_to_send(operation: Operation, token: str | None) -> None:
    answer = send(operation, token=token)

    assert answer.status == 401, answer.body
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("operation", SCOPED, ids=str)
def test_a_key_with_every_other_scope_is_refused_and_told_which_it_lacks(
    operation: Operation, tenant: TestTenant
) -> None:
    accepted = operation.requirement.scopes
    key = tenant.key(*(ALL_SCOPES - set(accepted)))

    answer = send(operation, token=key.plaintext)

    assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS")
    assert answer.json["required_scopes"] == [scope.value for scope in accepted]
    assert all(scope.value in answer.json["detail"] for scope in accepted)


@pytest.mark.parametrize("operation", SCOPED, ids=str)
def test_a_key_with_any_one_of_the_scopes_is_let_in(operation: Operation, tenant: TestTenant) -> None:
    """What the body asks for may need further scopes, as the events of a webhook do."""
    for scope in operation.requirement.scopes:
        answer = send(operation, token=tenant.key(scope).plaintext)
        assert answer.status not in {401, 500}
        assert answer.status != 403 or scope not in answer.json["required_scopes"], answer.body


@pytest.mark.parametrize("role", ROLES)
def test_a_session_may_do_what_its_role_may_and_nothing_else(role: Role, tenant: TestTenant) -> None:
    person = signed_in(tenant, role)
    for operation in [*SCOPED, *FOR_SESSIONS]:
        needed = operation.requirement
        may = role in needed.roles if needed.kind == "session" else bool(ROLE_SCOPES[role] & set(needed.scopes))
        if not may:
            answer = send(operation, token=person.access_token)
            assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS"), f"{operation} as {role}"


@pytest.mark.parametrize("operation", FOR_SESSIONS, ids=str)
def test_a_key_is_refused_where_a_person_must_be(operation: Operation, tenant: TestTenant) -> None:
    answer = send(operation, token=tenant.key().plaintext)

    assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS")
    assert "API keys are not accepted" in answer.json["detail"]


@pytest.mark.parametrize("operation", STEPPED_UP, ids=str)
def test_a_dangerous_action_wants_a_fresh_confirmation_for_its_own_purpose(operation: Operation) -> None:
    person = Account().person
    another = next(p for p in ("account", "webhooks", "api_keys") if p != operation.requirement.step_up)
    for headers in ({}, person.step_up(another), {"X-Reauth-Token": "x" * 43}):
        answer = send(operation, token=person.access_token, headers=headers)
        assert (answer.status, answer.code) == (403, "REAUTHENTICATION_REQUIRED")
        assert answer.json["step_up_purpose"] == operation.requirement.step_up


def test_the_platforms_staff_endpoints_are_closed_to_tenants() -> None:
    account = Account()
    for operation in FOR_STAFF:
        for token in (account.person.access_token, account.key("live")):
            assert send(operation, token=token).status == 403, operation


@pytest.mark.parametrize("operation", WRITES, ids=str)
def test_a_cookie_alone_writes_nothing(operation: Operation) -> None:
    """A page of somebody else can make the browser send the cookie, but not the token beside it."""
    person = Account().person
    cookies = [f"{SESSION_COOKIE}={person.access_token}"]
    own_origin = {"Origin": "https://console.example.test"}
    for headers in ({}, {"Origin": "https://evil.example"}, own_origin, {**own_origin, "X-CSRF-Token": "x" * 43}):
        answer = send(operation, cookies=cookies, headers=headers)
        assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS"), headers


def test_the_roles_that_exist_are_all_tried() -> None:
    assert set(ROLES) == set(get_args(Role))
