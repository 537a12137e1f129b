"""Who counts as staff: membership decides, on every request, and only with a second factor."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from contacts.app import handler as contacts
from me.app import handler as me
from penguinmails.auth.principal import PLATFORM_TENANT_ID, StaffRole
from penguinmails.db import transaction
from second_factors.app import handler as second_factors
from sessions.app import handler as sessions
from staff.app import handler
from tests.support.authenticator import begin, enrol
from tests.support.http import call
from tests.support.people import PASSWORD, Person, add_person, sign_in, signed_in
from tests.support.staff import ADMIN, add_staff, staff
from tests.support.tenants import TestTenant, make_tenant

MINE = f"{ADMIN}/me"


def change(person: Person, **columns: object) -> None:
    with transaction(tenant_id=PLATFORM_TENANT_ID) as tx:
        if "role" in columns:
            tx.run("UPDATE staff_members SET role = %(role)s WHERE user_id = %(id)s", {**columns, "id": person.id})
        else:
            tx.run("UPDATE staff_members SET is_active = false WHERE user_id = %(id)s", {"id": person.id})


def test_a_member_with_a_second_factor_is_told_role_and_grants() -> None:
    member = staff("support")

    answer = member.call("GET", "/me")

    assert answer.status == 200
    assert answer.json == {"user_id": str(member.id), "email": member.person.email, "role": "support", "grants": []}


def test_an_owner_of_an_account_and_its_keys_never_pass(tenant: TestTenant) -> None:
    for token in (signed_in(tenant).access_token, tenant.key().plaintext):
        answer = call(handler, "GET", MINE, token=token)
        assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS")


def test_a_user_of_the_platforms_tenant_who_is_no_member_of_staff_passes_nowhere() -> None:
    platform = TestTenant(PLATFORM_TENANT_ID, PLATFORM_TENANT_ID, PLATFORM_TENANT_ID, "free")

    assert sign_in(add_person(platform, "owner")).status == 403


def test_without_a_second_factor_only_ones_own_credentials_can_be_looked_after() -> None:
    person = add_staff()

    for path in ("/me", "/tenants", "/staff"):
        answer = person.call(handler, "GET", ADMIN + path)
        assert (answer.status, answer.code) == (403, "SECOND_FACTOR_ENROLMENT_REQUIRED")
    assert person.call(me, "GET", "/api/v1/me").status == 403
    assert person.call(sessions, "GET", "/api/v1/sessions").status == 200
    assert person.call(second_factors, "GET", "/api/v1/me/second-factor").json["is_enrolled"] is False
    enrol(person)


def test_a_session_from_before_the_enrolment_is_never_proven() -> None:
    """Or whoever had guessed the first password would be staff as soon as the member has enrolled."""
    person = add_staff()
    enrol(person)

    answer = person.call(handler, "GET", MINE)

    assert (answer.status, answer.code) == (401, "SECOND_FACTOR_REQUIRED")


def test_who_removes_the_second_factor_is_staff_no_more_until_there_is_a_new_one() -> None:
    member = staff()
    removed = member.person.call(
        second_factors, "DELETE", "/api/v1/me/second-factor", headers=member.step_up("account")
    )

    assert removed.status == 200
    assert member.call("GET", "/me").code == "SECOND_FACTOR_ENROLMENT_REQUIRED"
    app = begin(member.person)
    confirmed = {"code": app.code()}
    member.person.call(second_factors, "POST", "/api/v1/me/second-factor/confirm", json=confirmed)
    assert member.call("GET", "/me").code == "SECOND_FACTOR_REQUIRED"


def test_staff_cannot_use_the_endpoints_of_an_account() -> None:
    member = staff()

    for method, path in (("GET", "/api/v1/contacts"), ("POST", "/api/v1/contacts")):
        answer = member.person.call(contacts, method, path, json={"email": "a@example.com"})
        assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS")


def test_a_membership_that_ends_is_over_on_the_next_request_and_signs_in_no_more() -> None:
    member = staff()
    change(member.person)

    assert member.call("GET", "/me").status == 401
    assert member.person.call(sessions, "GET", "/api/v1/sessions").status == 401
    refused = sign_in(member.person.email, code=member.codes.pop())
    assert (refused.status, refused.code) == (403, "INSUFFICIENT_PERMISSIONS")
    assert sign_in(member.person.email, "Wrong-password-1").status == 401, "only who knows the password is told"


def test_a_new_role_holds_on_the_next_request() -> None:
    member = staff("super_admin")
    assert member.call("GET", "/staff").status == 200

    change(member.person, role="admin")

    assert member.call("GET", "/staff").status == 403


@pytest.mark.parametrize(("minutes", "status"), [(29, 200), (31, 401)])
def test_staff_who_do_nothing_for_half_an_hour_are_signed_out(minutes: int, status: int) -> None:
    member = staff()

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes), tick=False):
        assert member.call("GET", "/me").status == status


def test_a_refresh_does_not_wake_a_session_that_staff_left_alone() -> None:
    member, user = staff(), signed_in(make_tenant())

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31), tick=False):
        answers = [
            call(sessions, "POST", "/api/v1/sessions/refresh", json={"refresh_token": person.refresh_token})
            for person in (member.person, user)
        ]

    assert [answer.status for answer in answers] == [401, 200]


READS: dict[StaffRole, tuple[int, int]] = {
    "super_admin": (200, 200),
    "admin": (200, 403),
    "support": (200, 403),
    "finance": (200, 403),
    "ops": (200, 403),
    "qa": (403, 403),
}


@pytest.mark.parametrize("role", READS)
def test_a_role_reaches_what_it_is_for(role: StaffRole, tenant: TestTenant) -> None:
    member = staff(role)

    assert (member.call("GET", "/tenants").status, member.call("GET", "/staff").status) == READS[role]


@pytest.mark.parametrize("role", ["support", "finance", "ops", "qa"])
def test_accounts_are_changed_by_admins_alone(role: StaffRole, tenant: TestTenant) -> None:
    answer = staff(role).confirmed("POST", f"/tenants/{tenant.id}/suspend", json={"reason": "because"})

    assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS")


def test_a_change_needs_a_confirmation_of_this_purpose_with_password_and_code(tenant: TestTenant) -> None:
    member, path = staff("admin"), f"/tenants/{tenant.id}/suspend"
    of_another = staff("admin").step_up()

    for headers in ({}, member.step_up("account"), of_another):
        answer = member.call("POST", path, headers=headers, json={"reason": "because"})
        assert (answer.status, answer.code) == (403, "REAUTHENTICATION_REQUIRED")
        assert answer.json["step_up_level"] == "password_totp"


def test_staff_get_the_document_of_their_endpoints_and_nobody_else_does(tenant: TestTenant) -> None:
    served = staff("ops").call("GET", "/openapi.json").json

    assert "/admin/tenants/{tenant_id}/suspend" in served["paths"]
    assert served["servers"][0]["url"] == "https://api.example.test/api/v1"
    assert signed_in(tenant).call(handler, "GET", f"{ADMIN}/openapi.json").status == 403


def test_staff_change_their_password_like_everybody() -> None:
    from accounts.app import handler as accounts

    member = staff()
    body = {"current_password": PASSWORD, "new_password": "Another-horse-8"}

    assert member.person.call(accounts, "PUT", "/api/v1/accounts/password", json=body).status == 200
    assert sign_in(member.person.email, "Another-horse-8", code=member.codes.pop()).status == 201
