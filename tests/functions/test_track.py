"""Links in mails: followed without being open redirects, ended with one click, and read as what people did."""

import contextlib
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from contacts.app import handler as contacts
from emails.app import handler as emails
from local.services.mail import CaughtMail, MailCatcher
from penguinmails.db import transaction
from penguinmails.errors import ServiceUnavailable
from send_emails.app import handler as send
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestKey, TestTenant
from track import service
from track.app import handler

PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140 Safari/537.36"
HTML = '<html><body><p><a href="https://shop.example.com/a?x=1&amp;y=2">Shop</a></p></body></html>'


@pytest.fixture
def address() -> str:
    return f"ada.{uuid4().hex}@example.com"


def sent(tenant: TestTenant, key: TestKey, catcher: MailCatcher, to: str, **fields: Any) -> tuple[str, CaughtMail]:
    """An email that has left: its id, and what the recipient got."""
    body = {"to": to, "subject": "News", "html_body": HTML, **fields}
    answer = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body)
    assert answer.status == 200, answer.body
    assert consume(send, *messages_for("emails", tenant.id)) == []
    (mail,) = catcher.mails_to(to)
    return answer.json["id"], mail


def html_of(mail: CaughtMail) -> str:
    assert mail.html is not None
    return mail.html


def links(mail: CaughtMail) -> dict[str, str]:
    """What leads to us, by what it is for: o, c and u."""
    found = re.findall(r'(?:href|src)="(https://links\.example\.test/t/(\w)/[^"]+)"', html_of(mail))
    return {kind: unescape(address) for address, kind in found}


def visit(address: str, method: str = "GET", agent: str = PERSON, **request: Any) -> Answer:
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    headers = {"User-Agent": agent, **request.pop("headers", {})}
    return call(handler, method, parts.path, query=query or None, headers=headers, **request)


def shown(key: TestKey, email_id: str) -> dict[str, Any]:
    return call(emails, "GET", f"/api/v1/emails/{email_id}", token=key.plaintext).json


def raised(tenant: TestTenant, prefix: str) -> list[tuple[str, dict[str, Any]]]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        rows = tx.all("SELECT jsonb_build_array(type, data) FROM events ORDER BY created_at, id", {})
    return [(kind, data) for kind, data in rows if kind.startswith(prefix)]


def add(key: TestKey, email: str) -> str:
    answer = call(contacts, "POST", "/api/v1/contacts", token=key.plaintext, json={"email": email})
    assert answer.status == 201, answer.body
    return answer.json["id"]


# ---- Opens and clicks ----------------------------------------------------------------------------------------------------


def test_an_open_counts_for_the_mail_and_the_contact_and_is_told(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str
) -> None:
    contact_id = add(key, address)
    email_id, mail = sent(tenant, key, mail_catcher, address)

    answer = visit(links(mail)["o"])

    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert "no-store" in answer.headers["cache-control"]
    assert shown(key, email_id)["opens"] == 1
    contact = call(contacts, "GET", f"/api/v1/contacts/{contact_id}", token=key.plaintext).json
    assert contact["total_opens"] == 1
    assert contact["last_email_opened_at"] is not None
    ((_, data),) = raised(tenant, "email.opened")
    assert (data["email_id"], data["user_agent"], data["is_machine"]) == (email_id, PERSON, False)


def test_a_click_leads_where_the_sender_s_link_led_and_is_told(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str
) -> None:
    email_id, mail = sent(tenant, key, mail_catcher, address)

    answer = visit(links(mail)["c"])

    assert (answer.status, answer.headers["location"]) == (302, "https://shop.example.com/a?x=1&y=2")
    assert shown(key, email_id)["clicks"] == 1
    ((_, data),) = raised(tenant, "email.clicked")
    assert data["url"] == "https://shop.example.com/a?x=1&y=2"


@pytest.mark.parametrize(
    "agent", ["Mozilla/5.0", "", "Barracuda Sentinel (EE)", "python-requests/2.32", "Googlebot/2.1"]
)
def test_what_a_machine_loads_is_told_apart(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str, agent: str
) -> None:
    contact_id = add(key, address)
    email_id, mail = sent(tenant, key, mail_catcher, address)

    visit(links(mail)["o"], agent=agent)
    visit(links(mail)["c"], agent=agent)

    found = shown(key, email_id)
    assert (found["opens"], found["clicks"], found["machine_opens"], found["machine_clicks"]) == (0, 0, 1, 1)
    assert call(contacts, "GET", f"/api/v1/contacts/{contact_id}", token=key.plaintext).json["total_opens"] == 0
    assert [data["is_machine"] for _, data in raised(tenant, "email.")[1:]] == [True, True]


