"""What one request caused can be followed across queues."""

import io
import json
from typing import Any

import pytest

from me.app import handler as me
from penguinmails.db import transaction
from penguinmails.events import outbox
from penguinmails.logging import logger
from penguinmails.queue import Record, queue_handler
from penguinmails.schedule import job_handler
from penguinmails.tracing import carried, end, start, traced
from tests.support.http import LambdaContext, call
from tests.support.tenants import TestKey, TestTenant


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


A, B, ZEROS = "a" * 32, "b" * 16, "0" * 32
BROKEN = [None, "", "00-1-2-01", 7, f"ff-{A}-{B}-01", f"00-{ZEROS}-{B}-01", f"00-{A}-{ZEROS[:16]}-01", f"00-{A}-{B}"]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_message_without_a_readable_context_starts_a_trace(broken: object) -> None:
    with traced("fan_out_events", "consumer", traceparent=broken) as span:
        assert span.parent_id == ""
        assert len(span.trace_id) == 32


def test_a_context_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    with traced("fan_out_events", "consumer", traceparent=f"01-{A}-{B}-01-more") as span:
        assert (span.trace_id, span.parent_id) == (A, B)


def test_a_request_is_linked_to_its_caller_s_trace_and_joins_it_not(caplog: pytest.LogCaptureFixture) -> None:
    answer = call(me, "GET", "/api/v1/me", headers={"traceparent": f"00-{A}-{B}-01"})

    (line,) = [record.__dict__ for record in caplog.records if record.message == "request"]
    assert answer.headers["x-request-id"] == line["request_id"]
    assert (line["caller_trace_id"], line["caller_span_id"]) == (A, B)
    assert line["trace_id"] != A
    assert line["parent_span_id"] == ""


def test_every_line_of_a_request_names_function_request_trace_and_tenant(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    from me import routes

    real = routes.Limit

    def speak(**fields: Any) -> Any:
        logger.warning("in the middle")
        return real(**fields)

    monkeypatch.setattr(routes, "Limit", speak)
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)

    answer = call(me, "GET", "/api/v1/me", token=key.plaintext)
    logger.warning("afterwards")

    middle, request, afterwards = map(json.loads, written.getvalue().splitlines())
    assert (middle["message"], request["message"]) == ("in the middle", "request")
    assert middle["request_id"] == request["request_id"] == answer.headers["x-request-id"]
    assert middle["trace_id"] == request["trace_id"]
    assert middle["tenant_id"] == request["tenant_id"] == str(tenant.id)
    assert middle["function"]
    assert {"request_id", "trace_id", "tenant_id"}.isdisjoint(afterwards)


def test_a_job_is_a_trace_and_what_it_sends_belongs_to_it(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[dict[str, str]] = []

    def step() -> int:
        seen.append(carried())
        return 0

    job_handler("sweep_something", step)({}, LambdaContext())

    (line,) = [record.__dict__ for record in caplog.records if record.message == "job done"]
    assert seen == [{"traceparent": f"00-{line['trace_id']}-{line['span_id']}-01"}]
    assert (line["span"], line["span_kind"], line["span_status"]) == ("sweep_something", "internal", "ok")
    assert carried() == {}


def test_a_job_that_fails_ends_its_span_with_an_error(caplog: pytest.LogCaptureFixture) -> None:
    def step() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        job_handler("sweep_something", step)({}, LambdaContext())

    (line,) = [record.__dict__ for record in caplog.records if record.message == "job failed"]
    assert line["span_status"] == "error"
    assert carried() == {}


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
