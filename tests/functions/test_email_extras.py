"""Attachments and metadata of emails, and the simulator of test mode."""

import base64
from typing import Any
from uuid import uuid4

import pytest

from contacts.app import handler as contacts
from emails.app import handler as emails
from local.services.mail import MailCatcher
from penguinmails.db import transaction
from penguinmails.domain import simulated
from send_emails.app import handler as send_emails
from sweep_emails.app import handler as sweep_emails
from tests.support.campaigns import add_contact, carry_out, ledger, mails, started
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant

SEND = "/api/v1/emails/send"


def send(key: TestKey, to: Any = None, **fields: Any) -> Answer:
    body = {"to": to or f"{uuid4().hex}@example.com", "subject": "Hello", "text_body": "Hello", **fields}
    return call(emails, "POST", SEND, token=key.plaintext, json=body)


def shown(key: TestKey, email_id: str) -> Any:
    return call(emails, "GET", f"/api/v1/emails/{email_id}", token=key.plaintext).json


def file(content: bytes = b"%PDF-1.7", **fields: Any) -> dict[str, Any]:
    return {"file_name": "invoice.pdf", "content": base64.b64encode(content).decode(), **fields}


def event_types(tenant: TestTenant) -> list[str]:
    with transaction(tenant_id=tenant.id, mode="test") as tx:
        return tx.all("SELECT type FROM events WHERE type LIKE 'email.%%' ORDER BY created_at, id", {})


# ---- attachments and metadata -----------------------------------------------------------------------------------------


