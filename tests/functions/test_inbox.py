"""Answers: put into the conversation that they belong to, told as events, read and put aside."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contacts.app import handler as contacts
from inbox.app import handler
from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from tests.support.campaigns import add_contact, carry_out, ledger, make_due, pass_time, started
from tests.support.http import Answer, call
from tests.support.incoming import BY_PROVIDER, Inbound, PostmarkInbound, postmark_mail
from tests.support.providers import shown
from tests.support.tenants import TestKey, TestTenant

THREADS = "/api/v1/inbox/threads"


@pytest.fixture(params=BY_PROVIDER)
def incoming(tenant: TestTenant, key: TestKey, request: pytest.FixtureRequest) -> Inbound:
    """The account of a provider that takes mail in; all put answers where they belong by the same rules."""
    return BY_PROVIDER[request.param](tenant, key)


@pytest.fixture
def postmark(tenant: TestTenant, key: TestKey) -> PostmarkInbound:
    return PostmarkInbound(tenant, key)


def our_id(email_id: str) -> str:
    return f"<{UUID(email_id).hex}@penguinmails.com>"


def threads(key: TestKey, **query: Any) -> list[Any]:
    answer = call(handler, "GET", THREADS, token=key.plaintext, query=query)
    assert answer.status == 200, answer.body
    return answer.json["data"]


def change(key: TestKey, thread_id: str, **fields: Any) -> Answer:
    return call(handler, "PATCH", f"{THREADS}/{thread_id}", token=key.plaintext, json=fields)


def replies(tenant: TestTenant) -> list[Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT data FROM events WHERE type = 'email.replied'", {})


def test_an_answer_begins_a_conversation_and_is_told_as_an_event(incoming: Inbound) -> None:
    email_id, to = incoming.sent()
    person = call(contacts, "POST", "/api/v1/contacts", token=incoming.key.plaintext, json={"email": to}).json

    assert incoming.answer(to, our_id(email_id)).json == {"outcome": "taken"}

    (thread,) = threads(incoming.key)
    assert (thread["correspondent"], thread["contact_id"], thread["status"]) == (to, person["id"], "open")
    assert (thread["unread"], thread["subject"], thread["snippet"]) == (True, "Re: Hello", "Yes, please.")
    details = call(handler, "GET", f"{THREADS}/{thread['id']}", token=incoming.key.plaintext).json
    assert [(m["email_id"], m["text"], m["automatic"]) for m in details["messages"]] == [
        (email_id, "Yes, please.", False)
    ]
    (event,) = replies(incoming.tenant)
    assert (event["email_id"], event["thread_id"], event["contact"]["id"]) == (email_id, thread["id"], person["id"])
    assert "replied" in [entry["type"] for entry in shown(incoming.key, email_id)["events"]]


def test_an_answer_that_comes_twice_is_known(incoming: Inbound) -> None:
    email_id, to = incoming.sent()
    body = incoming.mail(to, our_id(email_id))

    assert [incoming.post(body).json["outcome"] for _ in range(2)] == ["taken", "known"]
    assert len(replies(incoming.tenant)) == 1


@pytest.mark.parametrize("by", ["In-Reply-To", "References", "plus"])
def test_a_conversation_is_found_by_what_an_answer_refers_to(incoming: Inbound, by: str) -> None:
    email_id, to = incoming.sent()
    incoming.answer(to, our_id(email_id))
    plus, headers = (UUID(email_id).hex, {}) if by == "plus" else (None, {by: f"<x@example.com> {our_id(email_id)}"})

    incoming.answer(f"colleague-of-{to}", plus=plus, headers=headers, text="And another thing.")

    (thread,) = threads(incoming.key)
    assert thread["snippet"] == "And another thing."


def test_an_answer_to_an_answer_stays_in_its_conversation(incoming: Inbound) -> None:
    incoming.answer("ada@example.com", headers={"Message-Id": "<first@example.com>"})
    incoming.answer("ada@example.com", "<first@example.com>")
    incoming.answer("eve@example.com")

    assert sorted(thread["correspondent"] for thread in threads(incoming.key)) == ["ada@example.com", "eve@example.com"]
    assert replies(incoming.tenant) == []


def test_a_note_of_absence_is_kept_and_is_no_answer(incoming: Inbound) -> None:
    email_id, to = incoming.sent()

    incoming.answer(to, our_id(email_id), headers={"Auto-Submitted": "auto-replied"})

    assert len(threads(incoming.key)) == 1
    assert replies(incoming.tenant) == []
    assert "replied" not in [entry["type"] for entry in shown(incoming.key, email_id)["events"]]


def test_who_answers_gets_no_further_mail_of_a_campaign_that_pauses_on_replies(incoming: Inbound) -> None:
    tenant, key, to = incoming.tenant, incoming.key, f"{uuid4().hex}@example.com"
    add_contact(key, email=to)
    steps = [
        {"type": "email", "subject": "One", "text_body": "One"},
        {"type": "wait", "wait": {"value": 1, "unit": "days"}},
        {"type": "email", "subject": "Two", "text_body": "Two"},
    ]
    started(key, steps=steps, settings={"daily_limit": 500, "pause_on_reply": True})
    carry_out(tenant)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        email_id = str(tx.one("SELECT id FROM emails WHERE to_email = %(to)s", {"to": to}))

    incoming.answer(to, our_id(email_id))
    pass_time(tenant, days=2)
    make_due(tenant)
    carry_out(tenant)

    assert (ledger(tenant)[to]["status"], ledger(tenant)[to]["reason"]) == ("exited", "replied")


def test_an_answer_to_somebody_elses_mail_is_not_theirs(incoming: Inbound, other_tenant: TestTenant) -> None:
    theirs = type(incoming)(other_tenant, other_tenant.key())
    email_id, to = theirs.sent()

    incoming.answer(to, our_id(email_id))

    assert threads(theirs.key) == []
    assert replies(other_tenant) == replies(incoming.tenant) == []


def test_only_postmark_may_hand_mail_over(postmark: PostmarkInbound) -> None:
    assert postmark.post(postmark_mail("ada@example.com"), password="guess").status == 401
    assert postmark.post({"Subject": "no sender"}).json == {"outcome": "ignored"}
    assert threads(postmark.key) == []


def test_conversations_are_archived_snoozed_and_read(postmark: PostmarkInbound) -> None:
    key = postmark.key
    postmark.answer("ada@example.com", headers={"Message-Id": "<first@example.com>"})
    (thread,) = threads(key, status="open", unread="true")
    later = datetime.now(UTC) + timedelta(days=1)

    assert change(key, thread["id"], unread=False).json["unread"] is False
    snoozed = change(key, thread["id"], status="snoozed", snoozed_until=later.isoformat()).json
    assert snoozed["status"] == "snoozed"
    assert [len(threads(key, status=status)) for status in ("open", "archived", "snoozed")] == [0, 0, 1]

    with transaction(tenant_id=postmark.tenant.id, mode="live") as tx:
        tx.run("UPDATE inbox_threads SET snoozed_until = now() - interval '1 second'", {})
    assert [thread["status"] for thread in threads(key, status="open")] == ["open"]

    assert change(key, thread["id"], status="archived").json["status"] == "archived"
    postmark.answer("ada@example.com", "<first@example.com>")
    assert [(t["status"], t["unread"]) for t in threads(key)] == [("open", True)]


@pytest.mark.parametrize(
    "fields", [{"status": "snoozed"}, {"status": "open", "snoozed_until": "2030-01-01T00:00:00Z"}, {"status": "lost"}]
)
def test_a_change_that_makes_no_sense_is_refused(postmark: PostmarkInbound, fields: dict[str, Any]) -> None:
    postmark.answer("ada@example.com")
    (thread,) = threads(postmark.key)

    assert change(postmark.key, thread["id"], **fields).status == 400


def test_an_unknown_conversation_is_404(key: TestKey) -> None:
    assert call(handler, "GET", f"{THREADS}/{uuid4()}", token=key.plaintext).status == 404
    assert change(key, str(uuid4()), status="archived").status == 404


def test_the_inbox_needs_its_scope(tenant: TestTenant) -> None:
    key = tenant.key(Scope.SEND_EMAIL)

    assert call(handler, "GET", THREADS, token=key.plaintext).code == "INSUFFICIENT_PERMISSIONS"
