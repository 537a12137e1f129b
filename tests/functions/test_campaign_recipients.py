"""Recipients: who is enrolled, where each stands, and the sentence that says why."""

from typing import Any
from uuid import uuid4

from send_campaign_emails.app import handler as send_campaign_emails
from tests.support.campaigns import EMAIL, WAIT, add_contact, add_list, ask, carry_out, draft, mails, plan, started
from tests.support.queues import consume
from tests.support.tenants import TestKey, TestTenant, make_tenant


def recipient(key: TestKey, campaign_id: str, contact_id: Any) -> Any:
    answer = ask(key, "GET", f"/{campaign_id}/recipients/{contact_id}")
    assert answer.status == 200, answer.body
    return answer.json


def enrol(key: TestKey, campaign_id: str, *contact_ids: Any) -> Any:
    body = {"contact_ids": [str(contact_id) for contact_id in contact_ids]}
    return ask(key, "POST", f"/{campaign_id}/recipients", json=body)


def test_who_is_enrolled_by_hand_gets_the_mails_besides_the_audience(tenant: TestTenant, key: TestKey) -> None:
    listed, other = add_contact(key), add_contact(key)
    campaign_id = draft(key, list_id=add_list(key, listed))["id"]

    assert enrol(key, campaign_id, other).json == {"enrolled": 1, "already_enrolled": 0}
    assert enrol(key, campaign_id, other, other).json == {"enrolled": 0, "already_enrolled": 1}
    assert ask(key, "POST", f"/{campaign_id}/start").status == 200
    carry_out(tenant, rounds=2)

    assert {mail["contact_id"] for mail in mails(tenant)} == {str(listed), str(other)}
    assert ask(key, "GET", f"/{campaign_id}").json["total_contacts"] == 2


def test_a_triggered_campaign_sends_to_whom_it_is_told(tenant: TestTenant, key: TestKey) -> None:
    contact_id = add_contact(key)
    campaign_id = started(key, campaign_type="triggered")
    carry_out(tenant)

    assert enrol(key, campaign_id, contact_id).json["enrolled"] == 1
    carry_out(tenant)

    assert [mail["contact_id"] for mail in mails(tenant)] == [str(contact_id)]


def test_enrolling_is_all_or_none_and_over_once_the_campaign_is(tenant: TestTenant, key: TestKey) -> None:
    contact_id, foreign = add_contact(key), add_contact(make_tenant().key())
    campaign_id = draft(key)["id"]

    refused = enrol(key, campaign_id, contact_id, foreign)
    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "contact_ids.1")
    assert ask(key, "GET", f"/{campaign_id}/recipients").json["data"] == []

    assert ask(key, "POST", f"/{campaign_id}/start").status == 200
    carry_out(tenant, rounds=2)
    assert enrol(key, campaign_id, contact_id).code == "INVALID_STATE_TRANSITION"


def test_recipients_are_paged_and_filtered_by_state(tenant: TestTenant, key: TestKey) -> None:
    for number in range(3):
        add_contact(key, first_name="Ada" if number else None)
    campaign_id = started(key, steps=[{**EMAIL, "subject": "Dear {{ first_name }}"}, WAIT, EMAIL])
    carry_out(tenant, rounds=2)

    def page(**query: Any) -> Any:
        return ask(key, "GET", f"/{campaign_id}/recipients", query=query).json

    first = page(limit=2)
    second = page(limit=2, cursor=first["pagination"]["next_cursor"])
    assert len({row["contact_id"] for row in first["data"] + second["data"]}) == 3
    assert page(status="active", offset=0)["pagination"]["total"] == 2
    assert [row["reason"] for row in page(status="exited")["data"]] == ["missing_field:first_name"]
    assert page(status="completed")["data"] == []


def test_open_recipients_of_a_paused_campaign_are_paused(tenant: TestTenant, key: TestKey) -> None:
    contact_id = add_contact(key)
    campaign_id = started(key, steps=[EMAIL, WAIT, EMAIL])
    carry_out(tenant, rounds=2)
    ask(key, "POST", f"/{campaign_id}/pause")

    assert recipient(key, campaign_id, contact_id)["status"] == "paused"
    (row,) = ask(key, "GET", f"/{campaign_id}/recipients").json["data"]
    assert row["status"] == "paused"

    ask(key, "POST", f"/{campaign_id}/start")
    assert recipient(key, campaign_id, contact_id)["status"] == "active"


