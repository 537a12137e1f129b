"""From a queued email to the mail server: once, tried again while there is hope, and told as an event."""

import socket
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.app import handler as contacts
from emails.app import handler as emails
from local.services.mail import CaughtMail, MailCatcher
from penguinmails import smtp_connections
from penguinmails.db import Mode, transaction
from penguinmails.domain import outcomes, sending
from penguinmails.errors import ServiceUnavailable
from penguinmails.settings import get_settings
from send_emails import service
from send_emails.app import handler as send_emails
from sweep_emails.app import handler as sweep_emails
from tests.support.http import call
from tests.support.queues import consume, messages_for, receive, run_job
from tests.support.tenants import TestKey, TestTenant, make_tenant
from tests.support.vaults import AsSender


def queue(key: TestKey, to: str | None = None, **fields: Any) -> str:
    body = {"to": to or f"{uuid4().hex}@example.com", "subject": "Hello", "html_body": "<p>Hello</p>", **fields}
    answer = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body)
    assert answer.status == 200, answer.body
    return answer.json["id"]


def shown(key: TestKey, email_id: str) -> Any:
    return call(emails, "GET", f"/api/v1/emails/{email_id}", token=key.plaintext).json


def history(key: TestKey, email_id: str) -> list[str]:
    return [event["type"] for event in shown(key, email_id)["events"]]


def row(tenant: TestTenant, email_id: str, mode: Mode = "live") -> Any:
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        return tx.one("SELECT row_to_json(e) FROM emails e WHERE id = %(id)s", {"id": UUID(email_id)})


def make_due(tenant: TestTenant) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL", {})


def events(tenant: TestTenant, mode: Mode = "live") -> list[Any]:
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        return tx.all("SELECT data FROM events WHERE type = 'email.sent'", {})


def sweep(tenant: TestTenant) -> list[dict[str, Any]]:
    """What the sweep queues for a tenant whose emails are made due."""
    receive("emails")
    make_due(tenant)
    run_job(sweep_emails)
    return messages_for("emails", tenant.id)


def only_mail(catcher: MailCatcher, recipient: str) -> CaughtMail:
    found = catcher.mails_to(recipient)
    assert len(found) == 1, found
    return found[0]


def test_a_queued_email_reaches_the_mail_server_and_is_told_as_an_event(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, as_sender: AsSender
) -> None:
    to = f"{uuid4().hex}@example.com"
    person = {"email": to, "first_name": "Zoë"}
    contact = call(contacts, "POST", "/api/v1/contacts", token=key.plaintext, json=person).json
    sender = f"grace@{tenant.verified_domain()}"
    fields = {"from": f"Grace <{sender}>", "reply_to": "a@b.example.com", "headers": {"X-Order": "7 ä"}}
    email_id = queue(key, to, subject="Grüße", track_opens=False, **fields)

    with as_sender():
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    mail = only_mail(mail_catcher, to)
    assert (mail.subject, mail.sender) == ("Grüße", sender)
    assert mail.message_id == f"<{UUID(email_id).hex}@penguinmails.com>"
    assert (mail.headers["From"], mail.headers["Reply-To"]) == (fields["from"], "a@b.example.com")
    assert mail.headers["X-Order"] == "7 ä"
    assert (mail.text.strip(), (mail.html or "").strip()) == ("Hello", "<p>Hello</p>")
    email = shown(key, email_id)
    assert (email["status"], email["provider"], email["error"]) == ("sent", "smtp", None)
    assert history(key, email_id) == ["queued", "sent"]
    assert row(tenant, email_id)["next_sweep_at"] is None
    (event,) = events(tenant)
    assert (event["email_id"], event["to"], event["provider"]) == (email_id, to, "smtp")
    assert event["sent_at"] == email["sent_at"]
    assert event["contact"] == {"id": contact["id"], "email": to, "first_name": "Zoë", "last_name": None}
    assert messages_for("events", tenant.id), "the event is announced"


