"""The planner within its limits: windows, days, months and paces, and what happens when it or a message is lost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penguinmails.db import transaction
from penguinmails.domain import campaign_line, mailbox_days
from plan_campaigns import batch
from plan_campaigns.app import handler as plan_campaigns
from send_campaign_emails.app import handler as send_campaign_emails
from tests.support.campaigns import (
    EMAIL,
    WAIT,
    add_contact,
    ask,
    carry_out,
    draft,
    ledger,
    mails,
    make_due,
    pass_time,
    plan,
    sql,
    started,
    status_of,
)
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant, make_tenant

NOW = datetime.now(UTC)


def test_nothing_leaves_outside_the_sending_window(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    tomorrow = (NOW + timedelta(days=2)).strftime("%A").lower()
    campaign_id = started(key, settings={"daily_limit": 500, "sending_window": {"days": [tomorrow]}})

    assert plan(tenant) == []
    assert len(ledger(tenant)) == 1

    everyday = {"daily_limit": 500, "sending_window": {"start": "00:00", "end": "24:00"}}
    assert ask(key, "PUT", f"/{campaign_id}", json={"settings": everyday}).status == 200
    assert len(plan(tenant)) == 1


def test_the_daily_limit_of_a_mailbox_holds_for_all_its_campaigns_and_ends_with_the_day(
    tenant: TestTenant, key: TestKey
) -> None:
    for _ in range(14):
        add_contact(key)
    for name in ("One", "Two"):
        started(key, name=name, settings={"daily_limit": 20})

    carry_out(tenant, rounds=2)
    assert len(mails(tenant)) == 20

    pass_time(tenant, days=1)
    carry_out(tenant)
    assert len(mails(tenant)) == 28


def test_the_months_quota_is_used_up_to_the_last_mail_and_not_passed() -> None:
    tenant = make_tenant("starter")
    key = tenant.key()
    for _ in range(5):
        add_contact(key)
    sql(
        tenant,
        "INSERT INTO usage_counters VALUES (%(id)s, 'emails', date_trunc('month', now() AT TIME ZONE 'UTC')::date, 49997)",
        id=tenant.id,
    )
    campaign_id = started(key)

    carry_out(tenant, rounds=2)

    assert len(mails(tenant)) == 3
    assert status_of(key, campaign_id) == "active"


def planned_with_delays(tenant: TestTenant) -> list[tuple[int, int]]:
    """Of each queue message that the planner sends, how many mails it holds and the seconds that it is delayed."""
    sent: list[tuple[int, int]] = []
    real = campaign_line.send_after_commit

    def spy(tx: Any, queue: Any, payloads: Any, **options: Any) -> None:
        sent.extend(zip([len(p["emails"]) for p in payloads], options["delays"], strict=True))
        real(tx, queue, payloads, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(campaign_line, "send_after_commit", spy)
        plan(tenant)
    return sent


def test_mails_leave_in_the_pace_of_the_plan() -> None:
    tenant = make_tenant("starter")
    key = tenant.key()
    for _ in range(25):
        add_contact(key)
    started(key)
    messages_for("campaign_emails", tenant.id)

    assert planned_with_delays(tenant) == [(10, 0), (10, 1), (5, 2)]
    with transaction(tenant_id=tenant.id) as tx:
        ahead = tx.one("SELECT extract(epoch FROM free_from - now()) FROM send_paces", {})
    assert 0 < ahead <= 2.5


def test_no_more_is_planned_than_can_leave_before_the_window_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_tenant("starter")
    key = tenant.key()
    for _ in range(25):
        add_contact(key)
    started(key)
    plan_ends = datetime.now(UTC) + timedelta(seconds=2)
    monkeypatch.setattr(batch.windows, "next_boundary", lambda *_arguments: plan_ends)

    plan(tenant)

    assert len(mails(tenant)) <= 20


def test_a_pace_that_is_far_ahead_plans_nothing_more() -> None:
    tenant = make_tenant("starter")
    key = tenant.key()
    add_contact(key)
    started(key)
    sql(tenant, "INSERT INTO send_paces VALUES (%(id)s, now() + interval '10 minutes')", id=tenant.id)

    assert plan(tenant) == []
    assert mails(tenant) == []


def test_test_mode_sends_nothing_and_counts_for_no_quota(tenant: TestTenant, mail_catcher: Any) -> None:
    key = tenant.key(mode="test")
    contact = add_contact(key)
    campaign_id = started(key)

    carry_out(tenant, "test", rounds=2)

    (mail,) = mails(tenant, "test")
    assert (mail["status"], mail["provider"], mail["contact_id"]) == ("sent", "simulated", str(contact))
    assert mail_catcher.mails_to(mail["to_email"]) == []
    assert status_of(key, campaign_id) == "completed"
    with transaction(tenant_id=tenant.id) as tx:
        assert tx.one("SELECT count(*) FROM usage_counters WHERE metric = 'emails'", {}) == 0


def test_a_campaign_ends_at_its_end_date_whoever_is_left(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    campaign_id = started(key, steps=[EMAIL, WAIT, EMAIL], end_date=(NOW + timedelta(hours=1)).isoformat())
    carry_out(tenant, rounds=2)
    sql(tenant, "UPDATE campaigns SET start_date = now() - interval '2 days', end_date = now() - interval '1 second'")

    carry_out(tenant, rounds=2)

    assert status_of(key, campaign_id) == "completed"
    (row,) = ledger(tenant).values()
    assert (row["status"], row["reason"]) == ("exited", "campaign_ended")


def test_a_triggered_campaign_has_no_audience_and_stays_open(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    campaign_id = started(key, campaign_type="triggered")

    carry_out(tenant, rounds=2)

    assert ledger(tenant) == {}
    assert status_of(key, campaign_id) == "active"


def test_a_planner_that_dies_before_it_commits_leaves_nothing_and_another_one_plans_exactly_once(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        add_contact(key)
    started(key)

    class Killed(BaseException):
        """Stands for the end of the process."""

    def die(*_arguments: Any, **_options: Any) -> bool:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(mailbox_days, "count", die)
        plan(tenant)
    assert mails(tenant) == []

    carry_out(tenant, rounds=2)
    assert len(mails(tenant)) == 3
    assert {row["status"] for row in ledger(tenant).values()} == {"completed"}


def test_mails_whose_queue_message_was_lost_are_sent_by_way_of_the_sweep(
    tenant: TestTenant, key: TestKey, mail_catcher: Any
) -> None:
    from sweep_emails.app import handler as sweep_emails

    for _ in range(3):
        add_contact(key)
    started(key)
    assert len(plan(tenant)) == 1
    sql(tenant, "UPDATE emails SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL")

    run_job(sweep_emails)

    (message,) = messages_for("campaign_emails", tenant.id)
    assert consume(send_campaign_emails, message) == []
    for mail in mails(tenant):
        assert mail["status"] == "sent"
        assert len(mail_catcher.mails_to(mail["to_email"])) == 1


def test_a_second_mail_of_a_step_to_the_same_person_cannot_be_stored(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    started(key)
    carry_out(tenant)
    sql(
        tenant,
        "UPDATE campaign_contacts SET status = 'enrolled', current_step_id = NULL, finished_at = NULL, next_email_at = now()",
    )

    carry_out(tenant)

    assert len(mails(tenant)) == 1
    (row,) = ledger(tenant).values()
    assert (row["status"], row["reason"]) == ("exited", "sent_before")


def test_a_paused_campaign_is_not_planned_and_goes_on_where_it_was(tenant: TestTenant, key: TestKey) -> None:
    for _ in range(2):
        add_contact(key)
    campaign_id = started(key)
    messages = plan(tenant)
    assert ask(key, "POST", f"/{campaign_id}/pause").status == 200

    assert consume(send_campaign_emails, *messages) == []
    assert plan(tenant) == []
    assert {mail["status"] for mail in mails(tenant)} == {"queued"}

    assert ask(key, "POST", f"/{campaign_id}/start").status == 200
    from sweep_emails.app import handler as sweep_emails

    run_job(sweep_emails)
    assert consume(send_campaign_emails, *messages_for("campaign_emails", tenant.id)) == []
    assert {mail["status"] for mail in mails(tenant)} == {"sent"}
    assert plan(tenant) == []
    assert status_of(key, campaign_id) == "completed"


def test_a_campaign_that_cannot_be_planned_does_not_keep_others_waiting(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_contact(key)
    broken = started(key)
    other_key = other_tenant.key()
    add_contact(other_key)
    started(other_key)
    real = batch.send_some

    def fail(tx: Any, campaign: Any, now: datetime) -> datetime | None:
        if str(campaign.id) == broken:
            raise LookupError("broken")
        return real(tx, campaign, now)

    monkeypatch.setattr(batch, "send_some", fail)
    make_due(tenant)
    make_due(other_tenant)
    run_job(plan_campaigns)

    assert mails(tenant) == []
    assert len(mails(other_tenant)) == 1


def test_a_draft_is_left_alone(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    draft(key)

    assert plan(tenant) == []
    assert ledger(tenant) == {}
