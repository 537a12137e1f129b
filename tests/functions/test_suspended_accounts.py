"""A suspended account sends nothing, whatever was queued before; reinstated, it goes on where it stopped."""

from uuid import uuid4

import pytest

from emails.app import handler as emails
from local.services.mail import MailCatcher
from penguinmails.db import transaction
from plan_campaigns.app import handler as plan_campaigns
from send_campaign_emails.app import handler as send_campaign_emails
from send_emails.app import handler as send_emails
from sweep_emails.app import handler as sweep_emails
from tests.support.campaigns import add_contact, mails, plan, started
from tests.support.http import call
from tests.support.queues import consume, messages_for, receive, run_job
from tests.support.tenants import TestKey, TestTenant


def set_status(tenant: TestTenant, status: str) -> None:
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE tenants SET status = %(status)s", {"status": status})


def make_due(tenant: TestTenant) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL", {})


@pytest.fixture
def queued(key: TestKey) -> str:
    """The recipient of an email that waits."""
    to = f"{uuid4().hex}@example.com"
    body = {"to": to, "subject": "Hello", "text_body": "Hello"}
    assert call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body).status == 200
    return to


def test_a_queued_email_waits_for_the_account(tenant: TestTenant, queued: str, mail_catcher: MailCatcher) -> None:
    message = messages_for("emails", tenant.id)
    set_status(tenant, "suspended")
    assert consume(send_emails, *message) == []
    make_due(tenant)
    run_job(sweep_emails)
    assert messages_for("emails", tenant.id) == []
    assert mail_catcher.mails_to(queued) == []

    set_status(tenant, "active")
    receive("emails")
    make_due(tenant)
    run_job(sweep_emails)
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    assert len(mail_catcher.mails_to(queued)) == 1


def test_a_campaign_plans_and_sends_nothing(tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher) -> None:
    add_contact(key)
    started(key)
    planned = plan(tenant)
    address = mails(tenant)[0]["to_email"]
    set_status(tenant, "suspended")

    assert consume(send_campaign_emails, *planned) == []
    run_job(plan_campaigns)

    assert mail_catcher.mails_to(address) == []
    assert [mail["status"] for mail in mails(tenant)] == ["queued"]
