"""What was planned is looked at again when it is handed over: consent, answers, windows, days and ends may have come between."""

from datetime import UTC, datetime, timedelta

import pytest

from contacts.app import handler as contacts_handler
from local.services.mail import MailCatcher
from penguinmails.db import transaction
from send_campaign_emails.app import handler as send_campaign_emails
from sweep_emails.app import handler as sweep_emails
from tests.support.campaigns import EMAIL, NO_LIMIT, add_contact, ask, carry_out, ledger, mails, plan, sql, started
from tests.support.http import call
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant

NOW = datetime.now(UTC)
ANSWERED = (
    "INSERT INTO email_events (id, tenant_id, mode, email_id, type, occurred_at)"
    " SELECT gen_random_uuid(), tenant_id, mode, id, 'replied', now() FROM emails WHERE status = 'sent'"
)


def sweep(tenant: TestTenant) -> None:
    """Hand over what waits, as if its time had come."""
    sql(tenant, "UPDATE emails SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL")
    run_job(sweep_emails)
    assert consume(send_campaign_emails, *messages_for("campaign_emails", tenant.id)) == []


def test_what_comes_when_the_window_is_closed_waits_until_it_opens(tenant: TestTenant, key: TestKey) -> None:
    contact_id = add_contact(key)
    campaign_id = started(key)
    messages = plan(tenant)
    closed = {"days": [(NOW + timedelta(days=3)).strftime("%A").lower()]}
    assert ask(key, "PUT", f"/{campaign_id}", json={"settings": {**NO_LIMIT, "sending_window": closed}}).status == 200

    assert consume(send_campaign_emails, *messages) == []

    (mail,) = mails(tenant)
    opening = datetime.fromisoformat(mail["next_sweep_at"])
    assert (mail["status"], mail["attempts"], mail["error"]) == ("queued", 0, None)
    assert (opening - timedelta(seconds=1)).date() >= (NOW + timedelta(days=2)).date()
    explained = ask(key, "GET", f"/{campaign_id}/recipients/{contact_id}").json["explanation"]
    assert "once the sending window opens" in explained
    sweep(tenant)
    assert mails(tenant)[0]["status"] == "queued"

    assert ask(key, "PUT", f"/{campaign_id}", json={"settings": NO_LIMIT}).status == 200
    assert datetime.fromisoformat(mails(tenant)[0]["next_sweep_at"]) <= datetime.now(UTC)
    sweep(tenant)
    assert mails(tenant)[0]["status"] == "sent"


def test_mails_of_yesterday_count_for_today_and_wait_where_todays_limit_is_used(
    tenant: TestTenant, key: TestKey
) -> None:
    for _ in range(4):
        add_contact(key)
    started(key, settings={"daily_limit": 10})
    messages = plan(tenant)
    sql(tenant, "UPDATE emails SET created_at = created_at - interval '1 day'")
    sql(tenant, "UPDATE mailbox_days SET planned = 9")

    assert consume(send_campaign_emails, *messages) == []

    waiting = [mail for mail in mails(tenant) if mail["status"] == "queued"]
    assert len(waiting) == 3
    midnight = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert min(datetime.fromisoformat(mail["next_sweep_at"]) for mail in waiting) >= midnight - timedelta(seconds=5)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT planned FROM mailbox_days", {}) == 10

    sql(tenant, "UPDATE mailbox_days SET day = day - 1")
    sweep(tenant)
    assert {mail["status"] for mail in mails(tenant)} == {"sent"}


def test_who_answers_while_the_next_mail_is_queued_does_not_get_it(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    contact_id = add_contact(key)
    campaign_id = started(key, steps=[EMAIL, EMAIL], settings={**NO_LIMIT, "pause_on_reply": True})
    carry_out(tenant)
    messages = plan(tenant)
    sql(tenant, ANSWERED)

    assert consume(send_campaign_emails, *messages) == []

    assert [mail["status"] for mail in mails(tenant)] == ["sent", "cancelled"]
    assert len(mail_catcher.mails_to(mails(tenant)[0]["to_email"])) == 1
    (row,) = ledger(tenant).values()
    assert (row["status"], row["reason"]) == ("exited", "replied")
    assert "answered" in ask(key, "GET", f"/{campaign_id}/recipients/{contact_id}").json["explanation"]


def test_who_answers_gets_the_next_mail_where_the_campaign_does_not_mind(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    started(key, steps=[EMAIL, EMAIL])
    carry_out(tenant)
    messages = plan(tenant)
    sql(tenant, ANSWERED)

    assert consume(send_campaign_emails, *messages) == []

    assert [mail["status"] for mail in mails(tenant)] == ["sent", "sent"]


def test_a_mail_that_comes_after_the_end_is_not_sent(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    started(key, end_date=(NOW + timedelta(hours=1)).isoformat())
    messages = plan(tenant)
    sql(tenant, "UPDATE campaigns SET end_date = now() - interval '1 second'")

    assert consume(send_campaign_emails, *messages) == []

    assert mails(tenant)[0]["status"] == "cancelled"
    assert next(iter(ledger(tenant).values()))["reason"] == "campaign_ended"


@pytest.mark.parametrize("change", [{"status": "unsubscribed"}, {"status": "unsubscribed", "email": "new@example.com"}])
def test_who_opts_out_after_the_plan_leaves_with_that_reason(
    tenant: TestTenant, key: TestKey, change: dict[str, str]
) -> None:
    contact_id = add_contact(key)
    started(key)
    messages = plan(tenant)
    assert (
        call(contacts_handler, "PUT", f"/api/v1/contacts/{contact_id}", token=key.plaintext, json=change).status == 200
    )

    assert consume(send_campaign_emails, *messages) == []

    assert mails(tenant)[0]["status"] == "suppressed"
    assert next(iter(ledger(tenant).values()))["reason"] == "unsubscribed"
