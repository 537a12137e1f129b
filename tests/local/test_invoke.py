"""`make invoke` says what is missing, and otherwise runs the handler as the stack would."""

import asyncio
import json
from pathlib import Path

import pytest

from local.invoke import container_variables, event_of, function_of, invoke, variables_of
from local.services.process import ServiceError
from local.template import read_template

ROOT = Path(__file__).resolve().parents[2]


def _state(folder: Path) -> Path:
    names = read_template(ROOT / "template.yaml").functions
    (folder / "endpoints.json").write_text("{}")
    (folder / "environments.json").write_text(json.dumps({n: {"REDIS_URL": "redis://127.0.0.1:8406"} for n in names}))
    return folder


def test_a_function_or_sample_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(ServiceError, match=r"F is one of: .*contacts"):
        function_of("contact")
    with pytest.raises(ServiceError, match=r"E is one of: .*list"):
        event_of("contacts", "lst")


def test_without_a_running_stack_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="make run"):
        variables_of(function_of("contacts"), tmp_path)


def test_a_container_is_told_this_machine_by_the_name_that_it_knows(tmp_path: Path) -> None:
    told = container_variables(_state(tmp_path))

    assert set(told) == set(read_template(ROOT / "template.yaml").functions)
    assert {variables["REDIS_URL"] for variables in told.values()} == {"redis://host.docker.internal:8406"}


def test_a_sample_runs_in_an_environment_of_its_own(tmp_path: Path) -> None:
    function = function_of("docs")
    variables = {
        **function.environment,
        "ORIGIN_SECRET": "",
        "ENVIRONMENT": "local",
        "REDIS_URL": "redis://127.0.0.1:1",
    }

    answer = asyncio.run(invoke(function, event_of("docs", "openapi"), variables, tmp_path / "log"))

    assert answer["statusCode"] == 200
