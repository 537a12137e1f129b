"""A delivery that fails: when it is tried again, and when no more."""

from collections.abc import Iterator

import pytest

from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails.db import transaction
from sweep_deliveries.app import handler as sweep_deliveries
from tests.support.hooks import attempts, deliveries, hook, make_due, raise_event, webhook_row, work_off
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.stop()


@pytest.mark.parametrize(("retry", "seconds"), [(1, 60), (2, 300), (3, 900), (4, 3600), (5, 86_400)])
def test_a_failed_delivery_waits_its_documented_delay(
    tenant: TestTenant, key: TestKey, receiver: Receiver, retry: int, seconds: int
) -> None:
    hook(key, receiver)
    receiver.answers = [(500, {})] * retry
    raise_event(tenant)
    work_off(tenant)
    for _ in range(retry - 1):
        make_due(tenant)
        run_job(sweep_deliveries)
        consume(dispatch, *messages_for("deliveries", tenant.id))

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        delay = tx.one(
            "SELECT extract(epoch FROM next_retry_at - clock_timestamp())::float8 FROM webhook_deliveries", {}
        )
    assert seconds - 5 <= delay <= seconds * 1.1 + 1
    assert deliveries(tenant)[0]["status"] == "pending_retry"
    assert [attempt["attempt_number"] for attempt in attempts(tenant)] == list(range(retry))


def test_after_the_last_retry_the_delivery_has_failed(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, max_retries=1)
    receiver.answers = [(500, {}), (500, {})]
    raise_event(tenant)
    work_off(tenant)
    make_due(tenant)
    run_job(sweep_deliveries)
    consume(dispatch, *messages_for("deliveries", tenant.id))

    assert deliveries(tenant)[0]["status"] == "failed"
    assert deliveries(tenant)[0]["next_sweep_at"] is None


def test_without_retries_the_first_failure_is_final(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, retry_enabled=False)
    receiver.answers = [(404, {})]
    raise_event(tenant)

    work_off(tenant)

    assert deliveries(tenant)[0]["status"] == "failed"


def test_a_retry_that_comes_too_early_is_not_attempted(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    receiver.answers = [(500, {})]
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))
    found = messages_for("deliveries", tenant.id)
    consume(dispatch, *found)

    consume(dispatch, *found)

    assert len(receiver.posts) == 1


def test_retry_after_is_a_floor(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    receiver.answers = [(429, {"Retry-After": "700"})]
    raise_event(tenant)
    work_off(tenant)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        delay = tx.one(
            "SELECT extract(epoch FROM next_retry_at - clock_timestamp())::float8 FROM webhook_deliveries", {}
        )
    assert 690 <= delay <= 701


def test_a_redirect_is_a_failure_and_is_not_followed(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    receiver.answers = [(302, {"Location": f"{receiver.url}/elsewhere"})]
    raise_event(tenant)

    work_off(tenant)

    assert [post.path for post in receiver.posts] == ["/hooks"]
    assert deliveries(tenant)[0]["status"] == "pending_retry"


def test_gone_switches_the_webhook_off(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    receiver.answers = [(410, {})]
    raise_event(tenant)

    work_off(tenant)

    assert (webhook_row(tenant)["is_active"], webhook_row(tenant)["paused_reason"]) == (False, "gone")


def test_three_failures_in_a_row_flag_the_webhook_and_a_success_clears_it(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    receiver.answers = [(500, {})] * 3
    for _ in range(3):
        raise_event(tenant)
        work_off(tenant)
    assert (webhook_row(tenant)["is_failing"], webhook_row(tenant)["consecutive_failures"]) == (True, 3)

    raise_event(tenant)
    work_off(tenant)
    assert (webhook_row(tenant)["is_failing"], webhook_row(tenant)["consecutive_failures"]) == (False, 0)


def test_a_slow_answer_is_cut_off_at_the_timeout(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver, timeout_seconds=1)
    receiver.delay_seconds = 1.5
    raise_event(tenant)

    work_off(tenant)

    assert attempts(tenant)[0]["error_message"] == "no complete answer within 1 s"


def test_an_endpoint_that_refuses_connections_is_logged_with_the_reason(tenant: TestTenant, key: TestKey) -> None:
    closed = Receiver()
    closed.stop()
    hook(key, closed)
    raise_event(tenant)

    work_off(tenant)

    assert attempts(tenant)[0]["status_code"] is None
    assert "no connection" in attempts(tenant)[0]["error_message"]


def test_a_delivery_whose_worker_died_is_taken_up_after_its_lease(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))
    lost = messages_for("deliveries", tenant.id)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET status = 'sending', attempts = 1, next_sweep_at = now() + '1 hour'", {})

    consume(dispatch, *lost)
    assert receiver.posts == []

    make_due(tenant)
    run_job(sweep_deliveries)
    consume(dispatch, *messages_for("deliveries", tenant.id))
    assert len(receiver.posts) == 1
