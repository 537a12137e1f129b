"""Servers, workers and queues fail in mid-work: nothing that was answered 2xx is lost, and nothing comes twice."""

from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest

from local.services.mail import CaughtMail
from tests.support.load import Load
from tests.support.receiver import Receiver
from tests.support.running_stack import RunningStack

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]


@pytest.fixture(autouse=True)
def mended(running: RunningStack) -> Iterator[None]:
    """Each test finds and leaves the stack whole and idle."""
    running.until_idle()
    yield
    running.stack.every_message_twice = False
    running.mail.before_answer = lambda _mail: None
    running.let_the_sweeps_make_good()


def test_a_database_restart_in_mid_load_loses_nothing_and_sends_nothing_twice(running: RunningStack, key: str) -> None:
    with Load(
        lambda: running.ask("POST", "/contacts", key=key, body={"email": f"{uuid4().hex}@example.com"}),
        lambda: running.send_email(key),
    ) as load:
        load.until_accepted(20)
        running.stack.postgres.stop()
        load.until_refused(8)
        running.stack.postgres.start()
        load.until_accepted(20)
    contacts, emails = load.accepted

    for refusal in load.refused:
        assert (refusal.status, refusal.json["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert refusal.headers["content-type"] == "application/problem+json"
        assert int(refusal.headers["retry-after"]) > 0
    stored = running.sql("SELECT id::text FROM contacts WHERE id::text = ANY(%s)", [a.json["id"] for a in contacts])
    assert len(stored) == len(contacts)
    running.let_the_sweeps_make_good()
    assert set(running.mails_of(emails).values()) == {1}
    assert set(running.events_of([answer.json["id"] for answer in emails])) == {1}


def test_a_worker_killed_after_the_mail_server_took_the_mail_sends_it_once_more_under_the_same_id(
    running: RunningStack, key: str
) -> None:
    killed: list[int] = []

    def kill_once(_mail: CaughtMail) -> None:
        if not killed:
            killed.append(running.kill("SendEmailsFunction"))

    running.mail.before_answer = kill_once
    answer = running.send_email(key)
    running.until("the worker is killed", lambda: killed)
    running.let_the_sweeps_make_good()

    assert running.mails_of([answer]) == {answer.json["id"]: 2}
    assert running.events_of([answer.json["id"]]) == [1]
    assert running.ask("GET", f"/emails/{answer.json['id']}", key=key).json["status"] == "sent"


def test_workers_killed_at_random_lose_nothing_and_repeat_at_most_what_each_had_in_hand(
    running: RunningStack, key: str
) -> None:
    killed: list[int] = []
    # The mail server's thread sees mails of all workers, so each kill meets the others at whatever they are doing.
    caught: list[CaughtMail] = []

    def kill_each_tenth(mail: CaughtMail) -> None:
        caught.append(mail)
        if len(caught) % 10 == 0 and len(killed) < 3:
            killed.append(running.kill("SendEmailsFunction"))

    running.mail.before_answer = kill_each_tenth
    answers = [running.send_email(key) for _ in range(40)]
    running.let_the_sweeps_make_good()
    times = running.mails_of(answers)

    assert killed
    assert min(times.values()) >= 1
    assert sum(count - 1 for count in times.values()) <= sum(killed)
    assert set(running.events_of(list(times))) == {1}


def test_a_dispatcher_killed_in_mid_post_delivers_again_under_the_same_event_id(
    running: RunningStack, key: str, receiver: Receiver
) -> None:
    webhook = running.subscribe(key, receiver.url, "contact.created")
    receiver.delay_seconds = 1
    running.ask("POST", "/contacts", key=key, body={"email": f"{uuid4().hex}@example.com"})
    running.until("the first post has come", lambda: receiver.posts)
    running.kill("DispatchWebhooksFunction")
    receiver.delay_seconds = 0
    running.let_the_sweeps_make_good()
    running.ask("DELETE", f"/webhooks/{webhook}", key=key)

    assert len(receiver.posts) == 2
    first, second = receiver.posts
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_messages_that_are_all_delivered_twice_make_no_second_mail_and_no_second_delivery(
    running: RunningStack, key: str, receiver: Receiver
) -> None:
    webhook = running.subscribe(key, receiver.url, "email.sent", "contact.created")
    running.stack.every_message_twice = True
    answers = [running.send_email(key) for _ in range(10)]
    for _ in range(10):
        running.ask("POST", "/contacts", key=key, body={"email": f"{uuid4().hex}@example.com"})
    running.until("all deliveries have come", lambda: len(receiver.posts) >= 20)
    running.let_the_sweeps_make_good()
    running.ask("DELETE", f"/webhooks/{webhook}", key=key)

    assert set(running.mails_of(answers).values()) == {1}
    deliveries = Counter(post.headers["webhook-id"] for post in receiver.posts)
    assert (len(deliveries), set(deliveries.values())) == (20, {1})


def test_while_redis_is_away_requests_are_served_from_the_database_with_an_alarm_and_limits_come_back_with_it(
    running: RunningStack, key: str
) -> None:
    before = running.ask("GET", "/contacts", key=key)
    running.stack.valkey.stop()
    try:
        away = [running.ask("GET", "/contacts", key=key) for _ in range(3)]
        unknown = running.ask("GET", "/contacts", key="pm_live_" + "a" * 32)
    finally:
        running.stack.valkey.start()
    after = running.until("the shared bucket counts again", lambda: _counts_down(running, key))

    assert before.status == 200
    assert [answer.status for answer in away] == [200, 200, 200]
    assert unknown.status == 401
    assert "rate_limit_fail_open" in running.logs("contacts")
    assert after


def _counts_down(running: RunningStack, key: str) -> bool:
    """Whether requests of several processes take from one bucket; a process's own holds a tenth of it."""
    first, second = (running.ask("GET", "/contacts", key=key) for _ in range(2))
    remaining = [int(answer.headers["x-ratelimit-remaining"]) for answer in (first, second)]
    return remaining[1] < remaining[0] and remaining[0] > 200


def test_what_was_accepted_while_the_queues_were_away_is_done_once_they_are_back(
    running: RunningStack, key: str, receiver: Receiver
) -> None:
    webhook = running.subscribe(key, receiver.url, "contact.created", "email.sent")
    with Load(
        lambda: running.ask("POST", "/contacts", key=key, body={"email": f"{uuid4().hex}@example.com"}),
        lambda: running.send_email(key),
    ) as load:
        load.until_accepted(8)
        running.stack.aws.stop()
        load.until_accepted(8)
        running.stack.aws.start()
        running.on_loop(running.stack.create_queues())
        load.until_accepted(8)
    contacts, emails = load.accepted
    running.let_the_sweeps_make_good()
    running.ask("DELETE", f"/webhooks/{webhook}", key=key)

    assert load.refused == []
    assert set(running.mails_of(emails).values()) == {1}
    posted = {post.headers["webhook-id"] for post in receiver.posts}
    assert len(posted) == len(contacts) + len(emails)
