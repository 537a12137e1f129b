"""The refusals that every operation has in common, had from each of them as a declared problem document."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from openapi_schema_validator import OAS30Validator

from penguinmails import db
from penguinmails.db import Mode
from penguinmails.http import access
from tests.support.bodies import body_for
from tests.support.http import Answer
from tests.support.operations import Operation, operations
from tests.support.people import Person
from tests.support.resources import Account, confirmation, make_path
from tests.support.tenants import TestTenant

OPERATIONS = [o for o in operations() if o.requirement.kind != "staff"]
WITH_BODY = [o for o in OPERATIONS if o.body is not None]
ON_A_THING = [o for o in OPERATIONS if o.path_parameters]
UNIQUE = {"contact_id": "email", "list_id": "name", "segment_id": "name", "tag_id": "name", "workspace_id": "slug"}
ME = next(o for o in OPERATIONS if o.id == "getMe")
OF_AN_ACCOUNT = [o for o in OPERATIONS if o.requirement.kind != "public"]


@pytest.fixture
def person() -> Person:
    return Account().person


def send(operation: Operation, person: Person, **request: Any) -> Answer:
    """As an owner who has confirmed who they are; anybody's from an address of its own."""
    number = uuid4().int
    confirmed = request.pop("confirmed", None)
    headers = {
        **(confirmation(person, operation.requirement) if confirmed is None else confirmed),
        **request.pop("headers", {}),
    }
    if operation.requirement.kind != "public":
        request["token"] = person.access_token
    if operation.body is not None and not {"json", "raw"} & set(request):
        request["json"] = body_for(operation)
    ids = {name: uuid4() for name in operation.path_parameters} | request.pop("ids", {})
    request.setdefault("ip", f"10.{number % 256}.{number // 256 % 256}.{number // 65536 % 256}")
    return operation.call(ids, headers=headers, **request)


def expect_problem(operation: Operation, answer: Answer, status: int, code: str) -> None:
    schema = operation.responses.get(str(status))
    assert schema is not None, f"{operation} does not declare {status}"
    assert (answer.status, answer.code) == (status, code), f"{operation}: {answer.body}"
    assert answer.headers["content-type"] == "application/problem+json"
    OAS30Validator(schema).validate(answer.json)
    assert answer.json["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("operation", ON_A_THING, ids=str)
def test_an_id_that_is_no_id_is_400_by_name_and_one_of_nothing_404(operation: Operation, person: Person) -> None:
    for name in operation.path_parameters:
        malformed = send(operation, person, ids={name: "nonsense"})
        expect_problem(operation, malformed, 400, "VALIDATION_ERROR")
        assert malformed.json["errors"][0]["field"] == name

    code = "CAMPAIGN_NOT_FOUND" if "campaign_id" in operation.path_parameters else "RESOURCE_NOT_FOUND"
    expect_problem(operation, send(operation, person), 404, code)


@pytest.mark.parametrize("operation", OF_AN_ACCOUNT, ids=str)
def test_a_mode_that_is_none_is_400(operation: Operation, person: Person) -> None:
    assert operation.takes(access.MODE_HEADER)

    answer = send(operation, person, headers={access.MODE_HEADER: "production"})

    expect_problem(operation, answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", sorted({o.path for o in OPERATIONS}))
def test_another_method_is_405_and_told_which_there_are(path: str) -> None:
    here = {o.method: o for o in OPERATIONS if o.path == path}
    ids = {name: uuid4() for name in next(iter(here.values())).path_parameters}

    answer = replace(next(iter(here.values())), method="OPTIONS").call(ids)

    assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == ", ".join(sorted(here))


@pytest.mark.parametrize("operation", [o for o in OF_AN_ACCOUNT if o.requirement.takes_api_keys], ids=str)
def test_a_key_is_not_used_in_another_mode_than_its_own(operation: Operation) -> None:
    account = Account()
    pairs: list[tuple[Mode, Mode]] = [("live", "test"), ("test", "live")]
    for own, other in pairs:
        ids = {name: uuid4() for name in operation.path_parameters}
        request = {"token": account.key(own), "json": body_for(operation)}

        refused, accepted = (
            operation.call(ids, headers={access.MODE_HEADER: mode}, **request) for mode in (other, own)
        )

        expect_problem(operation, refused, 400, "VALIDATION_ERROR")
        assert f"of {own} mode" in refused.json["detail"]
        assert accepted.status != 400


@pytest.mark.parametrize("operation", [o for o in OF_AN_ACCOUNT if o.requirement.takes_api_keys], ids=str)
def test_a_key_whose_quota_is_used_up_is_403(operation: Operation, tenant: TestTenant) -> None:
    token = tenant.key(monthly_quota=1).plaintext
    assert ME.call(token=token).status == 200

    answer = operation.call({name: uuid4() for name in operation.path_parameters}, token=token)

    expect_problem(operation, answer, 403, "QUOTA_EXCEEDED")


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.takes("If-Match")], ids=str)
def test_a_change_of_what_has_changed_since_is_412(operation: Operation) -> None:
    account = Account()
    for client in account.clients(operation):
        ids = make_path(operation, account, client.mode)
        stale = client.call(operation, ids, json=body_for(operation), headers={"If-Match": '"stale"'})
        expect_problem(operation, stale, 412, "PRECONDITION_FAILED")
        assert client.call(operation, ids, json=body_for(operation), headers={"If-Match": "*"}).status == 200


