"""The sample events of the messaging functions: each one runs, and asks for something that its function knows."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import LambdaContext
from tests.support.tenants import TestKey

EVENTS = Path(__file__).parents[2] / "events"
API = ("emails", "webhooks")
CONSUMERS = ("send_emails", "fan_out_events", "dispatch_webhooks")
JOBS = ("sweep_emails", "sweep_deliveries", "sweep_outbox", "maintain_partitions", "purge_expired")


def samples(*functions: str) -> list[Any]:
    found = [file for function in functions for file in sorted((EVENTS / function).glob("*.json"))]
    return [pytest.param(file, id=f"{file.parent.name}/{file.stem}") for file in found]


def invoke(file: Path, **headers: str) -> Any:
    event = json.loads(file.read_text())
    if headers:
        event["headers"] |= headers
    return import_module(f"{file.parent.name}.app").handler(event, LambdaContext())


@pytest.mark.parametrize("file", samples(*API))
def test_a_sample_request_is_understood_and_needs_a_key_of_yours(file: Path, key: TestKey) -> None:
    assert invoke(file)["statusCode"] == 401

    answer = invoke(file, authorization=f"Bearer {key.plaintext}")

    # The samples name resources that a new account does not have.
    assert answer["statusCode"] in ({404} if file.stem in {"get", "update", "delete"} else {200, 201}), answer["body"]


@pytest.mark.parametrize("file", samples(*CONSUMERS))
def test_a_sample_message_about_something_that_is_gone_is_done(file: Path) -> None:
    assert invoke(file) == {"batchItemFailures": []}


@pytest.mark.parametrize("file", samples(*JOBS))
def test_a_sample_schedule_runs_its_job(file: Path) -> None:
    assert invoke(file)["steps"] >= 1


def test_every_messaging_function_has_a_sample() -> None:
    assert all(list((EVENTS / function).glob("*.json")) for function in (*API, *CONSUMERS, *JOBS))
