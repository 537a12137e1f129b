"""Mail that our own mail server hands over: answers, bounces and complaints find the mail that they are about."""

import asyncio
import smtplib
import time
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import web

from inbox.app import handler as inbox
from local.services.incoming_mail import IncomingMail
from local.services.mail import MailCatcher
from local.services.process import LOOPBACK, free_port
from penguinmails.db import transaction
from penguinmails.domain.incoming_mail import mail_of, relay_key
from penguinmails.platform_secrets import current_key
from provider_events.app import handler
from tests.support.campaigns import add_contact, carry_out, started
from tests.support.http import Answer, call
from tests.support.incoming import REPLY_DOMAIN, address_of, relay
from tests.support.providers import send_by, shown
from tests.support.tenants import TestKey, TestTenant

pytestmark = pytest.mark.usefixtures("reply_domain")


@pytest.fixture
def mailed(tenant: TestTenant, key: TestKey) -> tuple[str, str]:
    """Id and recipient of a mail that went out by the built-in server."""
    to = f"{uuid4().hex}@example.com"
    return send_by(tenant, key, "smtp", to), to


def our_id(email_id: str) -> str:
    return f"<{UUID(email_id).hex}@penguinmails.com>"


def written(sender: str, text: str = "Yes, please.", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = sender, "Re: Hello", f"<{uuid4()}@example.com>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def bounced(
    email_id: str | None,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 no such user",
) -> bytes:
    original = f"Message-ID: {our_id(email_id)}\r\nSubject: Hello\r\n" if email_id is not None else "Subject: Hello\r\n"
    return (
        "From: MAILER-DAEMON@mx.example.com\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n"
        f"Final-Recipient: rfc822; x@example.com\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: {diagnostic}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{original}\r\n--b--\r\n"
    ).encode()


def complained(email_id: str, kind: str = "abuse") -> bytes:
    return (
        "From: feedback@isp.example\r\nSubject: FW: Hello\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
        f"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: {kind}\r\nUser-Agent: ISP/1\r\nVersion: 1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {our_id(email_id)}\r\nSubject: Hello\r\n\r\nHello\r\n--b--\r\n"
    ).encode()


def threads(key: TestKey) -> list[Any]:
    return call(inbox, "GET", "/api/v1/inbox/threads", token=key.plaintext).json["data"]


def raised(tenant: TestTenant) -> list[str]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT type FROM events WHERE type LIKE 'email.%%' ORDER BY created_at, id", {})


def suppressions(tenant: TestTenant) -> list[str]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT reason FROM suppression_list", {})


def owns_domain(tenant: TestTenant) -> str:
    name = f"{uuid4().hex}.example"
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            """
            INSERT INTO domains (id, tenant_id, mode, domain, verification_status, verification_token, dkim_selector,
                                 dkim_public_key, secret_ref)
            VALUES (%(id)s, %(tenant_id)s, 'live', %(domain)s, 'verified', 'token', 'pm1', 'key', 'ref')
            """,
            {"id": uuid4(), "tenant_id": tenant.id, "domain": name},
        )
    return name


# ---- answers --------------------------------------------------------------------------------------------------------


def test_a_mail_says_where_answers_and_bounces_come_in(mailed: tuple[str, str], mail_catcher: MailCatcher) -> None:
    mail = mail_catcher.wait_for(mailed[1])

    assert mail.sender == mail.headers["Reply-To"] == address_of(mailed[0])
    assert mail_of(mail.sender.upper()) == UUID(mailed[0])


def test_an_own_reply_to_stays(tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher) -> None:
    to = f"{uuid4().hex}@example.com"
    email_id = send_by(tenant, key, "smtp", to, reply_to="desk@example.com")

    mail = mail_catcher.wait_for(to)
    assert (mail.headers["Reply-To"], mail.sender) == ("desk@example.com", address_of(email_id))


def test_mails_of_campaigns_say_it_too(tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher) -> None:
    to = f"{uuid4().hex}@example.com"
    add_contact(key, email=to)
    started(key, steps=[{"type": "email", "subject": "One", "text_body": "One"}])
    carry_out(tenant)

    mail = mail_catcher.wait_for(to)
    assert mail.sender == mail.headers["Reply-To"]
    assert relay(written(to), mail.sender).json == {"outcome": "taken"}
    assert [thread["campaign_id"] is not None for thread in threads(key)] == [True]


