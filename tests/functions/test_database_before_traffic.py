"""Before calls move to a function's new version CodeDeploy asks, and hears whether database and Vault are in reach."""

from typing import Any

import pytest

from database import app, traffic_hook
from penguinmails.vault_client import VaultUnavailable
from tests.support.http import LambdaContext

EVENT = {"DeploymentId": "d-ABC", "LifecycleEventHookExecutionId": "execution-1"}


class _CodeDeploy:
    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []

    def put_lifecycle_event_hook_execution_status(self, **said: str) -> None:
        self.heard.append(said)


@pytest.fixture
def code_deploy(monkeypatch: pytest.MonkeyPatch) -> _CodeDeploy:
    found = _CodeDeploy()
    monkeypatch.setattr(traffic_hook, "client", lambda service: {"codedeploy": found}[service])
    return found


def test_calls_may_move_while_database_and_vault_are_in_reach(code_deploy: _CodeDeploy) -> None:
    assert app.handler(dict(EVENT), LambdaContext()) == {"status": "Succeeded"}
    assert code_deploy.heard == [
        {"deploymentId": "d-ABC", "lifecycleEventHookExecutionId": "execution-1", "status": "Succeeded"}
    ]


def _no_vault() -> dict[str, Any]:
    raise VaultUnavailable("The secret store cannot be reached right now.")


def _no_database(*_: object, **__: object) -> list[str]:
    raise ConnectionError("connection refused")


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("ask_for_health", _no_vault),
        ("ask_for_health", lambda: {"initialized": True, "sealed": True}),
        ("migrate", _no_database),
    ],
    ids=["no Vault", "a sealed Vault", "no database"],
)
def test_calls_stay_where_they_are_without_vault_or_the_database(
    name: str, broken: Any, code_deploy: _CodeDeploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, name, broken)

    assert app.handler(dict(EVENT), LambdaContext()) == {"status": "Failed"}
    assert [said["status"] for said in code_deploy.heard] == ["Failed"]