def test_attachments_reach_every_recipient_and_are_listed_with_the_email(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    addresses = [f"{uuid4().hex}@example.com" for _ in range(2)]
    files = [file(b"\x00\xff" * 500), file(b"a;b\r\n", file_name="Zahlen für März.csv", content_type="text/csv")]
    answer = send(key, addresses, html_body="<p>Hello</p>", attachments=files, track_opens=False)
    assert answer.status == 200, answer.body
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    for address, item in zip(addresses, answer.json["items"], strict=True):
        (mail,) = mail_catcher.mails_to(address)
        assert mail.attachments == [
            ("invoice.pdf", "application/pdf", b"\x00\xff" * 500),
            ("Zahlen für März.csv", "text/csv", b"a;b\r\n"),
        ]
        assert (mail.text.strip(), (mail.html or "").strip()) == ("Hello", "<p>Hello</p>")
        assert shown(key, item["id"])["attachments"] == [
            {"file_name": "invoice.pdf", "content_type": "application/pdf", "size": 1000},
            {"file_name": "Zahlen für März.csv", "content_type": "text/csv", "size": 5},
        ]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([file(file_name="../../etc/passwd")], "plain file name"),
        ([file(file_name="a\r\nBcc: x@example.com")], "plain file name"),
        ([file(file_name='a".pdf')], "plain file name"),
        ([file(file_name="..")], "more than dots"),
        ([file(file_name="invoice.pdf.EXE")], "mail servers refuse"),
        ([file(file_name="invoice.exe. .")], "mail servers refuse"),
        ([file(content_type="text/html; charset=utf-8")], "media type"),
        ([file(content_type="message/rfc822")], "type of a file"),
        ([file() | {"content": "not base64!"}], "base64"),
        ([file(b"")], "at least 1"),
        ([file(b"x" * 1_500_001)] * 2, "3,000,000"),
        ([file()] * 11, "at most 10"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused_with_the_reason(
    key: TestKey, files: list[dict[str, Any]], says: str
) -> None:
    answer = send(key, attachments=files)

    assert answer.status == 400
    assert says in answer.body


def test_three_megabytes_of_files_fit_into_a_request(key: TestKey) -> None:
    answer = send(key, attachments=[file(b"x" * 3_000_000)])

    assert answer.status == 200, answer.body[:300]


def test_metadata_is_kept_with_the_email_and_not_sent(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    answer = send(key, metadata={"order_id": "7c1b"})
    consume(send_emails, *messages_for("emails", tenant.id))

    email = shown(key, answer.json["id"])
    (mail,) = mail_catcher.mails_to(email["to"])
    assert email["metadata"] == {"order_id": "7c1b"}
    assert "7c1b" not in str(mail)


# ---- the simulator ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status", "raised"),
    [
        ("delivered", "delivered", ["email.sent", "email.delivered"]),
        ("bounced", "bounced", ["email.sent", "email.bounced"]),
        ("soft-bounced", "bounced", ["email.sent", "email.bounced"]),
        ("complained", "delivered", ["email.sent", "email.delivered", "email.spam_reported"]),
    ],
)
def test_an_address_of_the_simulator_acts_out_its_name_every_time(
    tenant: TestTenant, mail_catcher: MailCatcher, name: str, status: str, raised: list[str]
) -> None:
    key, to = tenant.key(mode="test"), f"{name}+{uuid4().hex}@{simulated.DOMAIN}"
    person = call(contacts, "POST", "/api/v1/contacts", token=key.plaintext, json={"email": to}).json

    for _ in range(2):
        answer = send(key, to)
        assert answer.status == 200, answer.body
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []
        assert shown(key, answer.json["id"])["status"] == status

    assert event_types(tenant) == raised * 2
    assert mail_catcher.mails_to(to) == []
    assert call(contacts, "GET", f"/api/v1/contacts/{person['id']}", token=key.plaintext).json["status"] == "active"


def test_a_simulated_delay_is_overcome_by_the_second_attempt(tenant: TestTenant) -> None:
    key = tenant.key(mode="test")
    email_id = send(key, f"delayed@{simulated.DOMAIN}").json["id"]
    consume(send_emails, *messages_for("emails", tenant.id))
    assert [event["type"] for event in shown(key, email_id)["events"]] == ["queued", "deferred"]

    with transaction(tenant_id=tenant.id, mode="test") as tx:
        tx.run("UPDATE emails SET next_sweep_at = now()", {})
    messages_for("emails", tenant.id)
    run_job(sweep_emails)
    consume(send_emails, *messages_for("emails", tenant.id))

    assert [event["type"] for event in shown(key, email_id)["events"]] == ["queued", "deferred", "sent", "delivered"]


def test_the_suppressed_address_is_refused_alone_and_skipped_in_a_list(tenant: TestTenant) -> None:
    key, to = tenant.key(mode="test"), f"suppressed@{simulated.DOMAIN}"

    assert send(key, to).code == "RECIPIENT_SUPPRESSED"
    items = send(key, [to, f"delivered@{simulated.DOMAIN}"]).json["items"]

    assert [item["status"] for item in items] == ["suppressed", "queued"]


def test_the_simulator_is_for_test_mode_and_for_what_it_knows(tenant: TestTenant, key: TestKey) -> None:
    live = send(key, f"delivered@{simulated.DOMAIN}")
    unknown = send(tenant.key(mode="test"), f"exploded@{simulated.DOMAIN}")

    assert (live.status, unknown.status) == (400, 400)
    assert "test mode" in live.body
    assert "soft-bounced@" in unknown.body


def test_campaigns_act_out_the_simulator_in_test_mode(tenant: TestTenant) -> None:
    key = tenant.key(mode="test")
    add_contact(key, email=f"bounced@{simulated.DOMAIN}")
    add_contact(key, email=f"delivered@{simulated.DOMAIN}")
    started(key)

    carry_out(tenant, "test")

    assert {mail["status"] for mail in mails(tenant, "test")} == {"bounced", "delivered"}
    assert sorted(event_types(tenant)) == ["email.bounced", "email.delivered", "email.sent", "email.sent"]


def test_a_live_campaign_never_writes_to_the_simulator(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    add_contact(key, email=f"delivered+{tenant.id.hex}@{simulated.DOMAIN}")
    started(key)

    carry_out(tenant)

    assert mail_catcher.mails_to(f"delivered+{tenant.id.hex}@{simulated.DOMAIN}") == []
    assert [row["reason"] for row in ledger(tenant).values()] == ["suppressed"]
