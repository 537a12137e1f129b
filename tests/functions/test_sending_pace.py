"""A plan's emails per second hold when mails are handed over: single ones and campaigns together, whatever has piled up."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from emails.app import handler as emails
from local.services.mail import MailCatcher
from penguinmails.cache import CacheUnavailable, Script
from penguinmails.db import Tx, transaction
from penguinmails.domain import campaign_line, campaign_mails, pace, sweeps
from send_campaign_emails import admission
from send_campaign_emails.app import handler as send_campaign_emails
from send_emails.app import handler as send_emails
from sweep_emails.app import handler as sweep_emails
from tests.support.campaigns import add_contact, ask, mails, plan, started, status_of
from tests.support.http import call
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant, make_tenant

PER_SECOND = 10


@pytest.fixture
def tenant() -> TestTenant:
    """Of a plan with ten emails per second."""
    return make_tenant("starter")


def set_pace(tenant: TestTenant, per_second: int) -> None:
    with transaction(role="jobs") as tx:
        tx.run(
            """
            INSERT INTO tenant_overrides (tenant_id, limits, reason)
            VALUES (%(id)s, jsonb_build_object('send_rate_per_second', %(rate)s::integer), 'test')
            """,
            {"id": tenant.id, "rate": per_second},
        )


def sql(tenant: TestTenant, statement: Any, **params: Any) -> Any:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all(statement, params) if statement.lstrip().startswith("SELECT") else tx.run(statement, params)


def send(key: TestKey, *addresses: str) -> None:
    body = {"to": list(addresses), "subject": "Hello", "text_body": "Hello"}
    assert call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body).status == 200


def some_addresses(number: int) -> list[str]:
    return [f"{uuid4().hex}@example.com" for _ in range(number)]


def waiting(tenant: TestTenant) -> list[Any]:
    return sql(tenant, "SELECT to_jsonb(e) FROM emails e WHERE status = 'queued' ORDER BY paced_until, id")


def turn_comes(tenant: TestTenant, *, seconds_ago: int = 0) -> None:
    """Of all that waits; Redis forgets the slots that were taken until then, as the time has passed."""
    from penguinmails.cache import command

    sql(
        tenant,
        "UPDATE emails SET paced_until = now() - make_interval(secs => %(ago)s) WHERE status = 'queued'",
        ago=seconds_ago,
    )
    command("DEL", f"pace:{{{tenant.id}}}")


def messages_of(tenant: TestTenant) -> list[dict[str, Any]]:
    """Single mails that wait, each with its message."""
    return [
        {"tenant_id": str(tenant.id), "mode": "live", "email_id": mail["id"], "attempts": mail["attempts"]}
        for mail in waiting(tenant)
    ]


def backlog(
    tenant: TestTenant, key: TestKey, recipients: int, size: int = PER_SECOND
) -> tuple[str, list[dict[str, Any]]]:
    """A campaign whose messages are all there at once, as after an hour without senders."""
    for _ in range(recipients):
        add_contact(key)
    campaign_id = started(key)
    plan(tenant)
    planned = [(UUID(mail["id"]), 0) for mail in mails(tenant)]
    assert len(planned) == recipients
    owner = {"tenant_id": str(tenant.id), "mode": "live"}
    return campaign_id, [{**owner, **found} for found in campaign_mails.messages(planned, size)]


# ---- single mails -------------------------------------------------------------------------------------------------------


def take_turns(tenant: TestTenant, number: int) -> None:
    """As that many mails would one by one."""
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        taken, _wait, _free = pace._take(tenant.id, number, pace.rate(tx, tenant.id), ahead=-1)
    assert taken == number


def test_single_mails_over_the_pace_wait_in_the_ledger_for_their_turn_and_none_is_refused(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    set_pace(tenant, 1)
    addresses = some_addresses(5)
    send(key, *addresses)
    began = datetime.now(UTC)

    assert consume(send_emails, *messages_for("emails", tenant.id)) == []
    reached = [address for address in addresses if mail_catcher.mails_to(address)]
    assert 1 <= len(reached) <= 3 + (datetime.now(UTC) - began).total_seconds()
    assert len(waiting(tenant)) == len(addresses) - len(reached)
    assert all(mail["paced_until"] < mail["next_sweep_at"] and mail["attempts"] == 0 for mail in waiting(tenant))

    turn_comes(tenant)
    assert consume(send_emails, *messages_of(tenant)) == []
    assert all(len(mail_catcher.mails_to(address)) == 1 for address in addresses)


def test_a_mail_says_until_when_it_waits_for_its_turn(tenant: TestTenant, key: TestKey) -> None:
    send(key, *some_addresses(1))
    (mail,) = waiting(tenant)
    turn = datetime.now(UTC) + timedelta(hours=1)

    for paced_until, said in ((None, None), (turn, turn), (turn - timedelta(hours=2), None)):
        sql(tenant, "UPDATE emails SET paced_until = %(at)s WHERE id = %(id)s", at=paced_until, id=mail["id"])
        shown = call(emails, "GET", f"/api/v1/emails/{mail['id']}", token=key.plaintext).json["paced_until"]
        assert (shown and datetime.fromisoformat(shown)) == said


def test_single_mails_that_have_missed_their_turns_do_not_all_leave_at_once(tenant: TestTenant, key: TestKey) -> None:
    set_pace(tenant, 1)
    send(key, *some_addresses(40))
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []
    late = len(waiting(tenant))
    turn_comes(tenant, seconds_ago=3_600)
    began = datetime.now(UTC)

    assert consume(send_emails, *messages_of(tenant)) == []

    # Slots go on coming while the worker is at it.
    assert late - len(waiting(tenant)) <= 3 + (datetime.now(UTC) - began).total_seconds()


def test_a_message_that_comes_twice_takes_no_second_slot_and_sends_nothing_early(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    set_pace(tenant, 1)
    addresses = some_addresses(6)
    send(key, *addresses)
    messages = messages_for("emails", tenant.id)
    assert consume(send_emails, *messages) == []
    turns = [mail["paced_until"] for mail in waiting(tenant)]
    held = [mail for mail in waiting(tenant) if datetime.fromisoformat(mail["paced_until"]) > datetime.now(UTC)]

    sql(tenant, "UPDATE emails SET paced_until = paced_until + interval '1 hour' WHERE status = 'queued'")
    assert consume(send_emails, *messages) == []

    assert len(waiting(tenant)) == len(turns)
    assert not any(mail_catcher.mails_to(mail["to_email"]) for mail in held)


def test_another_attempt_waits_for_its_turn_as_the_first_one_does(tenant: TestTenant, key: TestKey) -> None:
    set_pace(tenant, 1)
    send(key, f"tempfail-{uuid4().hex}@example.com")
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []
    (mail,) = waiting(tenant)
    assert mail["attempts"] == 1
    take_turns(tenant, 300)

    assert consume(send_emails, *messages_of(tenant)) == []

    (mail,) = waiting(tenant)
    assert mail["attempts"] == 1
    assert datetime.fromisoformat(mail["paced_until"]) > datetime.now(UTC) + timedelta(seconds=100)


def test_turns_are_as_far_apart_as_the_pace_says(tenant: TestTenant) -> None:
    set_pace(tenant, 2)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        waits = [pace.seconds_to_wait(tx, tenant.id) for _ in range(40)]

    assert waits[0] == 0
    assert 17 <= waits[-1] <= 20
    assert waits == sorted(waits)


def test_the_sweep_brings_those_whose_turn_is_beyond_what_a_queue_delays(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_pace(tenant, 1)
    take_turns(tenant, pace.LONGEST_DELAY_SECONDS + 60)
    send(key, *some_addresses(1))
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []
    (mail,) = waiting(tenant)
    turn, look = (datetime.fromisoformat(mail[name]) for name in ("paced_until", "next_sweep_at"))
    assert turn - look == timedelta(seconds=120)
    assert messages_for("emails", tenant.id) == []

    sent: list[int] = []
    monkeypatch.setattr(
        sweeps,
        "send_messages",
        lambda _url, found: sent.extend(m.delay_seconds for m in found if m.tenant_id == tenant.id),
    )
    sql(
        tenant,
        "UPDATE emails SET paced_until = now() + interval '100 seconds', next_sweep_at = now() WHERE status = 'queued'",
    )
    run_job(sweep_emails)

    assert [90 <= delay <= 100 for delay in sent] == [True]
    (mail,) = waiting(tenant)
    assert datetime.fromisoformat(mail["next_sweep_at"]) > datetime.now(UTC) + timedelta(seconds=200)


# ---- campaigns ----------------------------------------------------------------------------------------------------------


def test_a_backlog_of_a_campaign_leaves_at_the_pace_and_waits_in_the_ledger(tenant: TestTenant, key: TestKey) -> None:
    set_pace(tenant, 1)
    _, messages = backlog(tenant, key, 40)
    began = datetime.now(UTC)

    assert consume(send_campaign_emails, *messages) == []

    seconds = (datetime.now(UTC) - began).total_seconds()
    left = [mail for mail in mails(tenant) if mail["status"] == "sent"]
    assert 3 <= len(left) <= 3 + seconds
    held = waiting(tenant)
    assert len(held) == 40 - len(left)
    assert {(mail["attempts"], mail["error"]) for mail in held} == {(0, None)}
    turns = [datetime.fromisoformat(mail["paced_until"]) for mail in held]
    assert all(turn > began for turn in turns)
    assert all(later - turn >= timedelta(seconds=0.99) for turn, later in pairwise(turns))
    assert [type_ for type_ in sql(tenant, "SELECT type FROM email_events") if type_ not in {"queued", "sent"}] == []


def test_workers_share_the_pace_and_what_waited_leaves_when_its_turn_comes(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    set_pace(tenant, 1)
    _, messages = backlog(tenant, key, 8, size=4)
    began = datetime.now(UTC)
    for message in messages:
        assert consume(send_campaign_emails, message) == []
    assert 8 - len(waiting(tenant)) <= 3 + (datetime.now(UTC) - began).total_seconds()

    for _ in range(3):
        turn_comes(tenant)
        sql(tenant, "UPDATE emails SET next_sweep_at = now() WHERE status = 'queued'")
        run_job(sweep_emails)
        assert consume(send_campaign_emails, *messages_for("campaign_emails", tenant.id)) == []

    assert [len(mail_catcher.mails_to(mail["to_email"])) for mail in mails(tenant)] == [1] * 8


def test_campaigns_stand_behind_single_mails(tenant: TestTenant, key: TestKey) -> None:
    _, messages = backlog(tenant, key, 5)
    take_turns(tenant, 300 * PER_SECOND)

    assert consume(send_campaign_emails, *messages) == []

    assert len(waiting(tenant)) == 5
    soonest = min(datetime.fromisoformat(mail["paced_until"]) for mail in waiting(tenant))
    assert soonest > datetime.now(UTC) + timedelta(seconds=100)


def test_the_planner_adds_nothing_while_the_line_is_long_and_looks_each_minute(
    tenant: TestTenant, key: TestKey
) -> None:
    campaign_id, messages = backlog(tenant, key, 5)
    take_turns(tenant, 600 * PER_SECOND)
    assert consume(send_campaign_emails, *messages) == []
    late = add_contact(key)
    body = {"contact_ids": [str(late)]}
    assert ask(key, "POST", f"/{campaign_id}/recipients", json=body).status == 200

    assert plan(tenant) == []

    assert len(mails(tenant)) == 5
    (again,) = sql(tenant, "SELECT next_plan_at FROM campaigns")
    assert again <= datetime.now(UTC) + timedelta(seconds=61)
    shown = ask(key, "GET", f"/{campaign_id}/recipients/{late}").json
    assert shown["explanation"].startswith("They are next, and wait: pace.")


def test_a_recipient_whose_mail_waits_is_told_of_the_pace_and_when_it_goes_on(tenant: TestTenant, key: TestKey) -> None:
    campaign_id, messages = backlog(tenant, key, 2)
    take_turns(tenant, 300 * PER_SECOND)
    assert consume(send_campaign_emails, *messages) == []
    mail = waiting(tenant)[0]

    shown = ask(key, "GET", f"/{campaign_id}/recipients/{mail['contact_id']}").json

    turn = datetime.fromisoformat(mail["paced_until"])
    assert (shown["reason"], datetime.fromisoformat(shown["next_email_at"])) == ("pace", turn)
    assert "waits: pace" in shown["explanation"]
    assert f"goes on at {turn.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z" in shown["explanation"]


def test_a_pause_and_a_resume_keep_the_turns(tenant: TestTenant, key: TestKey) -> None:
    campaign_id, messages = backlog(tenant, key, 5)
    take_turns(tenant, 500 * PER_SECOND)
    assert consume(send_campaign_emails, *messages) == []
    before = [(mail["id"], mail["paced_until"], mail["next_sweep_at"]) for mail in waiting(tenant)]

    assert ask(key, "POST", f"/{campaign_id}/pause").status == 200
    assert consume(send_campaign_emails, *messages) == []
    assert ask(key, "POST", f"/{campaign_id}/start").status == 200

    assert [(mail["id"], mail["paced_until"], mail["next_sweep_at"]) for mail in waiting(tenant)] == before
    assert status_of(key, campaign_id) == "active"


def test_a_batch_asks_once_for_its_turns_however_many_mails_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    real = Tx._execute

    def spy(self: Tx, statement: Any, *arguments: Any) -> Any:
        counted.append(statement)
        return real(self, statement, *arguments)

    def statements_for(recipients: int) -> int:
        tenant = make_tenant()
        _, messages = backlog(tenant, tenant.key(), recipients, size=recipients)
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            for _ in range(5_000):
                pace.seconds_to_wait(tx, tenant.id)
        with monkeypatch.context() as patched:
            patched.setattr(Tx, "_execute", spy)
            counted.clear()
            assert consume(send_campaign_emails, *messages) == []
        assert len(waiting(tenant)) == recipients
        return len(counted)

    assert statements_for(1) == statements_for(30)


def test_test_mode_has_no_pace(tenant: TestTenant) -> None:
    key = tenant.key(mode="test")
    for _ in range(40):
        add_contact(key)
    started(key)

    assert consume(send_campaign_emails, *plan(tenant, "test")) == []

    assert {mail["status"] for mail in mails(tenant, "test")} == {"sent"}


def test_without_redis_mails_leave_and_are_counted(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, messages = backlog(tenant, key, 30)
    counted: list[tuple[str, float]] = []

    def away(*_arguments: Any, **_options: Any) -> Any:
        raise CacheUnavailable

    monkeypatch.setattr(Script, "run", away)
    monkeypatch.setattr(pace, "count", lambda name, value=1: counted.append((name, value)))

    assert consume(send_campaign_emails, *messages) == []

    assert {mail["status"] for mail in mails(tenant)} == {"sent"}
    assert {name for name, _ in counted} == {"send_pace_fail_open_total"}
    assert sum(value for _, value in counted) == 30


def test_mails_that_the_pace_lets_wait_are_counted(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, messages = backlog(tenant, key, 60)
    counted: list[float] = []
    monkeypatch.setattr(admission, "count", lambda _name, value=1: counted.append(value))

    assert consume(send_campaign_emails, *messages) == []

    assert sum(counted) == len(waiting(tenant))


def test_turns_of_the_line_come_a_seconds_mails_at_a_time(tenant: TestTenant) -> None:
    now = datetime.now(UTC)
    with transaction(tenant_id=tenant.id) as tx:
        first = campaign_line.join(tx, 25, rate=PER_SECOND, now=now, not_before=now + timedelta(seconds=7))
        second = campaign_line.join(tx, 5, rate=PER_SECOND, now=now, not_before=now)

    assert [(turn - now).total_seconds() for turn in first] == [7.0] * 10 + [8.0] * 10 + [9.0] * 5
    assert {(turn - now).total_seconds() for turn in second} == {9.5}
    assert all(a <= b for a, b in pairwise([*first, *second]))
