"""Addresses with other than ASCII characters on either side of the @: written to, answered from, refused where they must be."""

import smtplib
from typing import Any
from uuid import uuid4

import idna
import pytest

from emails.app import handler as emails
from inbox.app import handler as inbox
from local.sandboxes.server import SandboxServer
from local.services.mail import MailCatcher
from penguinmails.db import Mode, transaction
from penguinmails.domain.mail_addresses import as_kept, on_the_wire
from send_emails.app import handler as send_emails
from tests.support.campaigns import EMAIL, add_contact, ask, carry_out, draft, ledger, mails, started
from tests.support.domains import is_signed
from tests.support.http import call
from tests.support.incoming import PostmarkInbound, address_of, relay
from tests.support.people import signed_in
from tests.support.providers import configure, configured, send_by, shown
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestKey, TestTenant
from tests.support.vaults import AsSender


def somebody() -> str:
    return f"jürgen.{uuid4().hex}@straße.de"


def wire(address: str) -> str:
    return address.replace("straße.de", "xn--strae-oqa.de")


def test_a_mail_to_an_international_address_arrives_signed_and_whole(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, as_sender: AsSender
) -> None:
    domain = f"bücher-{uuid4().hex[:12]}.de"
    ascii_domain = tenant.verified_domain(idna.encode(domain).decode())
    to, sender = somebody(), f"Bücher <grüße@{domain}>"
    send_by(tenant, key, "smtp", f"reject.{uuid4().hex}@example.com")  # after which the kept connection was reset
    body = {"to": to, "from": sender, "reply_to": f"fragen@{domain}", "subject": "Grüße", "html_body": "<p>Schön</p>"}

    assert call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body).json["to"] == to
    with as_sender():
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    (mail,) = mail_catcher.mails_to(wire(to))
    assert mail.sender == f"grüße@{ascii_domain}"
    assert (mail.headers["From"], mail.headers["To"]) == (f"Bücher <grüße@{ascii_domain}>", wire(to))
    assert mail.headers["Reply-To"] == f"fragen@{ascii_domain}"
    assert mail.subject == "Grüße"
    assert (mail.html or "").startswith("<p>Schön</p>")
    assert is_signed(mail.content, ascii_domain)


def test_a_campaign_writes_to_and_from_international_addresses(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, as_sender: AsSender
) -> None:
    domain = f"bücher-{uuid4().hex[:12]}.de"
    ascii_domain = tenant.verified_domain(idna.encode(domain).decode())
    to = somebody()
    add_contact(key, email=to)

    started(key, from_email=f"grüße@{domain}", from_name="Bücher")
    with as_sender():
        carry_out(tenant)

    (mail,) = mail_catcher.mails_to(wire(to))
    assert mail.headers["From"] == f"Bücher <grüße@{ascii_domain}>"
    assert is_signed(mail.content, ascii_domain)


def test_a_mail_server_that_takes_no_such_address_is_a_failure_and_bars_nobody(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows = smtplib.SMTP.has_extn
    monkeypatch.setattr(smtplib.SMTP, "has_extn", lambda self, name: name != "smtputf8" and knows(self, name))
    to = somebody()

    email_id = send_by(tenant, key, "smtp", to)

    assert mail_catcher.mails_to(wire(to)) == []
    email = shown(key, email_id)
    assert (email["status"], "SMTPUTF8" in email["error"]) == ("failed", True)


def test_mailgun_takes_such_addresses(tenant: TestTenant, key: TestKey, provider_sandbox: SandboxServer) -> None:
    configured(tenant, "mailgun")
    to = somebody()

    email_id = send_by(tenant, key, "mailgun", to)

    assert shown(key, email_id)["status"] == "sent"
    assert len(provider_sandbox.memory.to(wire(to))) == 1


@pytest.mark.parametrize("mode", ["live", "test"])
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"to": "jürgen@example.com"}, ["to"]),
        ({"to": ["ada@example.com", "jürgen@example.com", "zoë@example.com"]}, ["to.1", "to.2"]),
        ({"from": "Bücher <grüße@example.com>"}, ["from"]),
        ({"reply_to": "grüße@example.com"}, ["reply_to"]),
    ],
)
def test_what_postmark_would_refuse_is_refused_with_the_request(
    tenant: TestTenant, mode: Mode, fields: dict[str, Any], named: list[str]
) -> None:
    configured(tenant, "postmark")
    body = {"to": "ada@example.com", "subject": "Hello", "text_body": "Hello", "provider": "postmark", **fields}

    answer = call(emails, "POST", "/api/v1/emails/send", token=tenant.key(mode=mode).plaintext, json=body)

    assert answer.status == 400
    assert [(fault["field"], fault["code"]) for fault in answer.json["errors"]] == [
        (field, "unsupported_by_provider") for field in named
    ]
    assert "before the @" in answer.json["detail"]
    assert messages_for("emails", tenant.id) == []


