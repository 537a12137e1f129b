"""The planner: who gets which mail when, who waits and who leaves, and that nothing is planned twice."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contacts.app import handler as contacts_handler
from penguinmails.db import transaction
from penguinmails.domain import campaign_audience, segment_pages
from plan_campaigns import batch, service
from suppression.app import handler as suppression_handler
from tests.support.campaigns import (
    EMAIL,
    WAIT,
    add_contact,
    add_list,
    ask,
    carry_out,
    draft,
    ledger,
    mails,
    pass_time,
    plan,
    sql,
    started,
    status_of,
)
from tests.support.http import call
from tests.support.tenants import TestKey, TestTenant

NOW = datetime.now(UTC)


def event_types(tenant: TestTenant) -> list[str]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT type FROM events WHERE type LIKE 'campaign.%%' ORDER BY id", {})


def test_a_broadcast_reaches_everybody_once_and_is_then_completed(tenant: TestTenant, key: TestKey) -> None:
    for name in ("Ada", "Grace"):
        add_contact(key, email=f"{name.lower()}-{tenant.id.hex}@example.com", first_name=name)
    campaign_id = started(key)

    carry_out(tenant, rounds=3)

    assert [mail["status"] for mail in mails(tenant)] == ["sent", "sent"]
    assert {mail["subject"] for mail in mails(tenant)} == {"Hello Ada", "Hello Grace"}
    rows = ledger(tenant).values()
    assert {(row["status"], row["steps_completed"], row["next_email_at"]) for row in rows} == {("completed", 1, None)}
    shown = ask(key, "GET", f"/{campaign_id}").json
    assert (shown["status"], shown["total_contacts"], shown["stats"]["sent"]) == ("completed", 2, 2)
    assert shown["completed_at"] is not None
    assert event_types(tenant) == ["campaign.launched", "campaign.completed"]


@pytest.mark.parametrize("audience", ["static list", "dynamic list", "segment", "workspace"])
def test_the_audience_is_the_list_the_segment_or_the_workspace(tenant: TestTenant, key: TestKey, audience: str) -> None:
    from lists.app import handler as lists_handler
    from segments.app import handler as segments_handler

    inside, outside = f"in-{tenant.id.hex}@example.com", f"out-{tenant.id.hex}@example.com"
    contact = add_contact(key, email=inside, tags=["vip"])
    fields: dict[str, Any] = {}
    if audience == "workspace":
        other = UUID(int=tenant.id.int ^ 1)
        sql(
            tenant,
            "INSERT INTO workspaces (id, tenant_id, name, slug) VALUES (%(id)s, %(t)s, 'B', 'b')",
            id=other,
            t=tenant.id,
        )
        add_contact(key, email=outside, workspace_ids=[str(other)])
        fields = {"workspace": "default"}
    else:
        add_contact(key, email=outside)
        rule = {"field": "tag", "operator": "has", "value": "vip"}
        body = {"name": "VIP", "definition": rule}
        segment = call(segments_handler, "POST", "/api/v1/segments", token=key.plaintext, json=body).json["id"]
        body = {"name": "VIPs", "segment_id": segment}
        dynamic = call(lists_handler, "POST", "/api/v1/lists", token=key.plaintext, json=body).json["id"]
        fields = {
            "static list": {"list_id": add_list(key, contact)},
            "dynamic list": {"list_id": dynamic},
            "segment": {"segment_id": segment},
        }[audience]
    started(key, **fields)

    carry_out(tenant)

    assert set(ledger(tenant)) == {inside}


def test_a_large_audience_is_enrolled_and_planned_in_batches(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = {f"{number}-{tenant.id.hex}@example.com" for number in range(7)}
    for address in addresses:
        add_contact(key, email=address)
    monkeypatch.setattr(service, "ENROLMENT_BATCH", 2)
    monkeypatch.setattr(batch, "BATCH", 3)
    campaign_id = started(key)

    carry_out(tenant, rounds=2)

    assert {mail["to_email"] for mail in mails(tenant)} == addresses
    assert len(mails(tenant)) == 7
    assert ask(key, "GET", f"/{campaign_id}").json["total_contacts"] == 7


def look_at_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the audience is a few contacts, as if more of them took too long."""
    monkeypatch.setattr(segment_pages, "WINDOW", 2)
    monkeypatch.setattr(campaign_audience, "PATIENCE", timedelta(seconds=-1))


