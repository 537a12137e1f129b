"""Calls a consumer as Lambda's SQS event source mapping would."""

import json
import os
from typing import Any
from uuid import UUID, uuid4

from penguinmails import aws
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


def receive(queue: str) -> list[dict[str, Any]]:
    """All messages that wait in a queue, taken off it."""
    sqs, url = aws.client("sqs"), os.environ[f"{queue.upper()}_QUEUE_URL"]
    bodies: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        bodies += [json.loads(message["Body"]) for message in messages]
        taken = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
        assert not sqs.delete_message_batch(QueueUrl=url, Entries=taken).get("Failed")
    return bodies


def messages_for(queue: str, tenant_id: UUID) -> list[dict[str, Any]]:
    """The messages of one tenant without their trace, oldest first; those of other tests are dropped."""
    own = [body for body in receive(queue) if body["tenant_id"] == str(tenant_id)]
    return [{name: value for name, value in body.items() if name != "traceparent"} for body in own]
