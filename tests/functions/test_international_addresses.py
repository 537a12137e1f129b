"""Addresses with other than ASCII characters on either side of the @: written to, answered from, refused where they must be."""

import smtplib
from uuid import uuid4

import idna
import pytest

from emails.app import handler as emails
from inbox.app import handler as inbox
from local.sandboxes.server import SandboxServer
from local.services.mail import MailCatcher
from penguinmails.domain.mail_addresses import as_kept, on_the_wire
from send_emails.app import handler as send_emails
from tests.support.campaigns import add_contact, carry_out, started
from tests.support.domains import is_signed
from tests.support.http import call
from tests.support.incoming import PostmarkInbound, address_of, relay
from tests.support.providers import ProviderName, configured, send_by, shown
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


@pytest.mark.parametrize(("provider", "status"), [("mailgun", "sent"), ("postmark", "failed")])
def test_mailgun_takes_such_addresses_and_postmark_does_not(
    tenant: TestTenant, key: TestKey, provider_sandbox: SandboxServer, provider: ProviderName, status: str
) -> None:
    configured(tenant, provider)
    to = somebody()

    email_id = send_by(tenant, key, provider, to)

    assert shown(key, email_id)["status"] == status
    assert len(provider_sandbox.memory.to(wire(to))) == (status == "sent")


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
