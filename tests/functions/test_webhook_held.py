"""What was held for a paused webhook is let go a piece at a time, however much it is."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from fan_out_events.app import handler as fan_out
from penguinmails.db import transaction
from penguinmails.domain import held_deliveries
from penguinmails.domain.deliveries import SWEEP_AFTER_SECONDS
from sweep_deliveries.app import handler as sweep
from tests.support.hooks import deliveries, hook, raise_event, webhook_row, work_off
from tests.support.http import call
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks

PIECE = 2


@pytest.fixture
def held(tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A paused webhook with two pieces and a half."""
    monkeypatch.setattr(held_deliveries, "MOST_DROPPED", PIECE)
    monkeypatch.setattr(held_deliveries, "RELEASED_PER_SECOND", 1)
    monkeypatch.setattr(held_deliveries, "PIECE_SECONDS", PIECE)
    receiver = Receiver()
    webhook_id = hook(key, receiver).id
    ask(key, webhook_id, "pause")
    for _ in range(5):
        raise_event(tenant)
    work_off(tenant)
    yield webhook_id
    receiver.stop()


def ask(key: TestKey, webhook_id: str, what: str, **body: Any) -> None:
    answer = call(webhooks, "POST", f"/api/v1/webhooks/{webhook_id}/{what}", token=key.plaintext, json=body)
    assert answer.status == 200, answer.body


def go_out_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_deliveries, "RELEASED_PER_SECOND", 0.01)
    monkeypatch.setattr(held_deliveries, "PIECE_SECONDS", 100 * PIECE)


def states(tenant: TestTenant) -> Counter[str]:
    return Counter(delivery["status"] for delivery in deliveries(tenant))


def next_piece_is_due(tenant: TestTenant, ago: str = "0 seconds") -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhooks SET held_due_at = clock_timestamp() - %(ago)s::interval", {"ago": ago})


def test_a_resumption_lets_a_piece_go_and_messages_the_others(tenant: TestTenant, key: TestKey, held: str) -> None:
    ask(key, held, "resume")
    seen = [states(tenant)]
    while found := messages_for("events", tenant.id):
        next_piece_is_due(tenant)
        assert consume(fan_out, *[message for message in found if "held_of_webhook_id" in message]) == []
        seen.append(states(tenant))

    assert [state["queued"] for state in seen] == [2, 4, 5]
    assert webhook_row(tenant)["held_due_at"] is None


def test_a_piece_waits_until_the_one_before_is_nearly_out(tenant: TestTenant, key: TestKey, held: str) -> None:
    ask(key, held, "resume")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhooks SET held_due_at = clock_timestamp() + interval '1 minute'", {})

    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    assert states(tenant) == {"queued": 2, "held": 3}


def test_resuming_twice_lets_nothing_go_faster(
    tenant: TestTenant, key: TestKey, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_out_slowly(monkeypatch)
    ask(key, held, "resume")
    ask(key, held, "resume")
    assert states(tenant) == {"queued": 2, "held": 3}

    ask(key, held, "resume", backlog="drop")
    assert states(tenant) == {"queued": 2, "held": 1, "dropped": 2}, "giving up waits for nothing"


def test_the_pace_goes_on_from_piece_to_piece(tenant: TestTenant, key: TestKey, held: str) -> None:
    ask(key, held, "resume")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        due_at = tx.one(
            "UPDATE webhooks SET held_due_at = clock_timestamp() + interval '6 seconds' RETURNING held_due_at", {}
        )
    consume(fan_out, *messages_for("events", tenant.id))

    moments = sorted(d["next_sweep_at"] for d in deliveries(tenant) if d["next_sweep_at"])
    assert datetime.fromisoformat(moments[PIECE]) == due_at + timedelta(seconds=SWEEP_AFTER_SECONDS)


def test_a_piece_whose_message_was_lost_is_made_up_for_by_the_sweep(
    tenant: TestTenant, key: TestKey, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_out_slowly(monkeypatch)
    ask(key, held, "resume")
    messages_for("events", tenant.id)
    next_piece_is_due(tenant, ago="2 minutes")
    run_job(sweep)
    (message,) = messages_for("events", tenant.id)

    assert consume(fan_out, message, message) == []
    assert states(tenant)["held"] == 1, "a message that comes twice makes no further piece"


def test_a_webhook_that_is_paused_again_keeps_the_rest_and_the_next_resumption_decides_about_it(
    tenant: TestTenant, key: TestKey, held: str
) -> None:
    ask(key, held, "resume")
    ask(key, held, "pause")
    next_piece_is_due(tenant, ago="2 minutes")
    run_job(sweep)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    assert states(tenant)["held"] == 3

    ask(key, held, "resume", backlog="drop")
    while found := [message for message in messages_for("events", tenant.id) if "held_of_webhook_id" in message]:
        assert consume(fan_out, *found) == []
    assert states(tenant) == {"dropped": 5}, "what had been let go but was not posted yet is given up too"


def test_what_is_older_than_the_wanted_moment_is_given_up_in_pieces_before_the_rest_goes_out(
    tenant: TestTenant, key: TestKey, held: str
) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        moment = tx.one(
            "SELECT event_created_at::text FROM webhook_deliveries ORDER BY created_at OFFSET 3 LIMIT 1", {}
        )
    ask(key, held, "resume", since=moment.replace(" ", "T") + ":00")
    while found := [message for message in messages_for("events", tenant.id) if "held_of_webhook_id" in message]:
        next_piece_is_due(tenant)
        assert consume(fan_out, *found) == []

    assert states(tenant) == {"dropped": 3, "queued": 2}


def test_giving_up_takes_what_is_in_line_and_what_waits_for_a_retry_but_not_what_is_newer(
    tenant: TestTenant, key: TestKey, held: str
) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        first, second, third, newest, _ = tx.all("SELECT id FROM webhook_deliveries ORDER BY sequence", {})
        tx.run(
            """
            UPDATE webhook_deliveries
            SET status = CASE WHEN id = %(first)s THEN 'queued' WHEN id = %(second)s THEN 'pending_retry' ELSE 'sending' END,
                parked_at = CASE WHEN id = %(first)s THEN now() END,
                next_retry_at = CASE WHEN id = %(second)s THEN now() + interval '1 hour' END, next_sweep_at = now()
            WHERE id IN (%(first)s, %(second)s, %(third)s)
            """,
            {"first": first, "second": second, "third": third},
        )
        since = tx.one("SELECT event_created_at::text FROM webhook_deliveries WHERE id = %(id)s", {"id": newest})
    ask(key, held, "resume", since=since.replace(" ", "T") + ":00")

    found = sorted(deliveries(tenant), key=lambda delivery: delivery["sequence"])
    assert [delivery["status"] for delivery in found[:3]] == ["dropped", "dropped", "sending"]
    assert {(d["parked_at"], d["next_retry_at"], d["next_sweep_at"]) for d in found[:2]} == {(None, None, None)}
    while messages := [message for message in messages_for("events", tenant.id) if "held_of_webhook_id" in message]:
        next_piece_is_due(tenant)
        assert consume(fan_out, *messages) == []
    assert states(tenant) == {"dropped": 2, "sending": 1, "queued": 2}
