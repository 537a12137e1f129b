"""Accounts: signing up, proving an address, and getting back in."""

import re
from uuid import UUID, uuid4

import pytest

from accounts.app import handler
from local.services.mail import MailCatcher
from me.app import handler as me_handler
from penguinmails.db import transaction
from send_platform_mail.app import handler as mail_handler
from tests.support.http import Answer, call
from tests.support.people import PASSWORD, Person, sign_in, signed_in
from tests.support.queues import consume, receive
from tests.support.tenants import TestTenant

ACCOUNTS = "/api/v1/accounts"


def new_address() -> str:
    return f"{uuid4().hex}@example.com"


def post(path: str, **body: str) -> Answer:
    number = uuid4().int
    return call(handler, "POST", ACCOUNTS + path, json=body, ip=f"10.2.{number % 256}.{number // 256 % 256}")


def sign_up(email: str, /, **fields: str) -> Answer:
    return post("", **{"email": email, "password": PASSWORD, "name": "Ada", "company": "Engines Ltd", **fields})


def deliver_platform_mail() -> None:
    assert consume(mail_handler, *receive("platform_mail")) == []


def token_in_mail(mail_catcher: MailCatcher, email: str, path: str) -> str:
    deliver_platform_mail()
    text = mail_catcher.mails_to(email)[-1].text
    found = re.search(rf"/{path}#token=(\S+)", text)
    assert found, text
    return found[1]


@pytest.fixture
def email() -> str:
    return new_address()


def test_signing_up_makes_a_tenant_on_the_starter_plan_once_the_address_is_proved(
    email: str, mail_catcher: MailCatcher
) -> None:
    assert sign_up(email).status == 202
    assert sign_in(email).status == 403

    assert post("/verify-email", token=token_in_mail(mail_catcher, email, "verify-email")).status == 200

    session = sign_in(email)
    assert session.status == 201
    me = call(me_handler, "GET", "/api/v1/me", token=session.json["access_token"]).json
    assert (me["role"], me["plan"]) == ("owner", "starter")
    with transaction(tenant_id=UUID(me["tenant_id"])) as tx:
        assert tx.all("SELECT slug FROM workspaces WHERE is_default", {}) == ["engines-ltd"]


def test_signing_up_twice_answers_alike_and_tells_only_the_owner(email: str, mail_catcher: MailCatcher) -> None:
    first = sign_up(email)
    second = sign_up(email.upper())

    assert first.json == second.json
    deliver_platform_mail()
    subjects = [mail.subject for mail in mail_catcher.mails_to(email)]
    assert subjects == ["Confirm your e-mail address", "You already have an account"]


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Short1", "too_short"),
        ("Aa1" + "x" * 70, "too_long"),
        ("Äö1" + "ü" * 35, "too_long"),
        ("lower-case-1", "too_simple"),
        ("No-digits-here", "too_simple"),
    ],
)
def test_a_bad_password_says_what_is_wrong(email: str, password: str, reason: str) -> None:
    answer = sign_up(email, password=password)

    assert answer.status == 400
    assert (answer.json["errors"][0]["field"], answer.json["errors"][0]["code"]) == ("password", reason)
    assert password not in answer.body


@pytest.mark.parametrize("fields", [{"email": "nonsense"}, {"name": ""}, {"company": "a\x00b"}, {"plan": "enterprise"}])
def test_a_bad_field_is_named(email: str, fields: dict[str, str]) -> None:
    answer = sign_up(email, **fields)

    assert answer.status == 400
    assert [error["field"] for error in answer.json["errors"]] == list(fields)


def test_a_link_works_once(email: str, mail_catcher: MailCatcher) -> None:
    sign_up(email)
    token = token_in_mail(mail_catcher, email, "verify-email")

    assert post("/verify-email", token=token).status == 200
    assert post("/verify-email", token=token).status == 400


def test_an_unknown_link_is_refused() -> None:
    assert post("/verify-email", token="x" * 43).json["errors"][0]["field"] == "token"


def test_no_table_and_no_queue_holds_a_working_link(email: str, mail_catcher: MailCatcher) -> None:
    sign_up(email)
    queued = receive("platform_mail")
    assert consume(mail_handler, *queued) == []
    token = token_in_mail(mail_catcher, email, "verify-email")

    assert token not in str(queued)
    with transaction(role="jobs") as tx:
        assert not [row for row in tx.all("SELECT row_to_json(m)::text FROM mail_outbox m", {}) if token in row]


def test_the_same_message_twice_sends_one_mail(email: str, mail_catcher: MailCatcher) -> None:
    sign_up(email)
    messages = receive("platform_mail")

    consume(mail_handler, *messages)
    consume(mail_handler, *messages)

    assert len(mail_catcher.mails_to(email)) == 1


def test_the_verification_mail_can_be_asked_for_again_but_not_within_the_hour(
    email: str, mail_catcher: MailCatcher
) -> None:
    sign_up(email)

    assert post("/resend-verification", email=email).status == 202
    assert post("/resend-verification", email=new_address()).status == 202

    deliver_platform_mail()
    assert len(mail_catcher.mails_to(email)) == 1


def test_a_forgotten_password_is_replaced_by_mail_and_ends_every_session(
    tenant: TestTenant, mail_catcher: MailCatcher
) -> None:
    person = signed_in(tenant)

    assert post("/password/forgot", email=person.email).status == 202
    token = token_in_mail(mail_catcher, person.email, "reset-password")
    assert post("/password/reset", token=token, password="weak").status == 400
    assert post("/password/reset", token=token, password="Brand-new-pass-1").status == 200

    assert person.call(me_handler, "GET", "/api/v1/me").status == 401
    assert sign_in(person.email).status == 401
    assert sign_in(person.email, "Brand-new-pass-1").status == 201


def test_asking_for_an_unknown_address_answers_alike() -> None:
    assert post("/password/forgot", email=new_address()).status == 202


def change_password(person: Person, current: str, new: str) -> Answer:
    body = {"current_password": current, "new_password": new}
    return person.call(handler, "PUT", f"{ACCOUNTS}/password", json=body)


def test_changing_the_password_ends_all_other_sessions(tenant: TestTenant) -> None:
    person = signed_in(tenant)
    elsewhere = sign_in(person.email).json["access_token"]

    assert change_password(person, PASSWORD, "Brand-new-pass-1").status == 200

    assert person.call(me_handler, "GET", "/api/v1/me").status == 200
    assert call(me_handler, "GET", "/api/v1/me", token=elsewhere).status == 401


def test_changing_the_password_needs_the_present_one(tenant: TestTenant) -> None:
    answer = change_password(signed_in(tenant), "Wrong-password-1", "Brand-new-pass-1")

    assert answer.json["errors"][0]["field"] == "current_password"


def test_one_address_cannot_cause_mail_without_end() -> None:
    statuses = [
        call(handler, "POST", f"{ACCOUNTS}/password/forgot", json={"email": new_address()}, ip="192.0.2.7").status
        for _ in range(21)
    ]

    assert statuses == [202] * 20 + [429]
