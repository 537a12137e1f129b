"""Emails that are made of templates, sent later, or taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from emails.app import handler
from local.services.mail import MailCatcher
from penguinmails.db import transaction
from send_emails import service
from send_emails.app import handler as send_emails
from sweep_emails.app import handler as sweep
from templates.app import handler as templates
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant, make_tenant

EMAILS = "/api/v1/emails"


def template(key: TestKey, **fields: Any) -> str:
    body = {"name": uuid4().hex, "subject": "Hi {{ name }}", "html_body": "<p>Dear {{ name }}</p>", **fields}
    answer = call(templates, "POST", "/api/v1/templates", token=key.plaintext, json=body)
    assert answer.status == 201, answer.body
    return answer.json["id"]


def send(key: TestKey, **fields: Any) -> Answer:
    return call(handler, "POST", f"{EMAILS}/send", token=key.plaintext, json={"to": address(), **fields})


def address() -> str:
    return f"{uuid4().hex}@example.com"


def cancel(key: TestKey, email_id: str) -> Answer:
    return call(handler, "POST", f"{EMAILS}/{email_id}/cancel", token=key.plaintext)


def later(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


def deliver(tenant: TestTenant) -> None:
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []


def test_a_template_is_filled_in_and_sent(tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher) -> None:
    to = address()
    sent = send(key, to=to, template_id=template(key), variables={"name": "Zoë & Co"})
    assert sent.status == 200, sent.body

    deliver(tenant)

    (mail,) = mail_catcher.mails_to(to)
    assert (mail.subject, mail.text.strip()) == ("Hi Zoë & Co", "Dear Zoë & Co")
    assert mail.html is not None
    assert "<p>Dear Zoë &amp; Co</p>" in mail.html


def test_a_missing_value_is_refused_at_once_and_nothing_is_queued(tenant: TestTenant, key: TestKey) -> None:
    answer = send(key, template_id=template(key))

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "variables.name")
    assert messages_for("emails", tenant.id) == []


def test_a_template_of_another_account_or_mode_does_not_exist(tenant: TestTenant, key: TestKey) -> None:
    for other in (make_tenant().key(), tenant.key(mode="test")):
        answer = send(other, template_id=template(key), variables={"name": "x"})
        assert (answer.status, answer.json["errors"][0]["field"]) == (400, "template_id")


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "Hello"},
        {"template_id": str(uuid4()), "subject": "Hello"},
        {"template_id": str(uuid4()), "text_body": "Hello"},
        {"text_body": "Hello"},
        {"subject": "Hello", "text_body": "Hello", "variables": {"a": 1}},
    ],
)
def test_a_message_is_either_written_out_or_a_template(key: TestKey, fields: dict[str, Any]) -> None:
    assert send(key, **fields).status == 400


def test_a_scheduled_email_waits_for_its_time(tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher) -> None:
    to = address()
    queued = send(key, to=to, subject="Later", text_body="x", scheduled_at=later(hours=2)).json
    assert queued["status"] == "scheduled"
    deliver(tenant)
    run_job(sweep)
    deliver(tenant)
    assert mail_catcher.mails_to(to) == []

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET scheduled_at = now(), next_sweep_at = now()", {})
    run_job(sweep)
    deliver(tenant)

    assert [mail.subject for mail in mail_catcher.mails_to(to)] == ["Later"]
    shown = call(handler, "GET", f"{EMAILS}/{queued['id']}", token=key.plaintext).json
    assert [event["type"] for event in shown["events"]] == ["scheduled", "sent"]


@pytest.mark.parametrize("when", [{"hours": -1}, {"days": 400}])
def test_a_moment_that_has_passed_or_is_too_far_away_is_refused(key: TestKey, when: dict[str, float]) -> None:
    answer = send(key, subject="x", text_body="x", scheduled_at=later(**when))

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "scheduled_at")


def test_a_scheduled_email_can_be_taken_back_and_counts_no_longer(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    to = address()
    email = send(key, to=to, subject="x", text_body="x", scheduled_at=later(hours=2)).json["id"]

    cancelled = cancel(key, email)

    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT value FROM usage_counters WHERE metric = 'emails'", {}) == 0
        tx.run("UPDATE emails SET scheduled_at = now()", {})
    run_job(sweep)
    deliver(tenant)
    assert mail_catcher.mails_to(to) == []


def test_a_queued_email_can_be_taken_back_before_a_worker_begins(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    to = address()
    email = send(key, to=to, subject="x", text_body="x").json["id"]

    assert cancel(key, email).status == 200
    deliver(tenant)

    assert mail_catcher.mails_to(to) == []


def test_an_email_that_waits_for_its_next_attempt_can_be_taken_back(tenant: TestTenant, key: TestKey) -> None:
    email = send(key, to=f"tempfail.{uuid4().hex}@example.com", subject="x", text_body="x").json["id"]
    deliver(tenant)

    cancelled = cancel(key, email)

    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    deliver(tenant)
    assert [entry["type"] for entry in cancelled.json["events"]] == ["queued", "deferred", "cancelled"]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT status FROM emails", {}) == "cancelled"


def test_an_email_that_is_being_handed_over_cannot_be_taken_back(tenant: TestTenant, key: TestKey) -> None:
    email = send(key, subject="x", text_body="x").json["id"]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET status = 'sending', attempts = 1", {})

    answer = cancel(key, email)

    assert (answer.status, answer.code) == (409, "INVALID_STATE_TRANSITION")
    assert "being handed over" in answer.json["detail"]


def test_an_email_that_was_taken_back_while_a_slow_worker_had_it_is_sent_when_it_has_left(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    email_id = send(key, subject="x", text_body="x").json["id"]
    hand_over = service.send

    def slow(*arguments: Any, **options: Any) -> Any:
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            tx.run("UPDATE emails SET next_sweep_at = now()", {})
        run_job(sweep)
        assert cancel(key, email_id).status == 200
        return hand_over(*arguments, **options)

    monkeypatch.setattr(service, "send", slow)
    deliver(tenant)

    shown = call(handler, "GET", f"{EMAILS}/{email_id}", token=key.plaintext).json
    assert (shown["status"], [entry["type"] for entry in shown["events"]]) == ("sent", ["queued", "cancelled", "sent"])


def test_what_was_sent_or_taken_back_cannot_be_taken_back(tenant: TestTenant, key: TestKey) -> None:
    email = send(key, subject="x", text_body="x").json["id"]
    deliver(tenant)

    sent = cancel(key, email)

    assert (sent.status, sent.code) == (409, "INVALID_STATE_TRANSITION")
    assert cancel(key, str(uuid4())).status == 404