def test_an_answer_to_our_address_belongs_to_its_mail(
    tenant: TestTenant, key: TestKey, mailed: tuple[str, str]
) -> None:
    email_id, to = mailed
    content = written(f"Ada <{to}>", text="Grüße")

    outcomes = [relay(content, address_of(email_id), sender=to).json["outcome"] for _ in range(2)]

    assert outcomes == ["taken", "known"]
    (thread,) = threads(key)
    assert (thread["correspondent"], thread["snippet"]) == (to, "Grüße")
    assert raised(tenant) == ["email.sent", "email.replied"]
    assert "replied" in [entry["type"] for entry in shown(key, email_id)["events"]]


def test_an_answer_to_a_verified_domain_belongs_to_its_owner(
    tenant: TestTenant, key: TestKey, mailed: tuple[str, str]
) -> None:
    email_id, to = mailed
    domain = owns_domain(tenant)

    assert relay(written(to, In_Reply_To=our_id(email_id)), f"Sales@{domain.upper()}").json == {"outcome": "taken"}

    assert raised(tenant) == ["email.sent", "email.replied"]


def test_an_answer_to_somebody_elses_mail_is_not_theirs(
    tenant: TestTenant, other_tenant: TestTenant, mailed: tuple[str, str]
) -> None:
    relay(written(mailed[1], In_Reply_To=our_id(mailed[0])), f"x@{owns_domain(other_tenant)}")

    assert raised(other_tenant) == []
    assert raised(tenant) == ["email.sent"]


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ({"Auto_Submitted": "auto-replied"}, "ada@example.com"),
        ({"Precedence": "auto_reply"}, "ada@example.com"),
        ({}, ""),
    ],
)
def test_what_a_program_answers_is_kept_and_is_no_answer(
    tenant: TestTenant, key: TestKey, mailed: tuple[str, str], headers: dict[str, str], sender: str
) -> None:
    relay(written(mailed[1], **headers), address_of(mailed[0]), sender=sender)

    assert len(threads(key)) == 1
    assert raised(tenant) == ["email.sent"]


def test_html_alone_is_read_as_text(key: TestKey, mailed: tuple[str, str]) -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = mailed[1], "=?iso-8859-1?q?Gr=FC=DFe?="
    message.set_content("<p>Yes, <b>please</b>.</p><script>no()</script>", subtype="html")

    relay(message.as_bytes(), address_of(mailed[0]))

    (thread,) = threads(key)
    assert (thread["snippet"], thread["subject"]) == ("Yes, please.", "Grüße")


# ---- bounces and complaints ----------------------------------------------------------------------------------------


def test_a_bounce_of_a_missing_mailbox_bars_the_address(
    tenant: TestTenant, key: TestKey, mailed: tuple[str, str]
) -> None:
    email_id, _ = mailed

    outcomes = [relay(bounced(None), address_of(email_id), sender="").json["outcome"] for _ in range(2)]

    assert outcomes == ["taken", "nothing_new"]
    assert shown(key, email_id)["status"] == "bounced"
    assert raised(tenant) == ["email.sent", "email.bounced"]
    assert suppressions(tenant) == ["hard_bounce"]
    assert threads(key) == []


@pytest.mark.parametrize(
    ("report", "state", "events"),
    [
        ({"status": "5.2.2", "diagnostic": "smtp; 552 mailbox full"}, "bounced", ["email.bounced"]),
        ({"status": "4.4.7", "diagnostic": "X-Postfix; expired"}, "bounced", ["email.bounced"]),
        ({"action": "delayed", "status": "4.4.1", "diagnostic": "smtp; 451 later"}, "sent", []),
        ({"action": "delivered", "status": "2.0.0", "diagnostic": "smtp; 250 OK"}, "delivered", ["email.delivered"]),
        ({"action": "relayed", "status": "2.0.0", "diagnostic": "smtp; 250 OK"}, "sent", []),
    ],
)
def test_other_reports_bar_nothing(
    tenant: TestTenant, key: TestKey, mailed: tuple[str, str], report: dict[str, str], state: str, events: list[str]
) -> None:
    relay(bounced(mailed[0], **report), address_of(mailed[0]), sender="")

    assert shown(key, mailed[0])["status"] == state
    assert raised(tenant) == ["email.sent", *events]
    assert suppressions(tenant) == []


def test_a_bounce_to_the_senders_own_address_is_known_by_the_mail_that_it_holds(
    tenant: TestTenant, mailed: tuple[str, str]
) -> None:
    domain = owns_domain(tenant)

    assert relay(bounced(mailed[0]), f"shop@{domain}", sender="").json == {"outcome": "taken"}
    assert relay(bounced(None), f"shop@{domain}", sender="").json == {"outcome": "orphan"}
    assert suppressions(tenant) == ["hard_bounce"]