def test_the_accounts_default_sender_is_used_when_none_is_named(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    email_id = queue(key)
    consume(send_emails, *messages_for("emails", tenant.id))

    mail = only_mail(mail_catcher, shown(key, email_id)["to"])
    assert mail.headers["From"] == get_settings().mail_from


def test_a_message_that_comes_twice_sends_one_mail_and_raises_one_event(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    email_id = queue(key)
    (message,) = messages_for("emails", tenant.id)

    assert consume(send_emails, message, message) == []
    assert consume(send_emails, message) == []

    only_mail(mail_catcher, shown(key, email_id)["to"])
    assert len(events(tenant)) == 1
    assert history(key, email_id) == ["queued", "sent"]


def test_test_mode_sends_nothing_and_looks_the_same(tenant: TestTenant, mail_catcher: MailCatcher) -> None:
    key = tenant.key(mode="test")
    email_id = queue(key)

    consume(send_emails, *messages_for("emails", tenant.id))

    email = shown(key, email_id)
    assert (email["status"], email["provider"]) == ("sent", "simulated")
    assert mail_catcher.mails_to(email["to"]) == []
    assert len(events(tenant, "test")) == 1
    assert events(tenant) == []


def test_a_permanent_refusal_is_final(tenant: TestTenant, key: TestKey) -> None:
    email_id = queue(key, f"reject-{uuid4().hex}@example.com")
    consume(send_emails, *messages_for("emails", tenant.id))

    email = shown(key, email_id)
    assert (email["status"], email["error"]) == ("bounced", "550 5.1.1 no such mailbox")
    assert history(key, email_id) == ["queued", "bounced"]
    assert events(tenant) == []
    assert sweep(tenant) == []


def test_a_temporary_refusal_is_tried_again_after_the_planned_delays_and_then_given_up(
    tenant: TestTenant, key: TestKey
) -> None:
    email_id = queue(key, f"tempfail-{uuid4().hex}@example.com")
    (message,) = messages_for("emails", tenant.id)

    delays: list[int] = []
    for attempt in range(1, sending.MAX_ATTEMPTS):
        assert consume(send_emails, message) == []
        assert row(tenant, email_id)["status"] == "queued"
        delays.append(shown(key, email_id)["events"][-1]["data"]["retry_in_seconds"])
        (message,) = sweep(tenant)
        assert message["attempts"] == attempt
    assert consume(send_emails, message) == []

    assert delays == [60, 300, 900, 3_600, 14_400]
    assert shown(key, email_id)["status"] == "failed"
    assert history(key, email_id) == ["queued", *["deferred"] * 5, "failed"]


def test_the_duplicate_of_an_earlier_message_does_not_bring_a_retry_forward(tenant: TestTenant, key: TestKey) -> None:
    email_id = queue(key, f"tempfail-{uuid4().hex}@example.com")
    (message,) = messages_for("emails", tenant.id)

    consume(send_emails, message, message)

    assert row(tenant, email_id)["attempts"] == 1


def test_a_mail_server_that_is_away_costs_one_attempt_and_the_mail_arrives_later(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    email_id = queue(key)
    (message,) = messages_for("emails", tenant.id)

    def refuse(*_arguments: Any, **_options: Any) -> socket.socket:
        raise ConnectionRefusedError

    smtp_connections.close_all()
    with monkeypatch.context() as patched:
        patched.setattr(smtp_connections.socket, "create_connection", refuse)
        assert consume(send_emails, message) == []
    assert "cannot be reached" in row(tenant, email_id)["error"]

    assert consume(send_emails, *sweep(tenant)) == []
    only_mail(mail_catcher, shown(key, email_id)["to"])
    assert history(key, email_id) == ["queued", "deferred", "sent"]


def test_an_email_whose_queue_message_was_lost_is_queued_by_the_sweep(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    email_id = queue(key)
    receive("emails")
    run_job(sweep_emails)
    assert messages_for("emails", tenant.id) == []

    assert consume(send_emails, *sweep(tenant)) == []

    only_mail(mail_catcher, shown(key, email_id)["to"])


def test_an_email_whose_worker_died_before_sending_is_sent_by_another(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    email_id = queue(key)
    (message,) = messages_for("emails", tenant.id)

    class Killed(BaseException):
        """Stands for the end of the process."""

    def die(*_arguments: Any, **_options: Any) -> str:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(service, "send", die)
        consume(send_emails, message)
    assert row(tenant, email_id)["status"] == "sending"
    assert consume(send_emails, message) == []
    assert mail_catcher.mails_to(shown(key, email_id)["to"]) == []

    assert consume(send_emails, *sweep(tenant)) == []
    only_mail(mail_catcher, shown(key, email_id)["to"])


def test_a_worker_that_dies_after_the_server_took_the_mail_is_the_one_way_to_send_twice_under_one_id(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    email_id = queue(key)
    (message,) = messages_for("emails", tenant.id)

    def die(*_arguments: Any, **_facts: Any) -> None:
        raise SystemError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(service, "_sent", die)
        assert len(consume(send_emails, message)) == 1
    assert consume(send_emails, *sweep(tenant)) == []

    mails = mail_catcher.mails_to(shown(key, email_id)["to"])
    assert len(mails) == 2
    assert len({mail.message_id for mail in mails}) == 1
    assert len(events(tenant)) == 1


def test_a_worker_that_loses_the_database_after_the_server_took_the_mail_records_it_once_it_is_back(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    email_id = queue(key)
    sent = service._sent
    pauses: list[float] = []

    def lose_the_database(*arguments: Any) -> None:
        if len(pauses) < 3:
            raise ServiceUnavailable.retry_in(2, "gone")
        sent(*arguments)

    monkeypatch.setattr(outcomes.time, "sleep", pauses.append)
    monkeypatch.setattr(service, "_sent", lose_the_database)
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    assert len(pauses) == 3
    only_mail(mail_catcher, shown(key, email_id)["to"])
    assert len(events(tenant)) == 1


def test_a_worker_whose_database_stays_away_leaves_the_email_to_another(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(key)
    pauses: list[float] = []

    def lose_the_database(*_arguments: Any) -> None:
        raise ServiceUnavailable.retry_in(2, "gone")

    monkeypatch.setattr(outcomes.time, "sleep", pauses.append)
    monkeypatch.setattr(service, "_sent", lose_the_database)

    assert len(consume(send_emails, *messages_for("emails", tenant.id))) == 1
    assert 20 < sum(pauses) < sending.LEASE_SECONDS / 2


def test_an_outcome_that_comes_after_another_worker_took_over_changes_nothing(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    email_id = queue(key)
    (message,) = messages_for("emails", tenant.id)
    send = service.send

    def slow(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(service, "send", send)
        assert consume(send_emails, *sweep(tenant)) == []
        return send(*arguments, **options)

    monkeypatch.setattr(service, "send", slow)

    assert consume(send_emails, message) == []
    assert row(tenant, email_id)["attempts"] == 2
    assert history(key, email_id) == ["queued", "sent"]
    assert len(events(tenant)) == 1


def test_workers_that_die_over_and_over_do_not_send_for_ever(tenant: TestTenant, key: TestKey) -> None:
    email_id = queue(key)
    receive("emails")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET attempts = %(attempts)s", {"attempts": sending.MAX_ATTEMPTS})

    assert consume(send_emails, *sweep(tenant)) == []

    assert (shown(key, email_id)["status"], history(key, email_id)) == ("failed", ["queued", "failed"])


def test_an_address_that_is_suppressed_while_the_email_waits_is_not_written_to(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    email_id = queue(key)
    to = shown(key, email_id)["to"]
    body = {"email": to, "status": "unsubscribed"}
    assert call(contacts, "POST", "/api/v1/contacts", token=key.plaintext, json=body).status == 201

    assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    assert mail_catcher.mails_to(to) == []
    assert (shown(key, email_id)["status"], history(key, email_id)) == ("suppressed", ["queued", "suppressed"])


def test_an_international_domain_is_written_to_in_its_ascii_form(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, as_sender: AsSender
) -> None:
    name = uuid4().hex
    tenant.verified_domain("xn--bcher-kva.de")
    queue(key, f"{name}@straße.de", reply_to="info@bücher.de", **{"from": "Bücher <info@bücher.de>"})

    with as_sender():
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    mail = only_mail(mail_catcher, f"{name}@xn--strae-oqa.de")
    assert mail.sender == "info@xn--bcher-kva.de"
    assert mail.headers["From"] == "Bücher <info@xn--bcher-kva.de>"
    assert mail.headers["Reply-To"] == "info@xn--bcher-kva.de"


def test_a_message_that_is_not_ours_is_reported_alone(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    email_id = queue(key)
    (message,) = messages_for("emails", tenant.id)

    assert len(consume(send_emails, "nonsense", {**message, "email_id": 7}, message)) == 2

    only_mail(mail_catcher, shown(key, email_id)["to"])


def test_a_message_that_names_another_tenants_email_sends_nothing(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    email_id = queue(key)
    (message,) = messages_for("emails", tenant.id)

    assert consume(send_emails, {**message, "tenant_id": str(other_tenant.id)}) == []

    assert mail_catcher.mails_to(shown(key, email_id)["to"]) == []


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    subject=st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), codec="utf-8"), min_size=1, max_size=300),
    value=st.text(st.characters(categories=("L", "N", "P", "S"), codec="utf-8"), min_size=1, max_size=200),
    name=st.text(st.characters(categories=("L", "N"), codec="utf-8"), min_size=1, max_size=40),
)
def test_whatever_is_accepted_can_be_written_as_a_mail(
    as_sender: AsSender, subject: str, value: str, name: str
) -> None:
    tenant = make_tenant()
    key = tenant.key()
    body = {
        "to": f"{uuid4().hex}@example.com",
        "subject": subject,
        "text_body": value,
        "headers": {"X-Note": value},
        "from": f'"{name}" <a@{tenant.verified_domain()}>',
    }
    answer = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body)
    if answer.status == 400:
        return
    with as_sender():
        consume(send_emails, *messages_for("emails", tenant.id))

    assert shown(key, answer.json["id"])["status"] == "sent"
