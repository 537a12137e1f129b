"""Minutes of load while servers, workers and queues fail at random; `make soak`."""

import os
import random
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.load import Load
from tests.support.receiver import Receiver
from tests.support.running_stack import RunningStack

SECONDS = int(os.environ.get("SOAK_SECONDS", "120"))
SEED = int(os.environ.get("SOAK_SEED") or random.randrange(10**6))
PAUSE_SECONDS = 2
pytestmark = [pytest.mark.soak, pytest.mark.timeout(SECONDS + 300)]


@pytest.fixture
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack whose failed messages come again soon."""
    stack = RunningStack(tmp_path_factory.mktemp("soak"), visibility_seconds=10)
    yield stack
    stack.stop()


@pytest.fixture
def key(running: RunningStack) -> str:
    """The API key of a customer of that stack."""
    return running.new_customer()


class Chaos:
    """Breaks one thing after another; counts how many senders died."""

    def __init__(self, running: RunningStack, dice: random.Random) -> None:
        self.running, self.dice = running, dice
        self.senders_killed = 0

    def break_something(self) -> str:
        faults = (
            self.restart_the_database, self.restart_redis, self.lose_the_queues, self.kill_senders, self.kill_dispatchers,
            self.deliver_twice,
        )  # fmt: skip
        fault = self.dice.choice(faults)
        fault()
        return fault.__name__.replace("_", " ")

    def restart_the_database(self) -> None:
        self.running.stack.postgres.stop()
        time.sleep(self.dice.uniform(0, 2))
        self.running.stack.postgres.start()

    def restart_redis(self) -> None:
        self.running.stack.valkey.stop()
        self.running.stack.valkey.start()

    def lose_the_queues(self) -> None:
        self.running.stack.aws.stop()
        self.running.stack.aws.start()
        self.running.on_loop(self.running.stack.create_queues())

    def kill_senders(self) -> None:
        self.senders_killed += self.running.kill("SendEmailsFunction")

    def kill_dispatchers(self) -> None:
        self.running.kill("DispatchWebhooksFunction")

    def deliver_twice(self) -> None:
        self.running.stack.every_message_twice = not self.running.stack.every_message_twice


def test_nothing_that_was_accepted_is_lost_whatever_fails(running: RunningStack, key: str, receiver: Receiver) -> None:
    print(f"\nSOAK_SEED={SEED} SOAK_SECONDS={SECONDS}", flush=True)
    chaos = Chaos(running, random.Random(SEED))
    running.subscribe(key, receiver.url, "contact.created", "email.sent")
    started = time.monotonic()
    with Load(
        lambda: running.ask("POST", "/contacts", key=key, body={"email": f"{uuid4().hex}@example.com"}),
        lambda: running.send_email(key),
        pause_seconds=0.2,
    ) as load:
        while time.monotonic() - started < SECONDS:
            print(f"  {time.monotonic() - started:5.0f} s  {chaos.break_something()}", flush=True)
            time.sleep(PAUSE_SECONDS)
    running.stack.every_message_twice = False
    contacts, emails = load.accepted
    running.let_the_sweeps_make_good()

    stored = running.sql("SELECT id::text FROM contacts WHERE id::text = ANY(%s)", [a.json["id"] for a in contacts])
    times = running.mails_of(emails)
    repeated = sum(count - 1 for count in times.values())
    posted = {post.headers["webhook-id"] for post in receiver.posts}
    refusals = {(answer.status, (answer.json or {}).get("code")) for answer in load.refused}
    print(
        f"  {len(contacts)} contacts, {len(emails)} emails, {repeated} mails repeated by {chaos.senders_killed} killed"
        f" senders, {len(receiver.posts)} posts of {len(posted)} events, {len(load.refused)} refusals {refusals}"
    )
    missing = running.missing_posts(posted)
    assert len(stored) == len(contacts)
    assert min(times.values()) >= 1
    assert repeated <= chaos.senders_killed
    assert set(running.events_of([*times])) == {1}
    assert missing == []
    assert refusals <= {(503, "SERVICE_UNAVAILABLE"), (429, "RATE_LIMIT_EXCEEDED")}
