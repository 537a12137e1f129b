"""Mail that Mailgun forwards: taken from Mailgun alone, once, and put where it belongs."""

import time
from base64 import b64encode
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from inbox.app import handler as inbox
from local.sandboxes.mailgun import sign
from local.sandboxes.server import SandboxServer
from penguinmails.db import transaction
from provider_events.app import handler
from tests.support.aio import run_aside
from tests.support.campaigns import add_contact, carry_out, ledger, make_due, pass_time, started
from tests.support.http import call
from tests.support.incoming import File, MailgunInbound
from tests.support.providers import shown
from tests.support.tenants import TestKey, TestTenant


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def mailgun(tenant: TestTenant, key: TestKey) -> MailgunInbound:
    return MailgunInbound(tenant, key)


def our_id(email_id: str) -> str:
    return f"<{UUID(email_id).hex}@penguinmails.com>"


def threads(key: TestKey) -> list[Any]:
    return call(inbox, "GET", "/api/v1/inbox/threads", token=key.plaintext).json["data"]


def replies(tenant: TestTenant) -> list[Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT data FROM events WHERE type = 'email.replied'", {})


@pytest.mark.parametrize("files", [None, [("list.txt", "text/plain", b"a\r\nb\r\n--c\r\n")]])
def test_an_answer_begins_a_conversation_and_is_told_as_an_event(
    mailgun: MailgunInbound, files: list[File] | None
) -> None:
    email_id, to = mailgun.sent()

    answer = mailgun.post(mailgun.fields(f"Ada Löwe <{to.upper()}>", our_id(email_id), text="Gerne, ja."), files)

    assert (answer.status, answer.json) == (200, {"outcome": "taken"})
    (thread,) = threads(mailgun.key)
    assert (thread["correspondent"], thread["subject"], thread["snippet"]) == (to, "Re: Hello", "Gerne, ja.")
    (event,) = replies(mailgun.tenant)
    assert (event["email_id"], event["thread_id"]) == (email_id, thread["id"])
    assert "replied" in [entry["type"] for entry in shown(mailgun.key, email_id)["events"]]


@pytest.mark.parametrize("by", ["In-Reply-To", "References", "plus"])
def test_a_conversation_is_found_by_what_an_answer_refers_to(mailgun: MailgunInbound, by: str) -> None:
    email_id, to = mailgun.sent()
    mailgun.answer(to, our_id(email_id))
    more: dict[str, Any] = {"headers": {by: f"<x@example.com> {our_id(email_id)}"}}
    if by == "plus":
        more = {"to": f"Shop <shop+{UUID(email_id).hex}@mg.example.com>"}

    mailgun.answer(f"colleague-of-{to}", text="And another thing.", **more)

    (thread,) = threads(mailgun.key)
    assert thread["snippet"] == "And another thing."


def test_a_mail_that_is_forwarded_again_is_known(mailgun: MailgunInbound) -> None:
    email_id, to = mailgun.sent()
    fields = mailgun.fields(to, our_id(email_id))
    anew = {**fields, "token": uuid4().hex}
    anew["signature"] = sign(mailgun.signing_key, fields["timestamp"], anew["token"])

    assert [mailgun.post(each).json["outcome"] for each in (fields, fields, anew)] == ["taken", "known", "known"]
    assert len(replies(mailgun.tenant)) == 1


def test_a_note_of_absence_is_kept_and_is_no_answer(mailgun: MailgunInbound) -> None:
    email_id, to = mailgun.sent()

    mailgun.answer(to, our_id(email_id), headers={"Auto-Submitted": "auto-replied"})

    assert len(threads(mailgun.key)) == 1
    assert replies(mailgun.tenant) == []


def test_who_answers_gets_no_further_mail_of_a_campaign_that_pauses_on_replies(mailgun: MailgunInbound) -> None:
    tenant, key, to = mailgun.tenant, mailgun.key, f"{uuid4().hex}@example.com"
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

    mailgun.answer(to, our_id(email_id))
    pass_time(tenant, days=2)
    make_due(tenant)
    carry_out(tenant)

    assert (ledger(tenant)[to]["status"], ledger(tenant)[to]["reason"]) == ("exited", "replied")


def test_an_answer_to_somebody_elses_mail_is_not_theirs(mailgun: MailgunInbound, other_tenant: TestTenant) -> None:
    theirs = MailgunInbound(other_tenant, other_tenant.key())
    email_id, to = theirs.sent()

    mailgun.answer(to, our_id(email_id))

    assert threads(theirs.key) == []
    assert replies(other_tenant) == replies(mailgun.tenant) == []


def test_only_mailgun_may_forward_and_only_what_is_fresh(mailgun: MailgunInbound) -> None:
    fields = mailgun.fields("ada@example.com")
    old = str(int(time.time()) - 600)
    stale = {**fields, "timestamp": old, "signature": sign(mailgun.signing_key, old, fields["token"])}

    assert mailgun.post({**fields, "signature": sign("guess", fields["timestamp"], fields["token"])}).status == 401
    assert mailgun.post(stale).status == 401
    assert threads(mailgun.key) == []


def test_a_signature_is_good_for_one_mail(mailgun: MailgunInbound) -> None:
    fields = mailgun.fields("ada@example.com")
    mailgun.post(fields)
    other = mailgun.fields("eve@example.com")

    forged = mailgun.post({**other, **{name: fields[name] for name in ("timestamp", "token", "signature")}})

    assert forged.status == 401
    assert [thread["correspondent"] for thread in threads(mailgun.key)] == ["ada@example.com"]


def test_a_mail_without_a_sender_or_with_broken_headers_is_no_failure(mailgun: MailgunInbound) -> None:
    nobody = {**mailgun.fields("nobody"), "sender": ""}
    broken = {**mailgun.fields("ada@example.com"), "message-headers": '[["From"], 3, {"a": 1}]', "Date": "yesterday"}

    assert mailgun.post(nobody).json == {"outcome": "ignored"}
    assert mailgun.post(broken).json == {"outcome": "taken"}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nv'),
        ("application/x-www-form-urlencoded", b"a&" * 2_000),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(mailgun: MailgunInbound, content_type: str, body: bytes) -> None:
    answer = call(handler, "POST", mailgun.path, raw=body, headers={"Content-Type": content_type})

    assert answer.status == 400


def test_other_types_of_body_are_refused(mailgun: MailgunInbound) -> None:
    answer = call(handler, "POST", mailgun.path, raw=b"<a/>", headers={"Content-Type": "text/xml"})

    assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_the_sandbox_forwards_by_the_routes_that_were_made(provider_sandbox: SandboxServer) -> None:
    key = f"sandbox-{uuid4().hex}"
    hook = f"{provider_sandbox.url}/v3/nowhere"

    async def exchange() -> tuple[int, Any]:
        async with aiohttp.ClientSession() as session:
            made = {"expression": "catch_all()", "action": f'forward("{hook}")'}
            async with session.post(
                f"{provider_sandbox.url}/v3/routes", data=made, headers={"Authorization": basic("api", key)}
            ) as answer:
                status = answer.status
            mail = {"api_key": key, "from": "ada@example.com", "to": "shop@mg.example.com"}
            async with session.post(f"{provider_sandbox.url}/sandbox/mailgun/incoming", json=mail) as answer:
                return status, await answer.json()

    assert run_aside(exchange()) == (200, {"forwarded": [404]})
