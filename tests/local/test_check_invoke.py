"""An answer of `sam local invoke` is read, since the command itself never fails."""

import json
import subprocess
import sys
from pathlib import Path

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
    monkeypatch.setattr(check_invoke, "_docker_works", lambda: False)

    assert check_invoke.main() == 0
    assert "not checked: no container engine" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("system", "engine", "works"),
    [("Linux", "Debian GNU/Linux 12", False), ("Linux", "Docker Desktop", True), ("Darwin", "Alpine Linux", True)],
)
def test_docker_is_used_only_where_its_containers_reach_this_machine(
    system: str, engine: str, works: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_invoke.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(check_invoke.platform, "system", lambda: system)
    answer = subprocess.CompletedProcess([], 0, stdout=engine)
    monkeypatch.setattr(check_invoke.subprocess, "run", lambda *_, **__: answer)

    assert check_invoke._docker_works() == works
    assert ("loopback only" in capsys.readouterr().out) != works


def test_one_function_is_tried_with_layers_as_published_and_without_the_routes_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "container.yaml"
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Handler": "me.app.handler", "Events": {"Root": {}}},
    }
    resources = {"Api": {}, "MeFunction": function, "TeamFunction": function, "CommonLayer": {"Properties": {}}}
    whole.write_text(json.dumps({"Globals": {"Function": {"Layers": ["local"]}}, "Resources": resources}))
    monkeypatch.setattr(check_invoke, "TEMPLATE", whole)
    monkeypatch.setattr(check_invoke, "BUILD", tmp_path)

    written = json.loads(check_invoke._of_one_function("MeFunction", ["arn:layer:1"]).read_text())

    assert written["Globals"] == {"Function": {"Layers": ["arn:layer:1"]}}
    assert set(written["Resources"]) == {"MeFunction"}
    assert written["Resources"]["MeFunction"]["Properties"] == {"Handler": "me.app.handler"}
