"""Reports of what became of mails: counted once, whatever their order, with what follows for the address."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts.app import handler as contacts
from emails.app import handler as emails
from penguinmails.db import transaction
from penguinmails.domain.mail_reports import Kind, Report, record_report, state_after
from send_emails.app import handler as send_emails
from tests.support.http import call
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestKey, TestTenant, make_tenant

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DELIVERED = Report(kind="delivered", source="mailgun", occurred_at=NOW)
HARD = Report(kind="bounced", source="mailgun", occurred_at=NOW, bounce="hard", detail="550 5.1.1 nobody")
SOFT = Report(kind="bounced", source="mailgun", occurred_at=NOW, bounce="soft", is_final=False, detail="452 full")
COMPLAINED = Report(kind="complained", source="mailgun", occurred_at=NOW + timedelta(hours=1))
EVENTS = {"unsubscribed": "email.unsubscribed", "complained": "email.spam_reported"}
ONCE_EACH = [DELIVERED, HARD, SOFT, COMPLAINED]


def sent_email(tenant: TestTenant, key: TestKey, to: str | None = None) -> str:
    body = {"to": to or f"{uuid4().hex}@example.com", "subject": "Hello", "text_body": "Hello"}
    answer = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body)
    assert answer.status == 200, answer.body
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []
    return answer.json["id"]


def report(tenant: TestTenant, email_id: str, *reports: Report) -> list[bool]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return [record_report(tx, UUID(email_id), one) for one in reports]


def shown(key: TestKey, email_id: str) -> Any:
    return call(emails, "GET", f"/api/v1/emails/{email_id}", token=key.plaintext).json


def events(tenant: TestTenant) -> list[tuple[str, str | None]]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        rows = tx.all(
            "SELECT jsonb_build_array(type, data ->> 'bounce_type') FROM events WHERE type LIKE 'email.%%'", {}
        )
    return sorted((kind, bounce) for kind, bounce in rows)


def suppressions(tenant: TestTenant) -> list[str]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT reason FROM suppression_list ORDER BY reason", {})


@settings(max_examples=15, deadline=None)
@given(order=st.permutations([*ONCE_EACH, *ONCE_EACH]))
def test_reports_end_the_same_in_any_order_and_however_often_they_come(order: list[Report]) -> None:
    tenant = make_tenant()
    key = tenant.key()
    email_id = sent_email(tenant, key)

    taken = report(tenant, email_id, *order)

    assert sum(taken) == len(ONCE_EACH)
    assert shown(key, email_id)["status"] == "bounced"
    assert events(tenant) == [
        ("email.bounced", "hard"),
        ("email.bounced", "soft"),
        ("email.delivered", None),
        ("email.sent", None),
        ("email.spam_reported", None),
    ]
    assert len(suppressions(tenant)) == 1


@given(
    start=st.sampled_from(["queued", "sending", "sent", "failed", "delivered", "bounced", "suppressed", "cancelled"]),
    reports=st.lists(st.sampled_from([DELIVERED, HARD, SOFT, COMPLAINED])),
    data=st.data(),
)
def test_the_state_of_a_mail_does_not_depend_on_the_order_of_its_reports(
    start: str, reports: list[Report], data: st.DataObject
) -> None:
    def after(order: list[Report]) -> str:
        state = start
        for one in order:
            state = state_after(state, one)
        return state

    assert after(reports) == after(data.draw(st.permutations(reports)))


@pytest.mark.parametrize("state", ["suppressed", "cancelled"])
def test_what_was_never_sent_stays_so(state: str) -> None:
    assert state_after(state, DELIVERED) == state


def test_a_hard_bounce_bars_the_address_and_marks_the_contact(tenant: TestTenant, key: TestKey) -> None:
    to = f"{uuid4().hex}@example.com"
    person = call(contacts, "POST", "/api/v1/contacts", token=key.plaintext, json={"email": to}).json
    email_id = sent_email(tenant, key, to)

    assert report(tenant, email_id, HARD) == [True]

    assert suppressions(tenant) == ["hard_bounce"]
    assert call(contacts, "GET", f"/api/v1/contacts/{person['id']}", token=key.plaintext).json["status"] == "bounced"
    email = shown(key, email_id)
    assert (email["status"], email["error"]) == ("bounced", HARD.detail)
    assert "bounced" in [event["type"] for event in email["events"]]


def test_the_third_mail_in_a_row_that_bounces_softly_bars_the_address(tenant: TestTenant, key: TestKey) -> None:
    to = f"{uuid4().hex}@example.com"
    mails = [sent_email(tenant, key, to) for _ in range(3)]

    report(tenant, mails[0], SOFT, SOFT, SOFT)
    report(tenant, mails[1], SOFT)
    assert suppressions(tenant) == []
    report(tenant, mails[2], SOFT)

    assert suppressions(tenant) == ["soft_bounces"]


def test_a_mail_that_arrives_ends_the_row_of_soft_bounces(tenant: TestTenant, key: TestKey) -> None:
    to = f"{uuid4().hex}@example.com"
    mails = [sent_email(tenant, key, to) for _ in range(4)]

    for mail in mails[:2]:
        report(tenant, mail, SOFT)
    report(tenant, mails[2], replace(DELIVERED, occurred_at=NOW + timedelta(seconds=1)))
    report(tenant, mails[3], SOFT)

    assert suppressions(tenant) == []


def test_a_mail_that_arrived_before_the_last_bounce_does_not_end_the_row_however_late_it_is_told(
    tenant: TestTenant, key: TestKey
) -> None:
    to = f"{uuid4().hex}@example.com"
    mails = [sent_email(tenant, key, to) for _ in range(4)]

    for mail in mails[1:3]:
        report(tenant, mail, SOFT)
    assert report(tenant, mails[0], replace(DELIVERED, occurred_at=NOW - timedelta(hours=1))) == [True]
    report(tenant, mails[3], SOFT)

    assert suppressions(tenant) == ["soft_bounces"]


def test_an_unsubscription_ends_the_contacts_consent(tenant: TestTenant, key: TestKey) -> None:
    to = f"{uuid4().hex}@example.com"
    person = call(contacts, "POST", "/api/v1/contacts", token=key.plaintext, json={"email": to}).json
    email_id = sent_email(tenant, key, to)

    report(tenant, email_id, Report(kind="unsubscribed", source="postmark", occurred_at=NOW))

    assert suppressions(tenant) == ["user_request"]
    status = call(contacts, "GET", f"/api/v1/contacts/{person['id']}", token=key.plaintext).json["status"]
    assert status == "unsubscribed"


@pytest.mark.parametrize(("kind", "reason"), [("unsubscribed", "user_request"), ("complained", "spam_complaint")])
def test_who_has_come_back_and_says_no_again_by_the_same_mail_is_heard_again(
    tenant: TestTenant, key: TestKey, kind: Kind, reason: str
) -> None:
    to = f"{uuid4().hex}@example.com"
    person = call(contacts, "POST", "/api/v1/contacts", token=key.plaintext, json={"email": to}).json
    email_id = sent_email(tenant, key, to)
    first = Report(kind=kind, source="mailgun", occurred_at=NOW)
    report(tenant, email_id, first)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("DELETE FROM suppression_list", {})
    active = {"status": "active"}
    assert call(contacts, "PUT", f"/api/v1/contacts/{person['id']}", token=key.plaintext, json=active).status == 200

    report(tenant, email_id, first)
    assert suppressions(tenant) == []  # the same report, that came twice

    report(tenant, email_id, replace(first, occurred_at=NOW + timedelta(days=3)))
    assert suppressions(tenant) == [reason]
    status = call(contacts, "GET", f"/api/v1/contacts/{person['id']}", token=key.plaintext).json["status"]
    assert status == ("unsubscribed" if kind == "unsubscribed" else "active")
    assert [type_ for type_, _ in events(tenant)].count(EVENTS[kind]) == 1


def test_opens_and_clicks_count_each_time(tenant: TestTenant, key: TestKey) -> None:
    email_id = sent_email(tenant, key)
    opened = Report(kind="opened", source="postmark", occurred_at=NOW, user_agent="Mail")
    clicked = Report(kind="clicked", source="postmark", occurred_at=NOW, url="https://example.com/a")

    report(tenant, email_id, opened, opened, clicked)

    email = shown(key, email_id)
    assert (email["status"], email["opens"], email["clicks"]) == ("sent", 2, 1)
    assert [kind for kind, _ in events(tenant)].count("email.opened") == 2


def test_a_report_about_an_unknown_mail_is_nothing_new(tenant: TestTenant) -> None:
    assert report(tenant, str(uuid4()), DELIVERED) == [False]
