"""Staff help somebody back in who has lost both the phone and the recovery codes."""

from uuid import uuid4

import pytest

from local.services.mail import MailCatcher
from me.app import handler as me_handler
from penguinmails.db import transaction
from send_platform_mail.app import handler as send
from tests.support.authenticator import enrol
from tests.support.http import Answer
from tests.support.people import Person, sign_in, signed_in
from tests.support.queues import consume, messages_for
from tests.support.staff import StaffPerson, staff
from tests.support.tenants import TestTenant

RESETS = "/second-factor-resets"


@pytest.fixture
def person(tenant: TestTenant) -> Person:
    return signed_in(tenant)


def reset(by: StaffPerson, email: str) -> Answer:
    return by.confirmed("POST", RESETS, json={"email": email, "reason": "lost phone, known by a call back"})


def test_after_a_reset_the_password_is_enough_and_the_person_is_told(
    tenant: TestTenant, person: Person, mail_catcher: MailCatcher
) -> None:
    enrol(person)
    consume(send, *messages_for("platform_mail", tenant.id))

    answer = reset(staff("super_admin"), person.email)

    assert (answer.status, answer.json["user_id"]) == (200, str(person.id))
    assert person.call(me_handler, "GET", "/api/v1/me").status == 401, "the sessions have ended"
    assert sign_in(person.email).status == 201
    consume(send, *messages_for("platform_mail", tenant.id))
    assert mail_catcher.mails_to(person.email)[-1].subject == "Your account no longer asks for a code"


def test_a_reset_stands_in_the_accounts_audit_log_with_its_reason(tenant: TestTenant, person: Person) -> None:
    enrol(person)
    chief = staff("super_admin")

    reset(chief, person.email)

    with transaction(tenant_id=tenant.id) as tx:
        row = tx.one("SELECT row_to_json(a) FROM audit_log a WHERE event = 'second_factor_reset'", {})
    assert (row["actor_type"], row["actor_id"], row["severity"]) == ("staff", str(chief.id), "critical")
    assert row["details"] == {"reason": "lost phone, known by a call back"}


def test_a_colleague_who_was_reset_must_enrol_anew(mail_catcher: MailCatcher) -> None:
    colleague = staff("support")

    assert reset(staff("super_admin"), colleague.person.email).status == 200

    token = sign_in(colleague.person.email).json["access_token"]
    assert colleague.call("GET", "/me").status == 401
    answer = Person(colleague.id, colleague.person.tenant_id, colleague.person.email, token, "", "")
    assert StaffPerson(answer).call("GET", "/me").code == "SECOND_FACTOR_ENROLMENT_REQUIRED"


def test_nobody_resets_their_own(person: Person) -> None:
    chief = staff("super_admin")

    assert reset(chief, chief.person.email).status == 409


def test_who_has_no_second_factor_or_no_account_cannot_be_reset(person: Person) -> None:
    chief = staff("super_admin")

    without, unknown = reset(chief, person.email), reset(chief, f"{uuid4().hex}@example.com")

    assert (without.status, without.code) == (409, "INVALID_STATE_TRANSITION")
    assert (unknown.status, unknown.code) == (404, "RESOURCE_NOT_FOUND")


def test_only_super_admins_reset(person: Person) -> None:
    enrol(person)

    assert reset(staff("admin"), person.email).code == "INSUFFICIENT_PERMISSIONS"
