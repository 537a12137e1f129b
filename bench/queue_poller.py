"""Takes messages off a queue as Lambda's event source mapping does, which AWS runs and no function pays for.

So it speaks SQS' JSON protocol by a plain connection: an SDK would spend as much on each call as a consumer on a message.
"""

import http.client
import json
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from local.queues import build_record, done_messages, headers_of

_TIMEOUT_SECONDS = 30


class QueuePoller:
    """One consumer's polls of one queue."""

    def __init__(self, url_variable: str) -> None:
        """`url_variable` is the environment variable that has the queue's URL."""
        self._url = os.environ[url_variable]
        self._connection = http.client.HTTPConnection(
            urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc, timeout=_TIMEOUT_SECONDS
        )

    def poll(self, handler: Callable[[Any, Any], Any], context: Any, *, most: int, wait_seconds: int = 0) -> bool:
        """Let a handler have a batch of what there is, and delete what it has done; whether there was anything."""
        answer = self._call(
            "ReceiveMessage",
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        messages = answer.get("Messages") or []
        if not messages:
            return False
        answer = handler({"Records": [build_record(message, "Queue") for message in messages]}, context)
        done = [
            {"Id": str(position), "ReceiptHandle": message["ReceiptHandle"]}
            for position, message in enumerate(done_messages(messages, answer, partial=True))
        ]
        if done:
            self._call("DeleteMessageBatch", Entries=done)
        return True

    def _call(self, action: str, **parameters: Any) -> dict[str, Any]:
        headers = headers_of(action, access_key=os.environ["AWS_ACCESS_KEY_ID"])
        self._connection.request("POST", "/", json.dumps({"QueueUrl": self._url, **parameters}), headers)
        response = self._connection.getresponse()
        text = response.read()
        if response.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{action}: {text[:300]!r}")
        return json.loads(text) if text else {}
