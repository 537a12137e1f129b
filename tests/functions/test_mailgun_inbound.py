"""Mail that Mailgun forwards: taken from Mailgun alone, in either kind of form, and once. Where it belongs shows test_inbox."""

import time
from base64 import b64encode
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from inbox.app import handler as inbox
from local.sandboxes.mailgun import sign
from local.sandboxes.server import SandboxServer
from provider_events.app import handler
from tests.support.aio import run_aside
from tests.support.http import call
from tests.support.incoming import File, MailgunInbound
from tests.support.tenants import TestKey, TestTenant


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def mailgun(tenant: TestTenant, key: TestKey) -> MailgunInbound:
    return MailgunInbound(tenant, key)


def threads(key: TestKey) -> list[Any]:
    return call(inbox, "GET", "/api/v1/inbox/threads", token=key.plaintext).json["data"]


@pytest.mark.parametrize("files", [None, [("list.txt", "text/plain", b"a\r\nb\r\n--c\r\n")]])
def test_both_kinds_of_form_are_read(mailgun: MailgunInbound, files: list[File] | None) -> None:
    assert mailgun.post(mailgun.mail("Ada Löwe <ADA@example.com>", text="Gerne, ja."), files).json == {
        "outcome": "taken"
    }

    (thread,) = threads(mailgun.key)
    assert (thread["correspondent"], thread["subject"], thread["snippet"]) == (
        "ada@example.com",
        "Re: Hello",
        "Gerne, ja.",
    )


def test_a_mail_that_is_forwarded_again_is_known_whatever_it_is_signed_with(mailgun: MailgunInbound) -> None:
    fields = mailgun.mail("ada@example.com")
    anew = {**fields, "token": uuid4().hex}
    anew["signature"] = sign(mailgun.signing_key, fields["timestamp"], anew["token"])

    assert [mailgun.post(each).json["outcome"] for each in (fields, fields, anew)] == ["taken", "known", "known"]


def test_only_mailgun_may_forward_and_only_what_is_fresh(mailgun: MailgunInbound) -> None:
    fields = mailgun.mail("ada@example.com")
    old = str(int(time.time()) - 600)
    stale = {**fields, "timestamp": old, "signature": sign(mailgun.signing_key, old, fields["token"])}

    assert mailgun.post({**fields, "signature": sign("guess", fields["timestamp"], fields["token"])}).status == 401
    assert mailgun.post(stale).status == 401
    assert threads(mailgun.key) == []


def test_a_signature_is_good_for_one_mail(mailgun: MailgunInbound) -> None:
    fields = mailgun.mail("ada@example.com")
    mailgun.post(fields)
    other = mailgun.mail("eve@example.com")

    forged = mailgun.post({**other, **{name: fields[name] for name in ("timestamp", "token", "signature")}})

    assert forged.status == 401
    assert [thread["correspondent"] for thread in threads(mailgun.key)] == ["ada@example.com"]


def test_a_mail_without_a_sender_or_with_broken_headers_is_no_failure(mailgun: MailgunInbound) -> None:
    nobody = {**mailgun.mail("nobody"), "sender": ""}
    broken = {**mailgun.mail("ada@example.com"), "message-headers": '[["From"], 3, {"a": 1}]', "Date": "yesterday"}

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
