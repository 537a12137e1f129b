"""Event source mappings and schedules do what Lambda and EventBridge do."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from local import schedules
from local.environments import InvocationError
from local.queues import build_record, done_messages
from local.schedules import next_cron, rate_seconds, run_schedule
from local.template import Schedule
from tests.support.aio import run_aside

MESSAGES = [{"MessageId": name, "ReceiptHandle": f"handle-{name}"} for name in ("a", "b", "c")]


@pytest.mark.parametrize(
    ("answer", "deleted"),
    [
        (None, "abc"),
        ({}, "abc"),
        ({"batchItemFailures": []}, "abc"),
        ({"batchItemFailures": None}, "abc"),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, "ac"),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, ""),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, ""),
        ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, ""),
        ({"batchItemFailures": [{"wrong": "b"}]}, ""),
        ({"batchItemFailures": "nonsense"}, ""),
    ],
)
def test_only_what_was_done_is_deleted(answer: Any, deleted: str) -> None:
    assert "".join(message["MessageId"] for message in done_messages(MESSAGES, answer, partial=True)) == deleted


def test_without_partial_responses_a_batch_succeeds_as_a_whole() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": "b"}]}

    assert done_messages(MESSAGES, answer, partial=False) == MESSAGES


def test_a_record_has_the_shape_of_an_sqs_event() -> None:
    message = {
        "MessageId": "id",
        "ReceiptHandle": "handle",
        "Body": "{}",
        "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
        "Attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "1", "MessageGroupId": "tenant"},
        "MessageAttributes": {"kind": {"StringValue": "x", "DataType": "String"}},
    }

    assert build_record(message, "EventsQueue") == {
        "messageId": "id",
        "receiptHandle": "handle",
        "body": "{}",
        "attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "1", "MessageGroupId": "tenant"},
        "messageAttributes": {
            "kind": {
                "stringValue": "x",
                "binaryValue": None,
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            }
        },
        "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:EventsQueue",
        "awsRegion": "eu-west-1",
    }


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("rate(1 minute)", 60),
        ("rate(5 minutes)", 300),
        ("rate(1 hour)", 3600),
        ("rate(2 days)", 172_800),
        ("cron(x)", None),
    ],
)
def test_a_rate_is_its_seconds(expression: str, seconds: int | None) -> None:
    assert rate_seconds(expression) == seconds


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(15 2 * * ? *)", datetime(2026, 5, 2, 2, 15, tzinfo=UTC)),
        ("cron(0/10 * * * ? *)", datetime(2026, 5, 1, 12, 40, tzinfo=UTC)),
        ("cron(0 12 ? * 2-6 *)", datetime(2026, 5, 4, 12, 0, tzinfo=UTC)),
        ("cron(0 0 1 1,7 ? *)", datetime(2026, 7, 1, 0, 0, tzinfo=UTC)),
    ],
)
def test_a_cron_expression_fires_at_its_next_moment(expression: str, expected: datetime) -> None:
    assert next_cron(expression, datetime(2026, 5, 1, 12, 34, 56, tzinfo=UTC)) == expected


@pytest.mark.parametrize("expression", ["cron(* * * * *)", "cron(61 * * * ? *)", "rate(1 minute)", "cron(a b c d e f)"])
def test_a_malformed_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):
        next_cron(expression, datetime(2026, 5, 1, tzinfo=UTC))


def test_a_schedule_fires_its_payload_again_and_again_also_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(schedules._UNITS, "minute", 0.02)
    fired: list[tuple[str, Any]] = []

    async def invoke(function: str, payload: Any) -> None:
        fired.append((function, payload))
        if len(fired) == 1:
            raise InvocationError({"errorMessage": "the first run fails"})
        if len(fired) == 3:
            raise asyncio.CancelledError

    async def run() -> None:
        with pytest.raises(asyncio.CancelledError):
            await run_schedule(Schedule("SweepFunction", "rate(1 minute)", {"job": "sweep"}), invoke)

    run_aside(run())

    assert fired == [("SweepFunction", {"job": "sweep"})] * 3
