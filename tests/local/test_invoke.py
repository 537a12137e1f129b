"""`make invoke` says what is missing, and otherwise runs the handler as the stack would."""

from pathlib import Path

import pytest

from local.containers import container_template, values_inside
from local.invoke import event_of, function_of, invoke, running_environments
from local.services.process import ServiceError
from local.template import read_document, read_template
from tests.support.aio import run_aside

ROOT = Path(__file__).resolve().parents[2]


def test_a_function_or_sample_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(ServiceError, match=r"F is one of: .*contacts"):
        function_of("contact")
    with pytest.raises(ServiceError, match=r"E is one of: .*list"):
        event_of("contacts", "lst")


def test_without_a_running_stack_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="make run"):
        running_environments(tmp_path)


def test_a_container_is_told_this_machine_by_the_name_that_it_knows_and_secrets_by_their_place_in_a_layer() -> None:
    values = {"REDIS_URL": "redis://127.0.0.1:8406", "PLATFORM_SECRETS_FILE": "/home/ada/.local/platform-secrets.json"}

    assert values_inside(values, "host.docker.internal") == {
        "REDIS_URL": "redis://host.docker.internal:8406",
        "PLATFORM_SECRETS_FILE": "/opt/machine/platform-secrets.json",
    }


def test_a_container_s_template_has_every_function_with_its_routes_and_declares_every_variable() -> None:
    template = read_template(ROOT / "template.yaml")
    environments = {name: {"REDIS_URL": "redis://127.0.0.1:1", "AWS_ENDPOINT_URL": "x"} for name in template.functions}

    resources = container_template(read_document(ROOT / "template.yaml"), environments)["Resources"]

    routes = 0
    for name in template.functions:
        properties = resources[name]["Properties"]
        # The SAM CLI passes on no variable that the template does not declare.
        assert set(properties["Environment"]["Variables"]) == {"REDIS_URL", "AWS_ENDPOINT_URL"}
        routes += len(properties["Events"])
    assert routes == len(template.routes)


def test_a_sample_runs_in_an_environment_of_its_own(tmp_path: Path) -> None:
    function = function_of("docs")
    variables = {
        **function.environment,
        "ORIGIN_SECRET": "",
        "ENVIRONMENT": "local",
        "REDIS_URL": "redis://127.0.0.1:1",
    }

    answer = run_aside(invoke(function, event_of("docs", "openapi"), variables, tmp_path / "log"))

    assert answer["statusCode"] == 200
