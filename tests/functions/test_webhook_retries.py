"""A delivery that fails: when it is tried again, and when no more."""

from typing import Any

import pytest

from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails.aws import MAX_DELAY_SECONDS
from penguinmails.db import transaction
from penguinmails.domain import webhook_retries
from penguinmails.events import outbox
from sweep_deliveries.app import handler as sweep_deliveries
from tests.support.hooks import attempts, deliveries, hook, make_due, raise_event, webhook_row, work_off
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant


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


class _Jitter:
    """In the place of chance: as much as there may be, or none."""

    def __init__(self, share: float) -> None:
        """`share` of the range, 0 to 1."""
        self._share = share

    def uniform(self, low: float, high: float) -> float:
        return low + self._share * (high - low)


@pytest.mark.parametrize(
    ("retry", "share", "seconds", "is_queued"),
    [
        (1, 0, 60, True), (1, 1, 66, True),
        (2, 0, 300, True), (2, 1, 330, True),
        (3, 0, 900, True), (3, 1, 990, False),
        (4, 0, 3_600, False), (4, 1, 3_960, False),
        (5, 0, 86_400, False), (5, 1, 95_040, False),
        (6, 0, 86_400, False), (10, 1, 95_040, False),
    ],
)  # fmt: skip
def test_a_retry_comes_back_by_the_queue_up_to_its_ceiling_and_by_the_sweep_above(  # noqa: PLR0917
    tenant: TestTenant,
    key: TestKey,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    retry: int,
    share: float,
    seconds: int,
    is_queued: bool,
) -> None:
    hook(key, receiver, max_retries=10)
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))
    found = messages_for("deliveries", tenant.id)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            "UPDATE webhook_deliveries SET status = 'pending_retry', attempts = %(n)s, next_retry_at = now()",
            {"n": retry - 1},
        )
    receiver.answers = [(500, {"Retry-After": "100000"})]
    sent: list[int] = []

    def send(_url: str, messages: Any, **_options: Any) -> list[int]:
        sent.extend(message.delay_seconds for message in messages)
        return []

    monkeypatch.setattr(webhook_retries, "_RANDOM", _Jitter(share))
    monkeypatch.setattr(outbox, "send_messages", send)
    assert consume(dispatch, *found) == []

    assert sent == ([min(seconds + 1, MAX_DELAY_SECONDS)] if is_queued else [])
    assert max(sent, default=0) <= MAX_DELAY_SECONDS
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        planned, swept = tx.one(
            """
            SELECT ARRAY[extract(epoch FROM d.next_retry_at - a.attempted_at),
                         extract(epoch FROM d.next_sweep_at - d.next_retry_at)]::float8[]
            FROM webhook_deliveries d JOIN webhook_attempts a ON a.delivery_id = d.id
            """,
            {},
        )
    assert seconds <= planned < seconds + 30
    # The sweep is early enough where it alone brings the retry back, and gives the queue a minute where that does.
    assert abs(swept - (60 if is_queued else 0)) < 1


class Timeline:
    """Time that goes by when it is told to: what is due later comes nearer, and the queue holds messages back until then."""

    def __init__(self, tenant: TestTenant, monkeypatch: pytest.MonkeyPatch) -> None:
        """At second 0."""
        self._tenant = tenant
        self._now = 0
        self._waiting: list[tuple[int, dict[str, Any]]] = []
        monkeypatch.setattr(outbox, "send_messages", self._send)

    def _send(self, _url: str, messages: Any, **_options: Any) -> list[int]:
        self._waiting += [
            (self._now + message.delay_seconds, message.body) for message in messages if "deliveries" in message.body
        ]
        return []

    def go_on(self, seconds: int) -> None:
        """Then the queue delivers and the sweep runs."""
        self._now += seconds
        with transaction(tenant_id=self._tenant.id, mode="live") as tx:
            tx.run(
                """
                UPDATE webhook_deliveries
                SET next_retry_at = next_retry_at - make_interval(secs => %(s)s),
                    next_sweep_at = next_sweep_at - make_interval(secs => %(s)s)
                """,
                {"s": seconds},
            )
        due = [body for moment, body in self._waiting if moment <= self._now]
        self._waiting = [(moment, body) for moment, body in self._waiting if moment > self._now]
        assert consume(dispatch, *due) == []
        run_job(sweep_deliveries)
        assert consume(dispatch, *messages_for("deliveries", self._tenant.id)) == []


@pytest.mark.parametrize("share", [0, 1])
def test_a_delivery_that_always_fails_is_posted_when_each_retry_is_due_and_not_before(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(webhook_retries, "_RANDOM", _Jitter(share))
    hook(key, receiver)
    receiver.answers = [(500, {})] * 6
    raise_event(tenant)
    consume(fan_out, *messages_for("events", tenant.id))
    first = messages_for("deliveries", tenant.id)
    timeline = Timeline(tenant, monkeypatch)
    assert consume(dispatch, *first) == []

    for retry, delay in enumerate((60, 300, 900, 3_600, 86_400), 1):
        due_in = round(delay * (1 + share / 10))
        assert len(receiver.posts) == retry
        timeline.go_on(due_in - 20)
        assert len(receiver.posts) == retry, f"retry {retry} came early"
        timeline.go_on(25)
        assert len(receiver.posts) == retry + 1, f"retry {retry} did not come"
    assert deliveries(tenant)[0]["status"] == "failed"
    timeline.go_on(10 * 86_400)
    assert len(receiver.posts) == 6


@pytest.mark.parametrize(("status", "is_floor"), [(429, True), (503, True), (500, False), (408, False)])
def test_retry_after_counts_where_it_means_come_later(
    tenant: TestTenant, key: TestKey, receiver: Receiver, status: int, is_floor: bool
) -> None:
    hook(key, receiver)
    receiver.answers = [(status, {"Retry-After": "2000"})]
    raise_event(tenant)
    work_off(tenant)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        delay = tx.one(
            "SELECT extract(epoch FROM next_retry_at - clock_timestamp())::float8 FROM webhook_deliveries", {}
        )
    assert (delay > 1_990) == is_floor


def test_a_retry_after_that_is_sooner_than_the_table_changes_nothing(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    receiver.answers = [(429, {"Retry-After": "1"})]
    raise_event(tenant)
    work_off(tenant)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        delay = tx.one(
            "SELECT extract(epoch FROM next_retry_at - clock_timestamp())::float8 FROM webhook_deliveries", {}
        )
    assert 55 <= delay <= 67