def test_postmark_takes_a_domain_of_any_characters(
    tenant: TestTenant, key: TestKey, provider_sandbox: SandboxServer
) -> None:
    configured(tenant, "postmark")
    to = f"{uuid4().hex}@straße.de"

    assert shown(key, send_by(tenant, key, "postmark", to))["status"] == "sent"
    assert len(provider_sandbox.memory.to(wire(to))) == 1


def test_a_default_sender_that_postmark_would_refuse_is_refused_when_the_account_is_set_up(tenant: TestTenant) -> None:
    answer = configure(signed_in(tenant), "postmark", default_sender="Bücher <grüße@example.com>")

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "default_sender")


def test_a_campaign_by_postmark_skips_who_it_cannot_write_to_and_says_so(
    tenant: TestTenant, key: TestKey, provider_sandbox: SandboxServer
) -> None:
    configured(tenant, "postmark")
    ada, foreign = f"{uuid4().hex}@example.com", somebody()
    skipped = add_contact(key, email=foreign)
    add_contact(key, email=ada)

    campaign_id = started(key, provider="postmark")
    carry_out(tenant)

    assert len(provider_sandbox.memory.to(ada)) == 1
    assert [mail["to_email"] for mail in mails(tenant)] == [ada]
    row = ledger(tenant)[foreign]
    assert (row["status"], row["reason"]) == ("exited", "address_unsupported")
    assert "Postmark" in ask(key, "GET", f"/{campaign_id}/recipients/{skipped}").json["explanation"]


@pytest.mark.parametrize("field", ["from_email", "reply_to_email"])
def test_a_campaign_by_postmark_has_no_address_that_it_refuses(tenant: TestTenant, key: TestKey, field: str) -> None:
    configured(tenant, "postmark")
    address = {field: "grüße@example.com"}

    refused = ask(key, "POST", json={"name": "Launch", "provider": "postmark", "steps": [EMAIL], **address})
    campaign_id = draft(key, **address)["id"]
    changed = ask(key, "PUT", f"/{campaign_id}", json={"provider": "postmark"})
    with transaction(tenant_id=tenant.id, mode="live") as tx:  # as it may have been stored before
        tx.run("UPDATE campaigns SET provider = 'postmark'", {})
    begun = ask(key, "POST", f"/{campaign_id}/start")

    for answer in (refused, changed, begun):
        assert (answer.status, [fault["field"] for fault in answer.json["errors"]]) == (400, [field])


def test_who_answers_from_an_international_domain_is_the_contact_who_was_written_to(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, reply_domain: None
) -> None:
    to = f"{uuid4().hex}@straße.de"
    contact_id = add_contact(key, email=to)
    email_id = send_by(tenant, key, "smtp", to)
    mail = f"From: {wire(to)}\r\nMessage-ID: <{uuid4().hex}@x.example>\r\nSubject: Re\r\n\r\nJa".encode()

    assert relay(mail, address_of(email_id), sender=wire(to)).json == {"outcome": "taken"}
    assert PostmarkInbound(tenant, key).answer(wire(to)).json == {"outcome": "taken"}

    threads = call(inbox, "GET", "/api/v1/inbox/threads", token=key.plaintext).json["data"]
    assert [(thread["correspondent"], thread["contact_id"]) for thread in threads] == [(to, str(contact_id))] * 2


@pytest.mark.parametrize(
    ("kept", "carried"),
    [
        ("ada@example.com", "ada@example.com"),
        ("ada@bücher.de", "ada@xn--bcher-kva.de"),
        ("jürgen@bücher.de", "jürgen@xn--bcher-kva.de"),
        ("ada@" + "ü" * 70 + ".de", "ada@" + "ü" * 70 + ".de"),
    ],
)
def test_an_address_has_two_forms(kept: str, carried: str) -> None:
    assert (on_the_wire(kept), as_kept(carried)) == (carried, kept)
