"""An answer of `sam local invoke` is read, since the command itself never fails."""

import json
import sys

import pytest

from local import check_invoke
from local.check_invoke import fault_of

OK = json.dumps({"statusCode": 200, "body": "{}"})


def test_an_answer_as_written_down_has_no_fault() -> None:
    assert fault_of({"status": 200}, f"START RequestId\n{OK}\n") is None
    assert fault_of({"status": 200, "caller": "anonymous"}, OK) is None
    assert fault_of({"result": {"applied": []}}, '{"applied": []}') is None
    assert fault_of({"job": True}, '{"steps": 1, "done": true}') is None
    assert fault_of({"failed": ["2"]}, json.dumps({"batchItemFailures": [{"itemIdentifier": "2"}]})) is None


@pytest.mark.parametrize(
    ("expected", "output", "said"),
    [
        ({"status": 404}, OK, "answered 200, not 404"),
        ({"status": 200, "caller": "owner"}, OK, "answered 200, not 401"),
        ({"failed": []}, json.dumps({"batchItemFailures": [{"itemIdentifier": "2"}]}), "failed"),
        ({"status": 200}, "", "no answer"),
        ({"result": {"applied": []}}, '{"applied": ["0001"]}', "answered"),
        ({"job": True}, '{"steps": 0, "done": true}', "not what a job says"),
        ({}, "{}", "nothing is known"),
        ({"job": True}, json.dumps({"errorType": "KeyError", "errorMessage": "'Records'"}), "raised KeyError"),
    ],
)
def test_every_other_answer_is_said_as_what_it_is(expected: dict[str, object], output: str, said: str) -> None:
    assert said in (fault_of(expected, output) or "")


def test_without_a_container_engine_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["check_invoke"])
    monkeypatch.setattr(check_invoke, "_in_the_rig", lambda _arguments: None)
    monkeypatch.setattr(check_invoke, "_docker_answers", lambda: False)

    assert check_invoke.main() == 0
    assert "not checked: no container engine" in capsys.readouterr().out
