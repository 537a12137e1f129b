"""A campaign's mail can be looked at with anybody's fields, and sent to oneself, without touching the campaign."""

from typing import Any
from uuid import uuid4

import pytest

from emails.app import handler as emails
from local.services.mail import MailCatcher
from penguinmails.auth.scopes import Scope
from send_emails.app import handler as send_emails
from tests.support.campaigns import WAIT, add_contact, ask, draft, ledger
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestKey, TestTenant

MAIL = {
    "type": "email",
    "subject": "Hello {{ first_name }}",
    "html_body": "<p>Dear {{ first_name }} of {{ attributes.city_code | default('nowhere') }}</p>",
    "variant_b": {"subject": "Hi {{ first_name }}"},
}


@pytest.fixture
def campaign(key: TestKey) -> dict[str, Any]:
    return draft(key, steps=[MAIL, WAIT, {"type": "email", "subject": "Later", "text_body": "Bye"}])


def preview(key: TestKey, campaign: dict[str, Any], **body: Any) -> Answer:
    return ask(key, "POST", f"/{campaign['id']}/preview", json=body)


def test_a_preview_has_the_contact_s_fields(key: TestKey, campaign: dict[str, Any]) -> None:
    contact_id = add_contact(key, first_name="Ada <3")

    answer = preview(key, campaign, contact_id=str(contact_id))

    assert answer.status == 200, answer.body
    assert answer.json == {
        "subject": "Hello Ada <3",
        "html_body": "<p>Dear Ada &lt;3 of nowhere</p>",
        "text_body": "Dear Ada <3 of nowhere",
    }


def test_values_win_over_the_contact_s(key: TestKey, campaign: dict[str, Any]) -> None:
    contact_id = add_contact(key, first_name="Ada")
    values = {"first_name": "Grace", "attributes": {"city_code": "NYC"}}

    answer = preview(key, campaign, contact_id=str(contact_id), values=values)

    assert answer.json["html_body"] == "<p>Dear Grace of NYC</p>"


def test_either_version_and_any_step_can_be_seen(key: TestKey, campaign: dict[str, Any]) -> None:
    later = campaign["steps"][2]["order"]

    assert preview(key, campaign, version="b", values={"first_name": "Ada"}).json["subject"] == "Hi Ada"
    assert preview(key, campaign, step=later).json["subject"] == "Later"


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "values.first_name", "the text needs first_name"),
        ({"step": 2}, "step", "no step of type email"),
        ({"contact_id": str(uuid4())}, "contact_id", "names no contact"),
        ({"values": {"first_name": "Ada", "attributes": 3}}, "values.attributes", "must be an object"),
    ],
)
def test_what_cannot_be_shown_is_told_by_field(
    key: TestKey, campaign: dict[str, Any], body: dict[str, Any], field: str, words: str
) -> None:
    answer = preview(key, campaign, **body)

    assert answer.status == 400
    assert answer.json["errors"][0]["field"] == field
    assert words in answer.json["errors"][0]["message"]


def test_a_step_without_another_version_has_no_b(key: TestKey, campaign: dict[str, Any]) -> None:
    answer = preview(key, campaign, version="b", step=campaign["steps"][2]["order"])

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "version")


@pytest.mark.parametrize("path", ["preview", "test"])
def test_a_campaign_without_an_email_is_409_and_an_unknown_one_404(key: TestKey, path: str) -> None:
    empty = draft(key, steps=[WAIT])
    body = {"to": ["me@example.com"]} if path == "test" else {}

    assert ask(key, "POST", f"/{empty['id']}/{path}", json=body).status == 409
    unknown = ask(key, "POST", f"/{uuid4()}/{path}", json=body)
    assert (unknown.status, unknown.code) == (404, "CAMPAIGN_NOT_FOUND")


def test_a_test_mail_reaches_its_readers_and_is_in_no_figure(
    tenant: TestTenant, key: TestKey, campaign: dict[str, Any], mail_catcher: MailCatcher
) -> None:
    to = [f"{uuid4().hex}@example.com" for _ in range(2)]

    answer = ask(key, "POST", f"/{campaign['id']}/test", json={"to": to, "values": {"first_name": "Ada"}})
    assert answer.status == 200, answer.body
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    assert [item["to"] for item in answer.json["items"]] == to
    for address in to:
        (mail,) = mail_catcher.mails_to(address)
        assert (mail.subject, (mail.html or "").strip()) == ("[Test] Hello Ada", "<p>Dear Ada of nowhere</p>")
    found = call(emails, "GET", f"/api/v1/emails/{answer.json['items'][0]['id']}", token=key.plaintext).json
    assert (found["tags"], found["metadata"]) == (["campaign-test"], {"campaign_id": campaign["id"]})
    assert ledger(tenant) == {}
    assert ask(key, "GET", f"/{campaign['id']}").json["stats"]["sent"] == 0


def test_a_test_makes_mail_leave_so_it_needs_that_scope_too(tenant: TestTenant, campaign: dict[str, Any]) -> None:
    key = tenant.key(Scope.MANAGE_CAMPAIGNS)

    refused = ask(key, "POST", f"/{campaign['id']}/test", json={"to": ["me@example.com"]})

    assert (refused.status, refused.json["required_scope"]) == (403, "send_email")


def test_a_test_goes_to_five_at_most(key: TestKey, campaign: dict[str, Any]) -> None:
    body = {"to": [f"{number}@example.com" for number in range(6)], "values": {"first_name": "Ada"}}

    assert ask(key, "POST", f"/{campaign['id']}/test", json=body).status == 400
