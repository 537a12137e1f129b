"""A post belongs to the trace of what raised its event, also when no message led to it."""

from typing import Any

import pytest

from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails.tracing import end, start
from sweep_deliveries.app import handler as sweep
from tests.support.hooks import hook, make_due, raise_event
from tests.support.http import call
from tests.support.queues import consume, messages_for, receive, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from tests.support.traces import watch_spans
from webhooks.app import handler


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The spans of posts."""
    return watch_spans(monkeypatch, "client")


def raised_in_a_trace(tenant: TestTenant) -> str:
    span = start("POST /api/v1/contacts", "server")
    raise_event(tenant)
    end()
    # With what they carry, which `messages_for` leaves out.
    assert consume(fan_out, *(body for body in receive("events") if body["tenant_id"] == str(tenant.id))) == []
    return span.trace_id


def test_a_retry_that_the_sweep_brings_belongs_to_the_trace_of_the_event(
    tenant: TestTenant, key: TestKey, receiver: Receiver, posts: list[dict[str, Any]]
) -> None:
    hook(key, receiver)
    receiver.answers += [(503, {})]
    trace_id = raised_in_a_trace(tenant)
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []

    make_due(tenant)
    messages_for("deliveries", tenant.id)
    run_job(sweep)
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []

    assert [(span["attempt"], span["trace_id"]) for span in posts] == [(0, trace_id), (1, trace_id)]


def test_what_was_held_belongs_to_the_trace_of_the_event_when_it_goes_out(
    tenant: TestTenant, key: TestKey, receiver: Receiver, posts: list[dict[str, Any]]
) -> None:
    webhook = hook(key, receiver, is_active=False).id
    trace_id = raised_in_a_trace(tenant)

    path = f"/api/v1/webhooks/{webhook}/resume"
    assert call(handler, "POST", path, token=key.plaintext, json={}).status == 200
    make_due(tenant)
    run_job(sweep)
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []

    assert [span["trace_id"] for span in posts] == [trace_id]


def test_requests_whose_events_share_a_batch_keep_their_own_traces_and_tell_them_to_the_receiver(
    tenant: TestTenant, key: TestKey, receiver: Receiver, posts: list[dict[str, Any]]
) -> None:
    hook(key, receiver)
    traces: set[str] = set()
    for _ in range(2):
        traces.add(start("POST /api/v1/contacts", "server").trace_id)
        raise_event(tenant)
        end()

    assert consume(fan_out, *(body for body in receive("events") if body["tenant_id"] == str(tenant.id))) == []
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []

    assert {span["trace_id"] for span in posts} == traces
    told = {post.headers["traceparent"] for post in receiver.posts}
    assert told == {f"00-{span['trace_id']}-{span['span_id']}-01" for span in posts}
