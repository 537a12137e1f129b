"""What a sweep puts back into a queue goes on with the trace of the request that caused it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from emails.app import handler as emails
from penguinmails import clock
from penguinmails.db import transaction
from penguinmails.domain.platform_mail import queue_mail
from penguinmails.tracing import end, start
from send_emails.app import handler as send_emails
from send_platform_mail.app import handler as send_platform_mail
from sweep_emails.app import handler as sweep_emails
from sweep_outbox.app import handler as sweep_outbox
from sweep_platform_mail.app import handler as sweep_platform_mail
from tests.support.hooks import raise_event
from tests.support.http import call
from tests.support.queues import consume, receive, run_job
from tests.support.tenants import TestKey, TestTenant
from tests.support.traces import watch_spans


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What consumers wrote about their work."""
    return watch_spans(monkeypatch, "consumer")


def of(tenant: TestTenant, queue: Any) -> list[dict[str, Any]]:
    return [body for body in receive(queue) if body["tenant_id"] == str(tenant.id)]


@pytest.mark.parametrize("is_scheduled", [False, True])
def test_an_email_that_the_sweep_brings_belongs_to_the_trace_of_its_request(
    tenant: TestTenant, key: TestKey, spans: list[dict[str, Any]], *, is_scheduled: bool
) -> None:
    body = {"to": f"{uuid4().hex}@example.com", "subject": "Hello", "html_body": "<p>Hello</p>"}
    later = {"scheduled_at": (clock.now() + timedelta(days=1)).isoformat()} if is_scheduled else {}
    answer = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json={**body, **later})
    assert answer.status == 200, answer.body
    lost = of(tenant, "emails")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        (traceparent,) = tx.all("SELECT traceparent FROM emails", {})
        tx.run("UPDATE emails SET next_sweep_at = now(), scheduled_at = scheduled_at - interval '1 day'", {})
    assert [message["traceparent"] for message in lost] == ([] if is_scheduled else [traceparent])

    run_job(sweep_emails)
    assert consume(send_emails, *of(tenant, "emails")) == []

    assert [(span["span"], span["trace_id"]) for span in spans] == [("send_emails", traceparent.split("-")[1])]


def test_mail_of_the_platform_that_the_sweep_brings_belongs_to_the_trace_of_its_cause(
    tenant: TestTenant, spans: list[dict[str, Any]]
) -> None:
    span = start("POST /api/v1/sessions", "server")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        queue_mail(tx, user_id=tenant.owner_id, mail_type="second_factor_added", dedupe_key=uuid4().hex)
    end()
    of(tenant, "platform_mail")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE mail_outbox SET next_attempt_at = now() - interval '1 hour'", {})

    run_job(sweep_platform_mail)
    assert consume(send_platform_mail, *of(tenant, "platform_mail")) == []

    assert [(found["span"], found["trace_id"]) for found in spans] == [("send_platform_mail", span.trace_id)]


def test_a_message_that_the_outbox_sweep_sends_belongs_to_the_trace_of_its_cause(tenant: TestTenant) -> None:
    span = start("POST /api/v1/contacts", "server")
    raise_event(tenant)
    end()
    of(tenant, "events")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE outbox SET created_at = now() - interval '1 minute'", {})

    run_job(sweep_outbox)

    assert [message["traceparent"] for message in of(tenant, "events")] == [span.traceparent]
