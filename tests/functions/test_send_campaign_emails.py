"""From a planned batch to the mail server: each mail once, tried again while there is hope, and told as an event."""

import socket
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from contacts.app import handler as contacts_handler
from local.services.mail import MailCatcher
from penguinmails import smtp_connections
from penguinmails.db import transaction
from penguinmails.domain import sending
from penguinmails.settings import get_settings
from send_campaign_emails import by_server, service
from send_campaign_emails.app import handler as send_campaign_emails
from suppression.app import handler as suppression_handler
from sweep_emails.app import handler as sweep_emails
from tests.support.campaigns import EMAIL, NO_LIMIT, add_contact, ask, ledger, mails, plan, started
from tests.support.http import call
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant, make_tenant
from tests.support.vaults import AsSender


class Killed(BaseException):
    """Stands for the end of the process."""


def sweep(tenant: TestTenant) -> list[dict[str, Any]]:
    """What the sweep queues for a tenant whose mails are made due."""
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL", {})
    run_job(sweep_emails)
    return messages_for("campaign_emails", tenant.id)


def history(tenant: TestTenant) -> list[str]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT type FROM email_events ORDER BY occurred_at, id", {})


def events(tenant: TestTenant) -> list[Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT data FROM events WHERE type = 'email.sent'", {})


def test_each_recipient_gets_a_mail_of_their_own(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, as_sender: AsSender
) -> None:
    domain = tenant.verified_domain()
    people = {f"{number}-{tenant.id.hex}@example.com": name for number, name in enumerate(("Ada", "Grace <3", "Zoë"))}
    for address, name in people.items():
        add_contact(key, email=address, first_name=name)
    started(
        key,
        from_email=f"news@{domain}",
        from_name="News",
        reply_to_email="answers@sender.example.com",
        steps=[{**EMAIL, "html_body": "<p>Dear {{ first_name }}</p>"}],
    )

    with as_sender():
        assert consume(send_campaign_emails, *plan(tenant)) == []

    for address, name in people.items():
        (mail,) = mail_catcher.mails_to(address)
        assert (mail.subject, mail.sender) == (f"Hello {name}", f"news@{domain}")
        assert (mail.headers["From"], mail.headers["Reply-To"]) == (
            f"News <news@{domain}>", "answers@sender.example.com",
        )  # fmt: skip
        assert mail.text.replace("\r", "").startswith(
            f"Dear {name}\n\n-- \nTest tenant, 1 Ice Shelf Road, Port Stanley\nUnsubscribe: https://"
        )
        assert (mail.html or "").startswith(f"<p>Dear {name.replace('<', '&lt;')}</p><div")
        assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert history(tenant) == ["queued"] * 3 + ["sent"] * 3
    told = events(tenant)
    assert {(event["to"], event["contact"]["first_name"]) for event in told} == set(people.items())


def test_the_accounts_default_sender_is_used_when_none_is_named(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    add_contact(key)
    started(key)
    consume(send_campaign_emails, *plan(tenant))

    (mail,) = mail_catcher.mails_to(mails(tenant)[0]["to_email"])
    assert mail.headers["From"] == get_settings().mail_from


def test_a_message_that_comes_twice_sends_each_mail_once(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    for _ in range(3):
        add_contact(key)
    started(key)
    (message,) = plan(tenant)

    assert consume(send_campaign_emails, message, message) == []

    assert [len(mail_catcher.mails_to(mail["to_email"])) for mail in mails(tenant)] == [1, 1, 1]
    assert len(events(tenant)) == 3


def test_a_batch_takes_the_same_few_statements_whatever_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from penguinmails.db import Tx

    counted: list[UUID | None] = []
    real = Tx._execute

    def spy(self: Tx, statement: Any, *arguments: Any) -> Any:
        counted.append(self.tenant_id)
        return real(self, statement, *arguments)

    def statements_for(recipients: int) -> tuple[int, int]:
        tenant = make_tenant()
        key = tenant.key()
        for _ in range(recipients):
            add_contact(key)
        started(key)
        with monkeypatch.context() as patched:
            patched.setattr(Tx, "_execute", spy)
            counted.clear()
            messages = plan(tenant)
            planned = counted.count(tenant.id)
            counted.clear()
            assert consume(send_campaign_emails, *messages) == []
            return planned, counted.count(tenant.id)

    assert statements_for(1) == statements_for(30)


def test_one_refusal_bounces_alone_and_its_recipient_leaves(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key, email=f"reject-{tenant.id.hex}@example.com")
    add_contact(key, email=f"fine-{tenant.id.hex}@example.com")
    campaign_id = started(key)

    assert consume(send_campaign_emails, *plan(tenant)) == []

    assert {mail["to_email"].partition("-")[0]: (mail["status"], mail["error"]) for mail in mails(tenant)} == {
        "reject": ("bounced", "550 5.1.1 no such mailbox"),
        "fine": ("sent", None),
    }
    assert {row["email"].partition("-")[0]: (row["status"], row["reason"]) for row in ledger(tenant).values()} == {
        "reject": ("exited", "bounced"),
        "fine": ("completed", None),
    }
    stats = ask(key, "GET", f"/{campaign_id}").json["stats"]
    assert (stats["sent"], stats["delivered"], stats["bounced"]) == (2, 1, 1)
    from analytics.app import handler as analytics

    answer = call(analytics, "GET", f"/api/v1/analytics/campaigns/{campaign_id}", token=tenant.key().plaintext).json
    summary = {name.removeprefix("emails_"): number for name, number in answer["summary"].items()}
    assert {name: summary[name] for name in ("sent", "delivered", "bounced")} == {
        name: stats[name] for name in ("sent", "delivered", "bounced")
    }


def test_a_temporary_refusal_is_tried_again_after_the_planned_delays_and_then_given_up(
    tenant: TestTenant, key: TestKey
) -> None:
    add_contact(key, email=f"tempfail-{tenant.id.hex}@example.com")
    started(key)
    (message,) = plan(tenant)

    for attempt in range(1, sending.MAX_ATTEMPTS):
        assert consume(send_campaign_emails, message) == []
        (mail,) = mails(tenant)
        assert (mail["status"], mail["attempts"]) == ("queued", attempt)
        (message,) = sweep(tenant)
    assert consume(send_campaign_emails, message) == []

    assert history(tenant) == ["queued", *["deferred"] * 5, "failed"]
    assert next(iter(ledger(tenant).values()))["reason"] == "failed"


def test_who_is_suppressed_after_the_plan_is_not_written_to(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    add_contact(key, email=f"out-{tenant.id.hex}@example.com")
    add_contact(key, email=f"in-{tenant.id.hex}@example.com")
    started(key)
    messages = plan(tenant)
    body = {"email": f"out-{tenant.id.hex}@example.com"}
    assert call(suppression_handler, "POST", "/api/v1/suppression-list", token=key.plaintext, json=body).status == 201

    assert consume(send_campaign_emails, *messages) == []

    assert {mail["to_email"].partition("-")[0]: mail["status"] for mail in mails(tenant)} == {
        "out": "suppressed",
        "in": "sent",
    }
    assert mail_catcher.mails_to(body["email"]) == []
    assert ledger(tenant)[body["email"]]["reason"] == "suppressed"


def test_who_is_deleted_after_the_plan_is_not_written_to(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    contact_id = add_contact(key)
    started(key)
    messages = plan(tenant)
    assert call(contacts_handler, "DELETE", f"/api/v1/contacts/{contact_id}", token=key.plaintext).status == 200

    assert consume(send_campaign_emails, *messages) == []

    (mail,) = mails(tenant)
    assert mail["status"] == "cancelled"
    assert mail_catcher.mails_to(mail["to_email"]) == []


def test_a_worker_that_is_killed_before_it_sends_leaves_the_mails_to_another(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        add_contact(key)
    started(key)
    messages = plan(tenant)

    def die(*_arguments: Any) -> str:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(by_server, "send_content", die)
        consume(send_campaign_emails, *messages)
    assert {mail["status"] for mail in mails(tenant)} == {"sending"}
    assert consume(send_campaign_emails, *messages) == []

    assert consume(send_campaign_emails, *sweep(tenant)) == []
    assert [len(mail_catcher.mails_to(mail["to_email"])) for mail in mails(tenant)] == [1, 1, 1]


def test_a_worker_that_is_killed_before_the_record_is_the_one_way_to_send_twice_under_one_id(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        add_contact(key)
    started(key)
    messages = plan(tenant)

    def die(*_arguments: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(service, "_record", die)
        consume(send_campaign_emails, *messages)
    assert consume(send_campaign_emails, *sweep(tenant)) == []

    for mail in mails(tenant):
        caught = mail_catcher.mails_to(mail["to_email"])
        assert [m.message_id for m in caught] == [sending.message_id(UUID(mail["id"]))] * 2
    assert len(events(tenant)) == 2
    assert {row["steps_completed"] for row in ledger(tenant).values()} == {1}


def test_an_outcome_that_comes_after_another_worker_took_over_changes_nothing(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_contact(key)
    started(key)
    messages = plan(tenant)
    real = by_server.send_content

    def slow(*arguments: Any) -> str:
        monkeypatch.setattr(by_server, "send_content", real)
        assert consume(send_campaign_emails, *sweep(tenant)) == []
        return real(*arguments)

    monkeypatch.setattr(by_server, "send_content", slow)
    assert consume(send_campaign_emails, *messages) == []

    assert len(events(tenant)) == 1
    assert history(tenant) == ["queued", "sent"]


def test_a_slow_mail_server_leaves_the_rest_of_the_batch_to_another_worker(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        add_contact(key)
    started(key)
    messages = plan(tenant)
    ticks = iter([0.0, 1.0, 70.0])
    slow = SimpleNamespace(monotonic=lambda: next(ticks, 71.0))
    with monkeypatch.context() as patched:
        patched.setattr(service, "time", slow)
        patched.setattr(by_server, "time", slow)
        assert consume(send_campaign_emails, *messages) == []
    assert sorted(mail["status"] for mail in mails(tenant)) == ["queued", "queued", "sent"]
    assert {mail["attempts"] for mail in mails(tenant) if mail["status"] == "queued"} == {0}

    assert consume(send_campaign_emails, *sweep(tenant)) == []
    assert [len(mail_catcher.mails_to(mail["to_email"])) for mail in mails(tenant)] == [1, 1, 1]


def test_a_mail_server_that_is_away_costs_an_attempt_and_the_mails_arrive_later(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_contact(key)
    started(key)
    messages = plan(tenant)

    def refuse(*_arguments: Any, **_options: Any) -> socket.socket:
        raise ConnectionRefusedError

    smtp_connections.close_all()
    with monkeypatch.context() as patched:
        patched.setattr(smtp_connections.socket, "create_connection", refuse)
        assert consume(send_campaign_emails, *messages) == []
    assert "cannot be reached" in mails(tenant)[0]["error"]

    assert consume(send_campaign_emails, *sweep(tenant)) == []
    assert len(mail_catcher.mails_to(mails(tenant)[0]["to_email"])) == 1


def test_a_message_that_names_another_tenants_mails_sends_nothing(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    add_contact(key)
    started(key)
    (message,) = plan(tenant)

    assert consume(send_campaign_emails, {**message, "tenant_id": str(other_tenant.id)}) == []

    assert mail_catcher.mails_to(mails(tenant)[0]["to_email"]) == []


def test_deleting_a_paused_campaign_gives_up_what_was_planned(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    add_contact(key)
    campaign_id = started(key)
    messages = plan(tenant)
    ask(key, "POST", f"/{campaign_id}/pause")
    assert ask(key, "DELETE", f"/{campaign_id}").status == 200

    assert consume(send_campaign_emails, *messages) == []

    (mail,) = mails(tenant)
    assert (mail["status"], mail["error"]) == ("cancelled", "the campaign was deleted")
    assert mail_catcher.mails_to(mail["to_email"]) == []


def test_taking_a_planned_mail_back_lets_its_recipient_leave(tenant: TestTenant, key: TestKey) -> None:
    from emails.app import handler as emails_handler

    add_contact(key)
    started(key)
    messages = plan(tenant)
    (mail,) = mails(tenant)

    answer = call(emails_handler, "POST", f"/api/v1/emails/{mail['id']}/cancel", token=key.plaintext)

    assert (answer.status, answer.json["status"]) == (200, "cancelled")
    assert consume(send_campaign_emails, *messages) == []
    (row,) = ledger(tenant).values()
    assert (row["status"], row["reason"]) == ("exited", "cancelled")


def test_a_text_part_that_cannot_be_a_template_is_derived_from_each_mail(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    add_contact(key, first_name="Ada")
    settings = {**NO_LIMIT, "unsubscribe_enabled": False, "track_opens": False, "track_clicks": False}
    started(
        key,
        settings=settings,
        steps=[{**EMAIL, "html_body": "<p title='{{ first_name }}'>Hello</p>{# a <b #}<i>you</i>"}],
    )

    assert consume(send_campaign_emails, *plan(tenant)) == []

    (mail,) = mail_catcher.mails_to(mails(tenant)[0]["to_email"])
    assert mail.text.split() == ["Hello", "you"]
    assert "title='Ada'" in (mail.html or "")


def test_a_text_that_is_kept_no_more_fails_its_mail_alone_and_is_stored_anew_for_the_next(
    tenant: TestTenant, key: TestKey
) -> None:
    first, second = add_contact(key), add_contact(key)
    campaign_id = started(key, campaign_type="triggered")
    path = f"/{campaign_id}/recipients"
    assert ask(key, "POST", path, json={"contact_ids": [str(first)]}).status == 200
    messages = plan(tenant)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET content_key = gen_random_uuid()", {})
        tx.run("UPDATE campaign_steps SET content_key = gen_random_uuid()", {})
    assert consume(send_campaign_emails, *messages) == []
    (mail,) = mails(tenant)
    assert (mail["status"], "kept" in mail["error"]) == ("failed", True)

    assert ask(key, "POST", path, json={"contact_ids": [str(second)]}).status == 200
    assert consume(send_campaign_emails, *plan(tenant)) == []
    assert [mail["status"] for mail in mails(tenant)] == ["failed", "sent"]
