"""What a deploy does first: migrate, look at Vault, and tell CloudFormation whether to go on."""

import json
from typing import Any

import pytest

from database import app, custom_resource
from database.migrate import migration_files
from penguinmails.vault_client import VaultUnavailable
from tests.support.http import LambdaContext

EVENT: dict[str, Any] = {
    "RequestType": "Update",
    "ResponseURL": "https://bucket.s3.example/answer?signature=x",
    "StackId": "arn:aws:cloudformation:eu-west-1:000000000000:stack/penguinmails/1",
    "RequestId": "1",
    "LogicalResourceId": "Migrations",
}


class _CloudFormation:
    """Takes what would go to the stack's address."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.status = 200

    def __call__(self, host: str, _port: int | None, *, timeout: int) -> "_CloudFormation":
        assert timeout > 0
        assert host == "bucket.s3.example"
        return self

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        self.asked.append((method, path, headers))
        self.heard.append(json.loads(body))

    def getresponse(self) -> "_CloudFormation":
        return self

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> _CloudFormation:
    found = _CloudFormation()
    monkeypatch.setattr(custom_resource, "HTTPSConnection", found)
    return found


def test_a_deploy_goes_on_when_the_database_is_up_to_date_and_vault_is_open(stack: _CloudFormation) -> None:
    result = app.handler(EVENT, LambdaContext())

    assert result == {"applied": []}
    assert stack.asked == [("PUT", "/answer?signature=x", {"Content-Type": ""})]
    assert stack.heard[0]["Status"] == "SUCCESS"
    assert stack.heard[0]["Data"]["Schema"] == migration_files()[-1].stem


def test_the_configuration_that_functions_hear_of_differs_when_what_they_are_given_does(stack: _CloudFormation) -> None:
    for configuration in (["layer:1", "1.0.0"], ["layer:1", "1.0.0"], ["layer:2", "1.0.0"], ["layer:2", "1.1.0"]):
        app.handler({**EVENT, "ResourceProperties": {"Configuration": configuration}}, LambdaContext())

    first, same, other_layer, other_release = (heard["Data"]["Configuration"] for heard in stack.heard)
    assert first == same
    assert len({first, other_layer, other_release}) == 3
    assert first.startswith(migration_files()[-1].stem)
    assert len(first) <= 256


def test_a_deploy_stops_with_the_reason_when_vault_is_out_of_reach(
    stack: _CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable() -> dict[str, Any]:
        raise VaultUnavailable("The secret store cannot be reached right now.")

    monkeypatch.setattr(app, "ask_for_health", unreachable)

    app.handler(EVENT, LambdaContext())

    assert stack.heard[0]["Status"] == "FAILED"
    assert "secret store cannot be reached" in stack.heard[0]["Reason"]


def test_a_deploy_stops_when_vault_is_sealed(stack: _CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "ask_for_health", lambda: {"initialized": True, "sealed": True})

    app.handler(EVENT, LambdaContext())

    assert stack.heard[0]["Status"] == "FAILED"
    assert "Unseal it" in stack.heard[0]["Reason"]


def test_a_deploy_stops_when_the_database_is_out_of_reach(
    stack: _CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> list[str]:
        raise ConnectionError("connection refused")

    monkeypatch.setattr(app, "migrate", unreachable)

    app.handler(EVENT, LambdaContext())

    assert stack.heard[0]["Status"] == "FAILED"
    assert stack.heard[0]["Reason"] == "ConnectionError: connection refused"


def test_a_stack_that_goes_away_leaves_the_data_alone(stack: _CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "migrate", lambda *_, **__: pytest.fail("nothing may be touched"))

    app.handler({**EVENT, "RequestType": "Delete"}, LambdaContext())

    assert stack.heard[0]["Status"] == "SUCCESS"


@pytest.mark.usefixtures("stack")
def test_an_answer_goes_nowhere_but_to_https() -> None:
    with pytest.raises(ValueError, match="https"):
        app.handler({**EVENT, "RequestType": "Delete", "ResponseURL": "http://elsewhere.example/?x"}, LambdaContext())


def test_an_operator_who_invokes_it_by_hand_sees_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> list[str]:
        raise ConnectionError("connection refused")

    monkeypatch.setattr(app, "migrate", unreachable)

    with pytest.raises(ConnectionError):
        app.handler({}, LambdaContext())
