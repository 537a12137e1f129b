"""What one request caused can be followed across queues."""

import json
from typing import Any

import pytest

from penguinmails.db import transaction
from penguinmails.events import outbox
from penguinmails.logging import logger
from penguinmails.queue import Record, queue_handler
from penguinmails.tracing import carried, end, start, traced
from tests.support.http import LambdaContext
from tests.support.tenants import TestTenant


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the spans write."""
    written: list[dict[str, Any]] = []
    monkeypatch.setattr(logger, "info", lambda message, *, extra: written.append({"message": message, **extra}))
    return written


def test_a_message_takes_the_context_of_the_work_under_way_along() -> None:
    span = start("POST /api/v1/contacts", "server")

    assert carried() == {"traceparent": f"00-{span.trace_id}-{span.span_id}-01"}

    end()
    assert carried() == {}


def test_work_that_a_message_causes_belongs_to_the_same_trace() -> None:
    sender = start("POST /api/v1/contacts", "server")
    taken = carried()["traceparent"]
    end()

    with traced("fan_out_events", "consumer", traceparent=taken) as receiver:
        assert (receiver.trace_id, receiver.parent_id) == (sender.trace_id, sender.span_id)


@pytest.mark.parametrize("broken", [None, "", "00-1-2-01", 7, "01-" + "a" * 32 + "-" + "b" * 16 + "-01"])
def test_a_message_without_a_readable_context_starts_a_trace(broken: object) -> None:
    with traced("fan_out_events", "consumer", traceparent=broken) as span:
        assert span.parent_id == ""
        assert len(span.trace_id) == 32


def test_a_span_that_raises_says_so(lines: list[dict[str, Any]]) -> None:
    with pytest.raises(LookupError), traced("job", "consumer"):
        raise LookupError

    (line,) = lines
    assert line["message"] == "span"
    assert line["span_status"] == "error"
    assert carried() == {}


def test_what_is_stored_for_a_queue_carries_the_context_of_its_request(tenant: TestTenant) -> None:
    span = start("POST /api/v1/contacts", "server")
    with transaction(tenant_id=tenant.id, mode="test") as tx:
        outbox.enqueue(tx, "events", {"event_id": "1"})
        (stored,) = tx.all("SELECT payload FROM outbox", {})
    end()

    assert stored["traceparent"].startswith(f"00-{span.trace_id}-")


def test_a_record_is_handled_within_the_trace_of_its_message(tenant: TestTenant, lines: list[dict[str, Any]]) -> None:
    seen: list[dict[str, str]] = []

    def handle(_record: Record) -> None:
        seen.append(carried())

    body = {"tenant_id": str(tenant.id), "mode": "test", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    record = {"messageId": "1", "body": json.dumps(body), "attributes": {"ApproximateReceiveCount": "1"}}

    queue_handler(handle)({"Records": [record]}, LambdaContext())

    assert seen[0]["traceparent"].startswith(f"00-{'a' * 32}-")
    (span,) = lines
    assert (span["trace_id"], span["parent_span_id"]) == ("a" * 32, "b" * 16)
