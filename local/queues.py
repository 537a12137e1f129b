"""SQS event source mappings: polls queues into batches, invokes consumers, deletes what they have done.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any

import aiohttp

from local.environments import InvocationError
from local.template import REGION, Queue, QueueMapping, queue_arn

Invoke = Callable[[str, Any], Awaitable[Any]]
_WAIT_SECONDS = 10
_MOST_AT_ONCE = 10
_LONGEST_WAIT_SECONDS = 20
"""SQS' limits: messages per call, and seconds that one call waits."""
_DRAIN_SECONDS = 5


def headers_of(action: str, *, access_key: str) -> dict[str, str]:
    """Those of a call by SQS' JSON protocol, to an emulator, which reads who calls and checks no signature."""
    return {
        "X-Amz-Target": f"AmazonSQS.{action}",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/20260101/{REGION}/sqs/aws4_request",
    }


class Sqs:
    """SQS' JSON protocol, the few calls that are needed."""

    def __init__(self, endpoint: str, session: aiohttp.ClientSession) -> None:
        """`endpoint` is the emulator's address."""
        self._endpoint = endpoint
        self._session = session

    async def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        """One call; raises ClientError with SQS' own words."""
        headers = headers_of(action, access_key="local")
        async with self._session.post(self._endpoint, data=json.dumps(parameters), headers=headers) as response:
            text = await response.text()
            if response.status >= 400:
                raise aiohttp.ClientError(f"{action}: {text[:300]}")
            return json.loads(text) if text else {}

    async def create(self, queue: Queue) -> str:
        """Create a queue as the template describes it, or make one that is there like that; its URL."""
        attributes = {
            "VisibilityTimeout": str(queue.visibility_seconds),
            "MessageRetentionPeriod": str(queue.retention_seconds),
        }
        if queue.dead_letter:
            attributes["RedrivePolicy"] = json.dumps(
                {"deadLetterTargetArn": queue_arn(queue.dead_letter), "maxReceiveCount": queue.max_receives}
            )
        try:
            answer = await self.call("CreateQueue", QueueName=queue.name, Attributes=attributes)
        except aiohttp.ClientError as error:
            if "QueueNameExists" not in str(error):
                raise
            answer = await self.call("GetQueueUrl", QueueName=queue.name)
            await self.call("SetQueueAttributes", QueueUrl=answer["QueueUrl"], Attributes=attributes)
        return answer["QueueUrl"]


def build_record(message: dict[str, Any], queue: str) -> dict[str, Any]:
    """One record of an SQS event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: {
                "stringValue": value.get("StringValue"),
                "binaryValue": value.get("BinaryValue"),
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": value["DataType"],
            }
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn(queue),
        "awsRegion": REGION,
    }


def done_messages(messages: list[dict[str, Any]], answer: Any, *, partial: bool) -> list[dict[str, Any]]:
    """Which messages of a batch to delete. An answer that cannot be understood means that the whole batch failed."""
    if not partial:
        return messages
    if answer is None or answer == {}:
        return messages
    failures = answer.get("batchItemFailures", []) if isinstance(answer, dict) else None
    if failures is None:
        return messages
    if not isinstance(failures, list):
        return []
    failed: set[str] = set()
    known = {message["MessageId"] for message in messages}
    for failure in failures:
        identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
        if not identifier or identifier not in known:
            return []
        failed.add(identifier)
    return [message for message in messages if message["MessageId"] not in failed]


class Poller:
    """One event source mapping at work."""

    def __init__(self, mapping: QueueMapping, queue_url: str, sqs: Sqs, invoke: Invoke) -> None:
        """`invoke` runs a function by its name."""
        self._mapping = mapping
        self._url = queue_url
        self._sqs = sqs
        self._invoke = invoke
        self._slots = asyncio.Semaphore(mapping.max_concurrency)
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Poll until cancelled; a queue that cannot be reached is tried again each second."""
        try:
            await self._poll()
        finally:
            # What has been handed to a function is finished, so that a stop sends no mail twice.
            if self._running:
                await asyncio.wait(self._running, timeout=_DRAIN_SECONDS)

    async def _poll(self) -> None:
        while True:
            await self._slots.acquire()
            try:
                messages = await self._collect()
            except (aiohttp.ClientError, TimeoutError, OSError):
                messages = []
                await asyncio.sleep(1)
            if not messages:
                self._slots.release()
                continue
            task = asyncio.create_task(self._handle(messages))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _collect(self) -> list[dict[str, Any]]:
        """A batch: at once what there is, or what comes within the window when there is one."""
        messages = await self._receive(self._mapping.batch_size, _WAIT_SECONDS)
        if not messages:
            return []
        deadline = asyncio.get_running_loop().time() + self._mapping.window_seconds
        while len(messages) < self._mapping.batch_size:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            # SQS waits whole seconds; rounded up, so that the rest of a second is not spent in empty calls.
            wait = min(_LONGEST_WAIT_SECONDS, ceil(left))
            try:
                messages += await self._receive(self._mapping.batch_size - len(messages), wait)
            except (aiohttp.ClientError, TimeoutError, OSError):
                break
        return messages

    async def _receive(self, wanted: int, wait_seconds: int) -> list[dict[str, Any]]:
        answer = await self._sqs.call(
            "ReceiveMessage",
            QueueUrl=self._url,
            MaxNumberOfMessages=min(wanted, _MOST_AT_ONCE),
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages") or []

    async def _handle(self, messages: list[dict[str, Any]]) -> None:
        try:
            event = {"Records": [build_record(message, self._mapping.queue) for message in messages]}
            try:
                answer = await self._invoke(self._mapping.function, event)
            except InvocationError:
                return
            done = done_messages(messages, answer, partial=self._mapping.partial_failures)
            for start in range(0, len(done), _MOST_AT_ONCE):
                entries = [
                    {"Id": str(position), "ReceiptHandle": message["ReceiptHandle"]}
                    for position, message in enumerate(done[start : start + _MOST_AT_ONCE])
                ]
                await self._sqs.call("DeleteMessageBatch", QueueUrl=self._url, Entries=entries)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return  # not deleted: the messages come again after their visibility time
        finally:
            self._slots.release()
