"""The refusals that every staff operation has in common, had from each of them as a declared problem document."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from openapi_schema_validator import OAS30Validator

from penguinmails import db
from penguinmails.http import access
from tests.support.http import Answer
from tests.support.operations import Operation, operations
from tests.support.staff import StaffPerson, staff

OPERATIONS = [o for o in operations() if o.requirement.kind == "staff"]
WITH_BODY = [o for o in OPERATIONS if o.body is not None]
ON_A_THING = [o for o in OPERATIONS if o.path_parameters]
LISTS = [o for o in OPERATIONS if any(p["name"] == "limit" for p in o.parameters)]
# What changes nothing where the thing that the path names does not exist.
BODIES: dict[str, dict[str, Any]] = {
    "suspendTenant": {"reason": "a test"},
    "reinstateTenant": {"reason": "a test"},
    "changeTenantPlan": {"reason": "a test", "plan": "pro"},
    "setTenantOverrides": {"reason": "a test", "max_contacts": 1},
    "addStaffMember": {"email": "new@staff.example", "name": "Nina New", "role": "qa"},
    "changeStaffMember": {"role": "qa"},
    "setMailServer": {"host": "localhost", "username": "sending", "password": "unused"},
    "resetSecondFactor": {"email": "nobody@staff.example", "reason": "a test"},
}
QUERIES = {"clearTenantOverrides": {"reason": "a test"}}


@pytest.fixture(scope="module")
def chief(platform: None) -> Iterator[StaffPerson]:
    """A super admin, confirmed once for all of this module."""
    yield staff("super_admin")


@pytest.fixture(scope="module")
def proof(chief: StaffPerson) -> dict[str, str]:
    return chief.step_up()


def send(operation: Operation, caller: StaffPerson | None, proof: dict[str, str], **request: Any) -> Answer:
    if operation.body is not None and not {"json", "raw"} & set(request):
        request["json"] = BODIES[operation.id]
    request.setdefault("query", QUERIES.get(operation.id))
    headers = proof | dict(request.pop("headers", {}))
    ids = {name: uuid4() for name in operation.path_parameters} | request.pop("ids", {})
    return operation.call(ids, token=caller and caller.person.access_token, headers=headers, **request)


def expect_problem(operation: Operation, answer: Answer, status: int, code: str) -> None:
    schema = operation.responses.get(str(status))
    assert schema is not None, f"{operation} does not declare {status}"
    assert (answer.status, answer.code) == (status, code), f"{operation}: {answer.body}"
    assert answer.headers["content-type"] == "application/problem+json"
    OAS30Validator(schema).validate(answer.json)


def test_staff_operations_are_found() -> None:
    assert {"listTenants", "suspendTenant", "addStaffMember"} <= {operation.id for operation in OPERATIONS}
    assert {operation.id for operation in WITH_BODY} == set(BODIES)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_nobody_is_401(operation: Operation) -> None:
    expect_problem(operation, send(operation, None, {}), 401, "AUTHENTICATION_REQUIRED")


@pytest.mark.parametrize("operation", ON_A_THING, ids=str)
def test_an_id_that_is_no_id_is_400_by_name_and_one_of_nothing_404(
    operation: Operation, chief: StaffPerson, proof: dict[str, str]
) -> None:
    for name in operation.path_parameters:
        malformed = send(operation, chief, proof, ids={name: "nonsense"})
        expect_problem(operation, malformed, 400, "VALIDATION_ERROR")
        assert malformed.json["errors"][0]["field"] == name

    expect_problem(operation, send(operation, chief, proof), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_that_is_not_as_described_is_400(
    operation: Operation, chief: StaffPerson, proof: dict[str, str]
) -> None:
    for request in ({"raw": b"{"}, {"json": []}, {"json": {**BODIES[operation.id], "no_such_field": 1}}):
        expect_problem(operation, send(operation, chief, proof, **request), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("operation", LISTS, ids=str)
def test_a_page_that_cannot_be_is_400(operation: Operation, chief: StaffPerson, proof: dict[str, str]) -> None:
    for query in ({"limit": 0}, {"cursor": "nonsense"}, {"sort_by": "password"}):
        expect_problem(operation, send(operation, chief, proof, query=query), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.method != "GET"], ids=str)
def test_a_body_too_large_is_413_and_one_that_is_no_json_415(
    operation: Operation, chief: StaffPerson, proof: dict[str, str]
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    expect_problem(operation, send(operation, chief, proof, raw=b" " * 4_500_001), 413, "PAYLOAD_TOO_LARGE")
    expect_problem(operation, send(operation, chief, proof, raw=b"a=b", headers=form), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_too_many_requests_are_429_with_the_time_to_wait(
    operation: Operation, chief: StaffPerson, proof: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_USER_LIMIT_PER_MINUTE", 1)
    chief.call("GET", "/me")

    answer = send(operation, chief, proof)

    expect_problem(operation, answer, 429, "RATE_LIMIT_EXCEEDED")
    assert int(answer.headers["retry-after"]) == answer.json["retry_after"] > 0


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_database_that_cannot_be_reached_is_503(
    operation: Operation, chief: StaffPerson, proof: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(role: db.Role) -> Any:
        raise psycopg.OperationalError(f"connection as {role} refused")

    db.close_connection("app")
    monkeypatch.setattr(db, "_connect", refuse)

    expect_problem(operation, send(operation, chief, proof), 503, "SERVICE_UNAVAILABLE")


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_fault_of_ours_is_500_without_its_inner_workings(
    operation: Operation, chief: StaffPerson, proof: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: Any, **_options: Any) -> Any:
        raise ZeroDivisionError("an inner detail")

    for name in ("one", "all", "run"):
        monkeypatch.setattr(db.Tx, name, crash)

    answer = send(operation, chief, proof)

    expect_problem(operation, answer, 500, "INTERNAL_SERVER_ERROR")
    assert "inner detail" not in answer.body