def test_a_mail_that_was_sent_is_shown_with_the_end_of_the_journey(tenant: TestTenant, key: TestKey) -> None:
    contact_id = add_contact(key)
    campaign_id = started(key)
    carry_out(tenant, rounds=2)

    shown = recipient(key, campaign_id, contact_id)

    assert (shown["status"], shown["step"], shown["steps_completed"]) == ("completed", 1, 1)
    assert "came to the end" in shown["explanation"]
    (mail,) = shown["mails"]
    assert (mail["step"], mail["status"], mail["attempts"]) == (1, "sent", 1)
    assert mail["email_id"] == mails(tenant)[0]["id"]


def test_who_waits_for_the_next_day_is_told_so(tenant: TestTenant, key: TestKey) -> None:
    contacts = [add_contact(key) for _ in range(12)]
    campaign_id = started(key, settings={"daily_limit": 10})
    carry_out(tenant, rounds=2)

    waiting = [recipient(key, campaign_id, contact_id) for contact_id in contacts]

    said = [row["explanation"] for row in waiting if row["status"] == "enrolled"]
    assert len(said) == 2
    assert all("daily limit" in explanation for explanation in said)


def test_a_mail_on_its_way_tells_of_the_last_refusal_and_the_next_attempt(tenant: TestTenant, key: TestKey) -> None:
    contact_id = add_contact(key, email=f"tempfail-{tenant.id.hex}@example.com")
    campaign_id = started(key)
    messages = plan(tenant)
    assert recipient(key, campaign_id, contact_id)["explanation"] == "The mail of step 1 is queued."

    consume(send_campaign_emails, *messages)

    explanation = recipient(key, campaign_id, contact_id)["explanation"]
    assert "451 4.3.0 try again later" in explanation
    assert "tried again at" in explanation


def test_a_refusal_for_good_is_quoted(tenant: TestTenant, key: TestKey) -> None:
    contact_id = add_contact(key, email=f"reject-{tenant.id.hex}@example.com")
    campaign_id = started(key)
    carry_out(tenant)

    assert "550 5.1.1 no such mailbox" in recipient(key, campaign_id, contact_id)["explanation"]


def test_a_contact_who_is_not_enrolled_is_no_recipient(key: TestKey) -> None:
    campaign_id = draft(key)["id"]

    missing = ask(key, "GET", f"/{campaign_id}/recipients/{add_contact(key)}")

    assert (missing.status, missing.code) == (404, "RESOURCE_NOT_FOUND")
    assert ask(key, "GET", f"/{uuid4()}/recipients").code == "CAMPAIGN_NOT_FOUND"


def test_deleting_a_contact_takes_it_out_of_the_ledger(tenant: TestTenant, key: TestKey) -> None:
    from contacts.app import handler as contacts_handler
    from tests.support.http import call

    contact_id = add_contact(key)
    campaign_id = started(key, steps=[EMAIL, WAIT, EMAIL])
    carry_out(tenant, rounds=2)

    assert call(contacts_handler, "DELETE", f"/api/v1/contacts/{contact_id}", token=key.plaintext).status == 200

    assert ask(key, "GET", f"/{campaign_id}/recipients").json["data"] == []


def test_recipients_are_those_of_the_campaign_and_of_nobody_else(tenant: TestTenant, key: TestKey) -> None:
    mine, others = add_contact(key), add_contact(key)
    first, second = draft(key)["id"], draft(key)["id"]
    enrol(key, first, mine)
    enrol(key, second, others)

    assert [row["contact_id"] for row in ask(key, "GET", f"/{first}/recipients").json["data"]] == [str(mine)]
    assert ask(key, "GET", f"/{first}/recipients/{others}").status == 404
    for stranger in (make_tenant().key(), tenant.key(mode="test")):
        assert ask(stranger, "GET", f"/{first}/recipients").code == "CAMPAIGN_NOT_FOUND"