def test_the_picture_proxies_of_mail_services_load_for_a_person(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str
) -> None:
    email_id, mail = sent(tenant, key, mail_catcher, address)

    visit(
        links(mail)["o"],
        agent="Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    )

    assert shown(key, email_id)["opens"] == 1


def test_who_asks_for_headers_alone_opens_nothing(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str
) -> None:
    email_id, mail = sent(tenant, key, mail_catcher, address)

    answers = [visit(links(mail)[kind], "HEAD").status for kind in "oc"]

    found = shown(key, email_id)
    assert answers == [200, 302]
    assert (found["opens"], found["clicks"], found["machine_clicks"]) == (0, 0, 1)


def test_what_is_not_to_be_followed_is_not(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str
) -> None:
    _, mail = sent(tenant, key, mail_catcher, address, track_opens=False, track_links=False)

    assert links(mail) == {}
    assert 'href="https://shop.example.com/a?x=1&amp;y=2"' in html_of(mail)


@pytest.mark.parametrize(
    "href", ["mailto:ada@example.com", "tel:+123", "#top", "/relative", "javascript:alert(1)", "cid:logo"]
)
def test_only_links_to_the_web_are_followed(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str, href: str
) -> None:
    _, mail = sent(tenant, key, mail_catcher, address, html_body=f'<a href="{href}">x</a>')

    assert f'<a href="{href}">' in html_of(mail)


@contextlib.contextmanager
def no_database() -> Iterator[None]:
    raise ServiceUnavailable.retry_in(2, "The database cannot be reached.")
    yield


def test_a_reader_gets_on_though_nothing_can_be_recorded(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, mail = sent(tenant, key, mail_catcher, address)
    monkeypatch.setattr(service, "transaction", lambda **_: no_database())

    assert visit(links(mail)["c"]).status == 302
    assert visit(links(mail)["o"]).status == 200


# ---- No open redirect ----------------------------------------------------------------------------------------------------


def test_a_link_leads_nowhere_else(tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str) -> None:
    email_id, mail = sent(tenant, key, mail_catcher, address)
    ours = urlsplit(links(mail)["c"])

    for target in ("https://evil.example.com/", "https://shop.example.com/a?x=1", "", "javascript:alert(1)"):
        answer = call(handler, "GET", ours.path, query={"u": target}, headers={"User-Agent": PERSON})
        assert (answer.status, answer.code) == (404, "RESOURCE_NOT_FOUND")
        assert "location" not in answer.headers
    assert shown(key, email_id)["clicks"] == 0


def test_a_link_for_one_purpose_is_none_for_another(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str
) -> None:
    _, mail = sent(tenant, key, mail_catcher, address, email_type="marketing")
    token = links(mail)["o"].rpartition("/")[2]

    assert visit(f"https://links.example.test/t/u/{token}", "POST").status == 404
    assert visit(f"https://links.example.test/t/c/{token}").status == 404


# ---- Unsubscribing ---------------------------------------------------------------------------------------------------------


def test_commercial_mail_says_who_sends_it_and_how_to_end_it(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str
) -> None:
    _, mail = sent(tenant, key, mail_catcher, address, email_type="marketing", text_body="Hello")

    page = links(mail)["u"]
    assert mail.headers["List-Unsubscribe"] == f"<{page}>"
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for body in (html_of(mail), mail.text):
        assert "1 Ice Shelf Road, Port Stanley" in body
        assert page in unescape(body)


def test_a_transactional_mail_cannot_be_unsubscribed_from(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str
) -> None:
    _, mail = sent(tenant, key, mail_catcher, address)

    assert "u" not in links(mail)
    assert "List-Unsubscribe" not in mail.headers


def test_commercial_mail_of_an_account_without_a_postal_address_is_refused(
    tenant: TestTenant, key: TestKey, address: str
) -> None:
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE tenants SET settings = '{}'", {})
    body = {"to": address, "subject": "News", "text_body": "Hello", "email_type": "marketing"}

    refused = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body)

    assert (refused.status, refused.code) == (409, "POSTAL_ADDRESS_MISSING")
    assert "PUT /api/v1/account/sender" in refused.json["detail"]


def test_looking_at_the_page_changes_nothing(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str
) -> None:
    _, mail = sent(tenant, key, mail_catcher, address, email_type="marketing")

    answer = visit(links(mail)["u"])

    assert answer.status == 200
    assert "<button" in answer.body
    assert address not in answer.body
    assert "script-src" not in answer.headers["content-security-policy"]
    assert raised(tenant, "email.unsubscribed") == []


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("body", [b"List-Unsubscribe=One-Click", b""], ids=["one-click", "button"])
def test_one_click_ends_it_at_once_and_tells_both(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, address: str, body: bytes, media_type: str
) -> None:
    contact_id = add(key, address)
    _, mail = sent(tenant, key, mail_catcher, address, email_type="marketing")

    first = visit(links(mail)["u"], "POST", raw=body, headers={"Content-Type": media_type})
    again = visit(links(mail)["u"], "POST", raw=body, headers={"Content-Type": media_type})

    assert (first.status, again.status) == (200, 200)
    assert "You are unsubscribed" in first.body
    assert call(contacts, "GET", f"/api/v1/contacts/{contact_id}", token=key.plaintext).json["status"] == "unsubscribed"
    told = [kind for kind, _ in raised(tenant, "") if "unsubscribed" in kind]
    assert told == ["email.unsubscribed", "contact.unsubscribed"]
    another = {"to": address, "subject": "More", "text_body": "Hello"}
    refused = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=another)
    assert (refused.status, refused.code) == (409, "RECIPIENT_SUPPRESSED")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_of_nobody_is_404(method: str) -> None:
    answer = visit("https://links.example.test/t/u/AAAA", method)

    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "does not work" in answer.body
