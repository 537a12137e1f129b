"""Calls a consumer as Lambda's SQS event source mapping would."""

import json
from typing import Any
from uuid import uuid4

from tests.support.http import Handler, LambdaContext


def sqs_event(*bodies: dict[str, Any] | str, receive_count: int = 1) -> dict[str, Any]:
    """An SQS event of one record per body."""
    return {
        "Records": [
            {
                "messageId": str(uuid4()),
                "receiptHandle": "handle",
                "body": body if isinstance(body, str) else json.dumps(body, default=str),
                "attributes": {"ApproximateReceiveCount": str(receive_count), "SentTimestamp": "1767225600000"},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:test",
                "awsRegion": "eu-west-1",
            }
            for body in bodies
        ]
    }


def consume(handler: Handler, *bodies: dict[str, Any] | str, receive_count: int = 1) -> list[str]:
    """Hand messages to a consumer; the ids of the records that it reported as failed."""
    answer = handler(sqs_event(*bodies, receive_count=receive_count), LambdaContext())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def run_job(handler: Handler) -> dict[str, int]:
    """Fire a scheduled job once."""
    return handler({}, LambdaContext())
