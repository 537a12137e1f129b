"""One request is followed through queues to the post that it caused."""

import re
import time

import pytest

from local.trace import read_lines, traces_of, tree
from tests.support.receiver import Receiver
from tests.support.running_stack import PATIENCE_SECONDS, RunningStack

pytestmark = pytest.mark.end_to_end


def test_a_request_its_queue_hops_and_its_webhook_are_one_trace(
    running: RunningStack, key: str, receiver: Receiver
) -> None:
    running.subscribe(key, receiver.url, "contact.created")

    answer = running.ask("POST", "/contacts", key=key, body={"email": f"trace{time.time_ns()}@example.com"})

    assert answer.status == 201, answer.json
    request_id = answer.headers["x-request-id"]
    shown = ""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "dispatch_webhooks" not in shown and time.monotonic() < deadline:
        lines = list(read_lines(running.stack.state / "logs"))
        shown = "\n".join(text for trace in traces_of(lines, request_id) for text in tree(lines, trace))
        time.sleep(0.2)
    assert re.search(
        r"^  \+0 ms  POST /api/v1/contacts .*\n"
        r"    \+\d+ ms  fan_out_events .*\n"
        r"      \+\d+ ms  dispatch_webhooks .*status_code=200",
        shown,
        re.MULTILINE,
    ), shown
