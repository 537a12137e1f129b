"""Every sample event under events/ runs through the handler that it is for, with the outcome that is written down."""

import importlib
import json
from base64 import b64decode
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from local.gateway import find_route
from local.template import read_template
from tests.support.http import LambdaContext
from tests.support.people import signed_in
from tests.support.tenants import TestTenant

ROOT = Path(__file__).resolve().parents[1]
EVENTS = ROOT / "events"
EXPECTATIONS: dict[str, dict[str, Any]] = json.loads((EVENTS / "expectations.json").read_text())
SAMPLES = sorted(str(file.relative_to(EVENTS)) for file in EVENTS.glob("*/*.json"))
TEMPLATE = read_template(ROOT / "template.yaml")


def _function_of(sample: str) -> str:
    return sample.partition("/")[0]


def _logical_id(sample: str) -> str:
    return "".join(word.title() for word in _function_of(sample).split("_")) + "Function"


def _event(sample: str) -> dict[str, Any]:
    return json.loads((EVENTS / sample).read_text())


def _credential(caller: str, tenant: TestTenant) -> str:
    return tenant.key(mode="test").plaintext if caller == "api_key" else signed_in(tenant).access_token


def _run(sample: str, tenant: TestTenant) -> Any:
    """Invoke the handler; the credential in the sample is a placeholder and gives way to a real one."""
    event = deepcopy(_event(sample))
    caller = EXPECTATIONS[sample].get("caller")
    if caller:
        event["headers"]["authorization"] = f"Bearer {_credential(caller, tenant)}"
    return importlib.import_module(f"{_function_of(sample)}.app").handler(event, LambdaContext())


def test_every_sample_says_what_it_expects_and_every_expectation_has_its_sample() -> None:
    assert sorted(EXPECTATIONS) == SAMPLES


@pytest.mark.parametrize("sample", [name for name, expected in EXPECTATIONS.items() if "status" in expected])
def test_a_request_gets_its_answer(sample: str, tenant: TestTenant) -> None:
    expected = EXPECTATIONS[sample]

    answer = _run(sample, tenant)

    assert answer["statusCode"] == expected["status"], answer.get("body")
    if "code" in expected:
        body = b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"]
        assert json.loads(body)["code"] == expected["code"]


@pytest.mark.parametrize("sample", [name for name, expected in EXPECTATIONS.items() if "status" in expected])
def test_a_request_is_one_that_the_gateway_would_send_to_this_function(sample: str) -> None:
    event = _event(sample)
    http = event["requestContext"]["http"]
    match = find_route(TEMPLATE.routes, http["method"], event["rawPath"])

    assert match is not None
    assert match.route.function == _logical_id(sample)
    assert event["routeKey"] == event["requestContext"]["routeKey"] == match.route.key
    assert http["path"] == event["rawPath"]
    assert event.get("pathParameters", {}) == match.path_parameters


@pytest.mark.parametrize("sample", [name for name, expected in EXPECTATIONS.items() if "failed" in expected])
def test_a_batch_reports_the_messages_that_failed(sample: str, tenant: TestTenant) -> None:
    answer = _run(sample, tenant)

    assert [f["itemIdentifier"] for f in answer["batchItemFailures"]] == EXPECTATIONS[sample]["failed"]


@pytest.mark.parametrize("sample", [name for name, expected in EXPECTATIONS.items() if "failed" in expected])
def test_a_batch_comes_from_the_queue_that_the_function_consumes(sample: str) -> None:
    consumed = [mapping.queue for mapping in TEMPLATE.mappings if mapping.function == _logical_id(sample)]

    assert {record["eventSourceARN"].rpartition(":")[2] for record in _event(sample)["Records"]} == set(consumed)


@pytest.mark.parametrize("sample", [name for name, expected in EXPECTATIONS.items() if "job" in expected])
def test_a_job_says_how_much_it_did(sample: str, tenant: TestTenant) -> None:
    answer = _run(sample, tenant)

    assert set(answer) == {"steps", "done"}
    assert answer["steps"] >= 1


@pytest.mark.parametrize("sample", [name for name, expected in EXPECTATIONS.items() if "result" in expected])
def test_an_invocation_gets_its_result(sample: str, tenant: TestTenant) -> None:
    assert _run(sample, tenant) == EXPECTATIONS[sample]["result"]
