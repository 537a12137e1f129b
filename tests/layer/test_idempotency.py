"""An Idempotency-Key makes a POST happen once, whoever sends it again and whenever."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from contacts.app import handler
from penguinmails.db import transaction
from tests.support.bodies import body_for
from tests.support.http import call
from tests.support.operations import Operation, operations
from tests.support.resources import Account, Client, make_path
from tests.support.sources import ROOT
from tests.support.tenants import TestKey, TestTenant

TAKING_A_KEY = [o for o in operations() if o.takes("Idempotency-Key")]
CONTACTS = "/api/v1/contacts"


@pytest.fixture
def slow_process() -> Iterator["subprocess.Popen[str]"]:
    """Another execution environment, which stops in the middle of its request until it is told to go on."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.slow_request"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "functions", ROOT / "layers/common/python"))),
        },
    )
    with process:
        yield process
        process.kill()


def tell(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def hear(process: "subprocess.Popen[str]") -> str:
    """The next line that is not a line of the log."""
    assert process.stdout is not None
    return next(line.strip() for line in process.stdout if not line.startswith("{"))


def test_a_twin_of_a_running_request_is_refused_at_once_and_gets_the_answer_later(
    tenant: TestTenant, key: TestKey, slow_process: "subprocess.Popen[str]"
) -> None:
    body, headers = {"email": "ada@example.com"}, {"Idempotency-Key": str(uuid4())}
    request = {"token": key.plaintext, "json": body, "headers": headers}
    tell(slow_process, json.dumps({"method": "POST", "path": CONTACTS, **request}))
    assert hear(slow_process) == "inside"

    twin = call(handler, "POST", CONTACTS, **request)
    unrelated = call(handler, "POST", CONTACTS, token=key.plaintext, json={"email": "grace@example.com"})

    assert (twin.status, twin.code) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert twin.headers["retry-after"] == str(twin.json["retry_after"]) == "1"
    assert unrelated.status == 201
    tell(slow_process, "go on")
    status, made = json.loads(hear(slow_process))
    assert status == 201
    again = call(handler, "POST", CONTACTS, **request)
    assert (again.status, again.json, again.headers["idempotency-replayed"]) == (201, made, "true")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT count(*) FROM contacts", {}) == 2


def test_the_operations_that_take_a_key_are_found() -> None:
    assert {o.id for o in TAKING_A_KEY} >= {"createContact", "sendEmail", "createWebhook", "createApiKey"}


@pytest.mark.parametrize("operation", TAKING_A_KEY, ids=str)
def test_every_operation_that_takes_a_key_happens_once_and_repeats_its_answer_without_secrets(
    operation: Operation,
) -> None:
    for place in range(len(list(Account().clients(operation)))):
        # Some things are done once per account.
        account = Account()
        client = list(account.clients(operation))[place]
        ids, body, headers = make_path(operation, account, client.mode), body_for(operation), {"Idempotency-Key": "k"}

        first, again = (client.call(operation, ids, json=body, headers=headers) for _ in "12")
        changed = client.call(operation, ids, json={**(body or {}), "": ""}, headers=headers)

        assert first.status < 300, first.body
        assert "idempotency-replayed" not in first.headers
        assert (again.status, again.headers["idempotency-replayed"]) == (first.status, "true")
        secrets = {name: value for name, value in first.json.items() if again.json[name] != value}
        assert again.json == {**first.json, **dict.fromkeys(secrets)}
        assert changed.status in {400, 409}
        for value in secrets.values():
            assert value not in stored_answers(account)


def stored_answers(account: Account) -> str:
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        rows = connection.execute(
            "SELECT row_to_json(k)::text FROM idempotency_keys k WHERE tenant_id = %s", [account.tenant.id]
        ).fetchall()
    assert rows
    return "".join(text for (text,) in rows)


@pytest.mark.parametrize("operation", TAKING_A_KEY, ids=str)
def test_a_key_that_comes_with_another_body_is_409(operation: Operation) -> None:
    account = Account()
    client = next(account.clients(operation))
    ids = make_path(operation, account, client.mode)
    bodies = [json.dumps(body_for(operation)) + " " * spaces for spaces in (0, 1)]

    answers = [client.call(operation, ids, raw=body.encode(), headers={"Idempotency-Key": "k"}) for body in bodies]

    assert answers[0].status < 300, answers[0].body
    assert (answers[1].status, answers[1].code) == (409, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("operation", TAKING_A_KEY, ids=str)
@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_empty_or_too_long_is_400_by_name(operation: Operation, key: str) -> None:
    account = Account()
    client = next(account.clients(operation))

    answer = client.call(
        operation,
        make_path(operation, account, client.mode),
        json=body_for(operation),
        headers={"Idempotency-Key": key},
    )

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "Idempotency-Key")


def test_the_same_key_of_another_account_mode_or_caller_is_another_key() -> None:
    (create,) = [o for o in operations() if o.id == "createContact"]
    alice, bob = Account(), Account()
    callers = [client for account in (alice, bob) for client in account.clients(create)]
    body = {"email": "ada@example.com"}

    answers = {
        str(client) + str(client.account.tenant.id): client.call(
            create, json=body, headers={"Idempotency-Key": "k"}, query={"upsert": "true"}
        )
        for client in callers
    }

    assert len(answers) == len(callers) == 8
    assert all("idempotency-replayed" not in answer.headers for answer in answers.values())
    assert sorted(answer.status for answer in answers.values()) == [200] * 4 + [201] * 4


def test_a_request_that_was_refused_leaves_its_key_free() -> None:
    (create,) = [o for o in operations() if o.id == "createContact"]
    client = Client(Account(), "api_key", "live")
    headers = {"Idempotency-Key": "k"}

    refused = client.call(create, json={"email": "ada@example.com", "workspace_ids": [str(uuid4())]}, headers=headers)
    accepted = client.call(create, json={"email": "ada@example.com"}, headers=headers)

    assert (refused.status, accepted.status) == (400, 201)