@pytest.mark.parametrize(
    "operation", [o for o in ON_A_THING if o.method in {"PUT", "PATCH"} and o.path_parameters[-1] in UNIQUE], ids=str
)
def test_a_change_to_what_another_thing_is_called_already_is_409(operation: Operation) -> None:
    account = Account()
    show = next(o for o in OPERATIONS if (o.method, o.path) == ("GET", operation.path))
    client = next(account.clients(operation))
    field = UNIQUE[operation.path_parameters[-1]]
    first, second = (make_path(operation, account, client.mode) for _ in range(2))
    taken = client.call(show, first).json[field]

    answer = client.call(operation, second, json={field: taken})

    expect_problem(operation, answer, 409, "RESOURCE_CONFLICT")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_that_is_not_as_described_is_400(operation: Operation, person: Person) -> None:
    unknown_field = {**(body_for(operation) or {}), "no_such_field": 1}
    for request in ({"raw": b"{"}, {"raw": b"\xff\xfe"}, {"json": []}, {"json": unknown_field}):
        expect_problem(operation, send(operation, person, **request), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.method != "GET"], ids=str)
def test_a_body_too_large_is_413_and_one_that_is_no_json_415(operation: Operation, person: Person) -> None:
    too_large = send(operation, person, raw=b" " * 4_500_001)
    no_json = send(operation, person, raw=b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"})

    expect_problem(operation, too_large, 413, "PAYLOAD_TOO_LARGE")
    expect_problem(operation, no_json, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_too_many_requests_are_429_with_the_time_to_wait(
    operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_USER_LIMIT_PER_MINUTE", 1)
    monkeypatch.setattr(access, "_PUBLIC_LIMIT_PER_MINUTE", 1)
    address = f"2001:db8::{uuid4().hex[:4]}"

    send(ME if operation.requirement.kind != "public" else operation, person, ip=address)

    answer = send(operation, person, ip=address)

    expect_problem(operation, answer, 429, "RATE_LIMIT_EXCEEDED")
    assert int(answer.headers["retry-after"]) == answer.json["retry_after"] > 0


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_database_that_cannot_be_reached_is_503(
    operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(role: db.Role) -> Any:
        raise psycopg.OperationalError(f"connection as {role} refused")

    confirmed = confirmation(person, operation.requirement)
    db.close_connection("app")
    monkeypatch.setattr(db, "_connect", refuse)

    answer = send(operation, person, confirmed=confirmed)

    expect_problem(operation, answer, 503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) > 0
    assert "refused" not in answer.body


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_fault_of_ours_is_500_without_its_inner_workings(
    operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: Any, **_options: Any) -> Any:
        raise ZeroDivisionError("an inner detail")

    confirmed = confirmation(person, operation.requirement)
    for name in ("one", "all", "run"):
        monkeypatch.setattr(db.Tx, name, crash)

    answer = send(operation, person, confirmed=confirmed)

    expect_problem(operation, answer, 500, "INTERNAL_SERVER_ERROR")
    assert "inner detail" not in answer.body
    assert "ZeroDivisionError" not in answer.body