def test_a_few_recipients_among_many_contacts_are_found_however_many_lie_between(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {f"{number}-{tenant.id.hex}@example.com" for number in (0, 7, 8)}
    found = {
        email: add_contact(key, email=email) for email in sorted(f"{n}-{tenant.id.hex}@example.com" for n in range(9))
    }
    look_at_little(monkeypatch)
    monkeypatch.setattr(service, "ENROLMENT_BATCH", 1)
    started(key, list_id=add_list(key, *(found[email] for email in wanted)))

    carry_out(tenant)

    assert set(ledger(tenant)) == wanted


def test_an_audience_of_nobody_is_refused_after_all_contacts_were_looked_at(
    key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_at_little(monkeypatch)
    for _ in range(5):
        add_contact(key)

    answer = ask(key, "POST", f"/{draft(key, list_id=add_list(key))['id']}/start")

    assert (answer.status, answer.code) == (409, "NO_RECIPIENTS")


def test_a_scheduled_campaign_begins_when_its_date_has_come_and_not_before(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    campaign_id = started(key, start_date=(NOW + timedelta(days=1)).isoformat())

    assert plan(tenant) == []
    assert status_of(key, campaign_id) == "scheduled"

    sql(tenant, "UPDATE campaigns SET start_date = now() - interval '1 minute'")
    assert len(plan(tenant)) == 1
    assert status_of(key, campaign_id) == "active"
    assert event_types(tenant) == ["campaign.launched"]


def test_a_drip_waits_as_long_as_it_says_and_goes_on(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    campaign_id = started(key, steps=[EMAIL, WAIT, {**EMAIL, "subject": "Again"}])

    carry_out(tenant, rounds=3)
    (row,) = ledger(tenant).values()
    assert (row["status"], row["reason"], row["steps_completed"]) == ("active", "waiting", 2)
    sent, due = (datetime.fromisoformat(row[name]) for name in ("last_email_sent_at", "next_email_at"))
    assert due - sent == timedelta(days=2)
    assert len(mails(tenant)) == 1

    pass_time(tenant, days=2, minutes=1)
    carry_out(tenant, rounds=2)
    assert [mail["subject"] for mail in mails(tenant)] == ["Hello there", "Again"]
    assert status_of(key, campaign_id) == "completed"


@pytest.mark.parametrize(("sign", "subject"), [("opens", "Yes"), ("clicks", "Yes"), ("replied", "Yes"), (None, "No")])
def test_a_condition_leads_by_what_the_recipient_did(
    tenant: TestTenant, key: TestKey, sign: str | None, subject: str
) -> None:
    add_contact(key)
    looked_for = {"opens": "opened", "clicks": "clicked", "replied": "replied", None: "opened"}[sign]
    steps = [
        EMAIL,
        {"type": "condition", "condition": {"sign": looked_for, "of": 1}, "on_true": 4},
        {**EMAIL, "subject": "No", "next": 5},
        {**EMAIL, "subject": "Yes"},
        {"type": "action", "action": {"type": "exit"}},
    ]
    started(key, steps=steps)
    carry_out(tenant)
    if sign in {"opens", "clicks"}:
        sql(
            tenant,
            "UPDATE emails SET opens = %(opens)s, clicks = %(clicks)s",
            opens=int(sign == "opens"),
            clicks=int(sign == "clicks"),
        )
    elif sign == "replied":
        sql(
            tenant,
            "INSERT INTO email_events (id, tenant_id, mode, email_id, type, occurred_at)"
            " SELECT gen_random_uuid(), tenant_id, mode, id, 'replied', now() FROM emails",
        )

    carry_out(tenant, rounds=2)

    assert [mail["subject"] for mail in mails(tenant)] == ["Hello there", subject]
    (row,) = ledger(tenant).values()
    assert (row["status"], row["reason"]) == ("exited", "exit_step")


def test_actions_tag_untag_and_list_the_contact(tenant: TestTenant, key: TestKey) -> None:
    contact_id = add_contact(key, tags=["old"])
    list_id = add_list(key)
    steps = [
        {"type": "action", "action": {"type": "add_tag", "tag": "new"}},
        {"type": "action", "action": {"type": "remove_tag", "tag": "old"}},
        {"type": "action", "action": {"type": "add_to_list", "list_id": list_id}},
        EMAIL,
    ]
    started(key, steps=steps)

    carry_out(tenant, rounds=2)

    contact = call(contacts_handler, "GET", f"/api/v1/contacts/{contact_id}", token=key.plaintext).json
    assert contact["tags"] == ["new"]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        told = tx.all("SELECT data FROM events WHERE type = 'contact.updated'", {})
    assert [(event["contact"]["id"], event["changed_fields"]) for event in told] == [(str(contact_id), ["tags"])]
    listed = call(contacts_handler, "GET", "/api/v1/contacts", token=key.plaintext, query={"list_id": list_id}).json
    assert [found["id"] for found in listed["data"]] == [str(contact_id)]
    assert ledger(tenant)[contact["email"]]["steps_completed"] == 4


def test_an_action_that_changes_nothing_tells_nothing(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key, tags=["new"])
    add, remove = ({"type": kind, "tag": tag} for kind, tag in (("add_tag", "new"), ("remove_tag", "never")))
    started(key, steps=[{"type": "action", "action": action} for action in (add, remove)] + [EMAIL])

    carry_out(tenant)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT count(*) FROM events WHERE type = 'contact.updated'", {}) == 0


def test_an_optimized_campaign_waits_for_the_hour_in_which_each_recipient_last_opened_a_mail(
    tenant: TestTenant, key: TestKey
) -> None:
    later, now_open, never = (add_contact(key, email=f"{n}-{tenant.id.hex}@example.com") for n in range(3))
    hour_to_come = (NOW + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    for contact, opened in ((later, hour_to_come - timedelta(days=20, minutes=-30)), (now_open, NOW)):
        sql(tenant, "UPDATE contacts SET last_email_opened_at = %(at)s WHERE id = %(id)s", id=contact, at=opened)
    campaign_id = started(key, send_strategy="optimized")

    carry_out(tenant, rounds=2)

    assert {mail["contact_id"] for mail in mails(tenant)} == {str(now_open), str(never)}
    waiting = ledger(tenant)[f"0-{tenant.id.hex}@example.com"]
    assert (waiting["status"], waiting["reason"]) == ("active", "best_time")
    assert datetime.fromisoformat(waiting["next_email_at"]) == hour_to_come
    explained = ask(key, "GET", f"/{campaign_id}/recipients/{later}").json["explanation"]
    assert "the time of day at which they last opened one" in explained

    pass_time(tenant, hours=3, minutes=1)
    carry_out(tenant, rounds=2)
    assert len(mails(tenant)) == 3
    assert status_of(key, campaign_id) == "completed"


@pytest.mark.parametrize("fields", [{"end_date": "soon"}, {"sending_window": "now"}])
def test_an_hour_that_cannot_be_had_is_not_waited_for(tenant: TestTenant, key: TestKey, fields: dict[str, str]) -> None:
    contact = add_contact(key)
    opened = NOW + timedelta(hours=3) - timedelta(days=20)
    sql(tenant, "UPDATE contacts SET last_email_opened_at = %(at)s WHERE id = %(id)s", id=contact, at=opened)
    # Noon in the campaign's zone, so that an hour on either side is still the same day.
    zone = f"Etc/GMT{'+' if NOW.hour >= 12 else '-'}{abs(NOW.hour - 12)}"
    settings: dict[str, Any] = {"daily_limit": 500}
    if "sending_window" in fields:
        settings["sending_window"] = {"start": "11:00", "end": "14:00"}
    more = {"end_date": (NOW + timedelta(hours=1)).isoformat()} if "end_date" in fields else {}
    started(key, send_strategy="optimized", timezone=zone, settings=settings, **more)

    carry_out(tenant)

    assert len(mails(tenant)) == 1


def test_who_may_not_be_written_to_leaves_with_the_reason(tenant: TestTenant, key: TestKey) -> None:
    def address(name: str) -> str:
        return f"{name}-{tenant.id.hex}@example.com"

    add_contact(key, email=address("unsubscribed"), status="unsubscribed")
    add_contact(key, email=address("bounced"))
    sql(tenant, "UPDATE contacts SET status = 'bounced' WHERE email = %(email)s", email=address("bounced"))
    add_contact(key, email=address("suppressed"))
    add_contact(key, email=address("nameless"))
    add_contact(key, email=address("fine"), first_name="Ada")
    body = {"email": address("suppressed")}
    assert call(suppression_handler, "POST", "/api/v1/suppression-list", token=key.plaintext, json=body).status == 201
    started(key, steps=[{**EMAIL, "html_body": "Dear {{ first_name }}"}])

    carry_out(tenant, rounds=2)

    reasons = {email.partition("-")[0]: (row["status"], row["reason"]) for email, row in ledger(tenant).items()}
    assert reasons == {
        "unsubscribed": ("exited", "unsubscribed"),
        "bounced": ("exited", "bounced"),
        "suppressed": ("exited", "suppressed"),
        "nameless": ("exited", "missing_field:first_name"),
        "fine": ("completed", None),
    }
    assert [mail["to_email"] for mail in mails(tenant)] == [address("fine")]


def test_who_answered_gets_no_further_mail_where_the_campaign_says_so(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    started(key, steps=[EMAIL, EMAIL], settings={"daily_limit": 500, "pause_on_reply": True})
    carry_out(tenant)
    sql(
        tenant,
        "INSERT INTO email_events (id, tenant_id, mode, email_id, type, occurred_at)"
        " SELECT gen_random_uuid(), tenant_id, mode, id, 'replied', now() FROM emails",
    )

    carry_out(tenant, rounds=2)

    assert len(mails(tenant)) == 1
    assert next(iter(ledger(tenant).values()))["reason"] == "replied"