@pytest.mark.parametrize(
    ("kind", "outcome", "reasons"), [("abuse", "taken", ["spam_complaint"]), ("not-spam", "ignored", [])]
)
def test_a_complaint_bars_the_address(
    tenant: TestTenant, mailed: tuple[str, str], kind: str, outcome: str, reasons: list[str]
) -> None:
    answer = relay(complained(mailed[0], kind), f"abuse@{owns_domain(tenant)}", sender="fbl@isp.example")

    assert answer.json == {"outcome": outcome}
    assert suppressions(tenant) == reasons


# ---- who may hand over what -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"X-Relay-Signature": ""},
        {"X-Relay-Signature": "1:" + "0" * 64},
        {"X-Relay-Signature": "99:" + "0" * 64},
        {"X-Rcpt-To": "other@example.com"},
        {"X-Mail-From": "other@example.com"},
        {"X-Relay-Timestamp": str(int(time.time()) - 600)},
    ],
)
def test_only_our_mail_server_may_hand_over(
    tenant: TestTenant, mailed: tuple[str, str], changed: dict[str, str]
) -> None:
    assert relay(bounced(mailed[0]), address_of(mailed[0]), **changed).status == 401
    assert suppressions(tenant) == []


def test_an_address_that_nobody_signed_or_owns_is_404(mailed: tuple[str, str]) -> None:
    real = address_of(mailed[0])
    forged = real.replace("reply+a", "reply+b", 1)

    for address in (forged, f"reply+x@{REPLY_DOMAIN}", "reply+é@x", "nobody@nowhere.example", "nowhere"):
        assert relay(b"From: a@example.com\r\n\r\n", address).status in {401, 404}
    assert mail_of(forged) is None


def test_a_mail_that_is_too_large_is_refused(mailed: tuple[str, str]) -> None:
    assert relay(b"a" * 4_000_001, address_of(mailed[0])).status == 413


def test_a_mail_without_a_sender_is_ignored(mailed: tuple[str, str]) -> None:
    assert relay(b"Subject: x\r\n\r\nx", address_of(mailed[0]), sender="").json == {"outcome": "ignored"}


def test_a_mail_nested_beyond_all_measure_is_ignored(mailed: tuple[str, str]) -> None:
    content = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(5_000))

    assert relay(b"From: a@example.com\r\n" + content, address_of(mailed[0])).json == {"outcome": "ignored"}


# ---- the way in on one machine --------------------------------------------------------------------------------------


class Api:
    """Answers over HTTP what the handler answers, in a thread of its own."""

    def __init__(self) -> None:
        self.port = free_port()

    async def _take(self, request: web.Request) -> web.Response:
        sent = {name: value for name, value in request.headers.items() if name.lower().startswith(("x-", "content-t"))}
        content = await request.read()
        answer = await asyncio.to_thread(self._call, request.path, content, sent)
        return web.Response(status=answer.status, text=answer.body)

    def _call(self, path: str, content: bytes, headers: dict[str, str]) -> Answer:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            return call(handler, "POST", path, raw=content, headers=headers)
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def test_mail_comes_in_by_lmtp_and_refusals_go_back(key: TestKey, mailed: tuple[str, str]) -> None:
    from threading import Thread

    api, loop = Api(), asyncio.new_event_loop()
    app = web.Application()
    app.router.add_post("/webhooks/smtp/inbound", api._take)
    runner = web.AppRunner(app, access_log=None)
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> None:
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, api.port).start()

    asyncio.run_coroutine_threadsafe(listen(), loop).result(timeout=10)
    version, secret = current_key("link_keys")
    way_in = IncomingMail(f"http://{LOOPBACK}:{api.port}/webhooks/smtp/inbound", relay_key(secret), version)
    way_in.start()
    try:
        with smtplib.LMTP(LOOPBACK, way_in.port) as client:
            client.sendmail(
                mailed[1], [address_of(mailed[0])], written(mailed[1], text=".\nBy LMTP").replace(b"\n", b"\r\n")
            )
            with pytest.raises(smtplib.SMTPDataError) as refused:
                client.sendmail(mailed[1], ["nobody@nowhere.example"], written(mailed[1]))
        assert refused.value.smtp_code == 550
    finally:
        way_in.stop()
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
    assert [thread["snippet"] for thread in threads(key)] == [". By LMTP"]
