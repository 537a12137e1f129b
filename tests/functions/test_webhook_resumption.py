"""A resumption: at which pace what was held goes out, what may be asked for, and what it leaves as it is."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails import clock
from penguinmails.db import transaction
from penguinmails.domain import held_deliveries
from penguinmails.events import outbox
from sweep_deliveries.app import handler as sweep
from tests.support.hooks import deliveries, hook, make_due, raise_event, webhook_row, work_off
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler


def ask(key: TestKey, webhook_id: str, what: str, **body: Any) -> Answer:
    return call(handler, "POST", f"/api/v1/webhooks/{webhook_id}/{what}", token=key.plaintext, json=body)


def paused_with_held(tenant: TestTenant, key: TestKey, receiver: Receiver, number: int) -> str:
    webhook_id = hook(key, receiver).id
    assert ask(key, webhook_id, "pause").status == 200
    for _ in range(number):
        raise_event(tenant)
    work_off(tenant)
    return webhook_id


def states(tenant: TestTenant) -> list[str]:
    return [delivery["status"] for delivery in deliveries(tenant)]


class Seconds:
    """Seconds that pass when they are told to; the queues hand out what they were given when its delay is over."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """At second 0."""
        self._begin, self._passed = clock.now(), 0
        self._waiting: list[tuple[int, dict[str, Any]]] = []
        monkeypatch.setattr(clock, "now", self._now)
        monkeypatch.setattr(outbox, "send_messages", self._take)

    def _now(self) -> datetime:
        return self._begin + timedelta(seconds=self._passed)

    def _take(self, _url: str, messages: Any, **_options: Any) -> list[int]:
        self._waiting += [(self._passed + message.delay_seconds, message.body) for message in messages]
        return []

    def work_off(self) -> None:
        """What is due."""
        while due := [body for moment, body in self._waiting if moment <= self._passed]:
            self._waiting = [found for found in self._waiting if found[0] > self._passed]
            for consumer, name in ((fan_out, "held_of_webhook_id"), (dispatch, "deliveries")):
                assert consume(consumer, *(body for body in due if name in body)) == []

    def pass_by(self, number: int, after_each: Callable[[], None] = lambda: None) -> None:
        """One after the other, the one that has just begun first."""
        for _ in range(number):
            self.work_off()
            after_each()
            self._passed += 1

    def coming(self) -> list[tuple[int, int]]:
        """How many deliveries the messages that wait name, by when they are handed out."""
        return sorted((moment, len(body["deliveries"])) for moment, body in self._waiting if "deliveries" in body)


def paced(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    """Two deliveries go out in each, and three seconds are a piece."""
    monkeypatch.setattr(held_deliveries, "RELEASED_PER_SECOND", 2)
    monkeypatch.setattr(held_deliveries, "PIECE_SECONDS", 3)
    monkeypatch.setattr(held_deliveries, "_EARLY_SECONDS", 1)
    return Seconds(monkeypatch)


def test_what_was_held_goes_out_at_once_and_at_an_even_pace_the_oldest_first(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id = paused_with_held(tenant, key, receiver, 11)
    seconds = paced(monkeypatch)
    posted = list[int]()

    ask(key, webhook_id, "resume")
    assert seconds.coming() == [(0, 2), (1, 2), (2, 2)], "one message for each second of a piece"
    seconds.pass_by(9, lambda: posted.append(len(receiver.posts)))

    assert posted == [2, 4, 6, 8, 10, 11, 11, 11, 11]
    sequences = [int(post.headers["x-penguinmails-sequence"]) for post in receiver.posts]
    assert [sorted(sequences[at : at + 2]) for at in range(0, 11, 2)] == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11]]


def test_a_pause_holds_again_what_has_not_gone_out_and_nothing_of_it_is_posted(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id = paused_with_held(tenant, key, receiver, 5)
    seconds = paced(monkeypatch)

    ask(key, webhook_id, "resume")
    seconds.pass_by(1)
    ask(key, webhook_id, "pause")
    seconds.pass_by(5)

    assert len(receiver.posts) == 2
    assert Counter(states(tenant)) == {"success": 2, "held": 3}
    ask(key, webhook_id, "resume")
    seconds.pass_by(3)
    assert states(tenant) == ["success"] * 5


def test_what_went_out_by_messages_that_were_lost_is_taken_up_by_the_sweep(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id = paused_with_held(tenant, key, receiver, 5)
    paced(monkeypatch)
    ask(key, webhook_id, "resume")
    assert states(tenant) == ["queued"] * 5

    make_due(tenant)
    run_job(sweep)
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []

    assert states(tenant) == ["success"] * 5


def test_dropping_all_and_delivering_since_a_moment_cannot_both_be_asked_for(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook_id = paused_with_held(tenant, key, receiver, 2)

    answer = ask(key, webhook_id, "resume", backlog="drop", since="2026-01-01T00:00:00Z")

    assert (answer.status, [error["field"] for error in answer.json["errors"]]) == (400, ["since"])
    assert '{"since": "..."}' in answer.json["detail"]
    assert '{"backlog": "drop"}' in answer.json["detail"]
    assert (states(tenant), webhook_row(tenant)["is_active"]) == (["held"] * 2, False), "nothing was done"


def test_a_moment_that_has_not_come_is_no_way_to_give_up_all(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook_id = paused_with_held(tenant, key, receiver, 2)

    answer = ask(key, webhook_id, "resume", since=(clock.now() + timedelta(days=365)).isoformat())

    assert (answer.status, [error["field"] for error in answer.json["errors"]]) == (400, ["since"])
    assert (states(tenant), webhook_row(tenant)["is_active"]) == (["held"] * 2, False)


def test_resuming_an_active_webhook_changes_nothing_of_its_health(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook_id = hook(key, receiver).id
    receiver.answers = [(500, {})] * 3
    for _ in range(3):
        raise_event(tenant)
        work_off(tenant)
    before = webhook_row(tenant)
    assert before["is_failing"]

    answer = ask(key, webhook_id, "resume")

    assert (answer.status, answer.json["status"]) == (200, "failing")
    assert webhook_row(tenant) == before
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.all("SELECT type FROM events WHERE type = 'webhook.resumed'", {}) == []
