"""A process of its own that holds one request half way: `python -m tests.support.slow_request`.

Reads the request from its first line of standard input (JSON: `method`, `path`, and what `http.event` takes), says
`inside` once the contact is about to be written, waits for another line, and prints the status and body of the answer.
"""

import json
import os
import sys
from typing import Any

from moto import mock_aws

from contacts import service
from contacts.app import handler
from tests.support.http import call


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """See the module."""
    write = service.create_contact

    def write_when_told(*arguments: Any, **options: Any) -> Any:
        _say("inside")
        sys.stdin.readline()
        return write(*arguments, **options)

    service.create_contact = write_when_told
    request: dict[str, Any] = json.loads(sys.stdin.readline())
    with mock_aws():
        import boto3

        boto3.client("sqs").create_queue(QueueName=os.environ["EVENTS_QUEUE_URL"].rpartition("/")[2])
        answer = call(handler, request.pop("method"), request.pop("path"), **request)
    _say(json.dumps([answer.status, answer.json]))


if __name__ == "__main__":
    main()
