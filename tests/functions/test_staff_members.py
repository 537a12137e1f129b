"""The members of staff: how they join, change and leave, and where the first one comes from."""

import re
from typing import Any
from uuid import uuid4

import pytest

from accounts.app import handler as accounts
from database.app import handler as database
from local.services.mail import MailCatcher
from penguinmails.auth.principal import PLATFORM_TENANT_ID
from penguinmails.db import transaction
from penguinmails.errors import Conflict, ValidationFailed
from send_platform_mail.app import handler as send
from staff.app import handler
from tests.support.authenticator import enrol
from tests.support.http import LambdaContext, call
from tests.support.people import PASSWORD, add_person, sign_in
from tests.support.queues import consume, messages_for
from tests.support.staff import ADMIN, StaffPerson, staff
from tests.support.tenants import TestTenant


@pytest.fixture
def chief() -> StaffPerson:
    return staff("super_admin")


def new_member(**fields: object) -> dict[str, object]:
    return {"email": f"{uuid4().hex}@staff.example", "name": "Nina New", "role": "support", **fields}


def test_a_new_member_chooses_a_password_by_mail_and_enrols_before_anything_else(
    chief: StaffPerson, mail_catcher: MailCatcher
) -> None:
    wanted = new_member(grants=["smtp_credentials:read"])

    added = chief.confirmed("POST", "/staff", json=wanted)
    consume(send, *messages_for("platform_mail", PLATFORM_TENANT_ID))

    assert added.status == 201
    assert added.json.items() >= {**wanted, "is_active": True, "has_second_factor": False}.items()
    (mail,) = mail_catcher.mails_to(str(wanted["email"]))
    token = re.search(r"/reset-password#token=(\S+)", mail.text)
    assert token is not None
    chosen = {"token": token[1], "password": PASSWORD}
    assert call(accounts, "POST", "/api/v1/accounts/password/reset", json=chosen).status == 200
    session = sign_in(str(wanted["email"])).json["access_token"]
    refused = call(handler, "GET", f"{ADMIN}/me", token=session)
    assert refused.code == "SECOND_FACTOR_ENROLMENT_REQUIRED"


def test_a_new_member_cannot_sign_in_before_the_mail_was_answered(chief: StaffPerson) -> None:
    wanted = new_member()
    chief.confirmed("POST", "/staff", json=wanted)

    assert sign_in(str(wanted["email"])).status == 401


def test_an_address_that_signs_in_to_an_account_cannot_be_staff(chief: StaffPerson, tenant: TestTenant) -> None:
    answer = chief.confirmed("POST", "/staff", json=new_member(email=add_person(tenant)))

    assert (answer.status, answer.code) == (409, "RESOURCE_CONFLICT")


@pytest.mark.parametrize("fields", [{"role": "owner"}, {"grants": ["everything"]}, {"email": "nobody"}, {"name": ""}])
def test_what_is_no_member_of_staff_is_refused_by_field(fields: dict[str, object], chief: StaffPerson) -> None:
    answer = chief.confirmed("POST", "/staff", json=new_member(**fields))

    assert answer.status == 400
    assert answer.json["errors"][0]["field"].partition(".")[0] == next(iter(fields))


def test_the_list_names_present_and_former_members(chief: StaffPerson) -> None:
    former = staff("ops")
    chief.confirmed("PUT", f"/staff/{former.id}", json={"is_active": False})

    everybody = chief.call("GET", "/staff", query={"limit": 100}).json["data"]
    present = chief.call("GET", "/staff", query={"limit": 100, "is_active": "true"}).json["data"]

    states = {member["id"]: (member["is_active"], member["has_second_factor"]) for member in everybody}
    assert states[str(former.id)] == (False, True)
    assert states[str(chief.id)] == (True, True)
    assert str(former.id) not in {member["id"] for member in present}


def test_a_member_who_is_deactivated_is_out_at_once_and_may_come_back(chief: StaffPerson) -> None:
    member = staff("ops")

    left = chief.confirmed("PUT", f"/staff/{member.id}", json={"is_active": False})

    assert left.json["is_active"] is False
    assert member.call("GET", "/me").status == 401
    with transaction(tenant_id=PLATFORM_TENANT_ID) as tx:
        reasons = tx.all("SELECT end_reason FROM sessions WHERE user_id = %(id)s", {"id": member.id})
    assert set(reasons) == {"staff_deactivated"}

    chief.confirmed("PUT", f"/staff/{member.id}", json={"is_active": True})

    assert member.call("GET", "/me").status == 401, "a session that has ended stays so"
    assert sign_in(member.person.email, code=member.codes.pop()).status == 201


def test_role_and_grants_change_on_the_next_request(chief: StaffPerson) -> None:
    member = staff("ops")
    changes = {"role": "support", "grants": ["smtp_credentials:read", "smtp_credentials:read"]}

    changed = chief.confirmed("PUT", f"/staff/{member.id}", json=changes)

    assert changed.json["grants"] == ["smtp_credentials:read"]
    mine = member.call("GET", "/me").json
    assert (mine["role"], mine["grants"]) == ("support", ["smtp_credentials:read"])


def test_nobody_changes_their_own_membership_so_a_super_admin_is_always_left(chief: StaffPerson) -> None:
    for change in ({"role": "admin"}, {"is_active": False}):
        answer = chief.confirmed("PUT", f"/staff/{chief.id}", json=change)
        assert (answer.status, answer.code) == (409, "RESOURCE_CONFLICT")


def test_changes_of_the_staff_are_in_the_platforms_audit_log(chief: StaffPerson) -> None:
    added = chief.confirmed("POST", "/staff", json=new_member()).json
    chief.confirmed("PUT", f"/staff/{added['id']}", json={"role": "qa"})

    with transaction(tenant_id=PLATFORM_TENANT_ID) as tx:
        rows = tx.all(
            "SELECT row_to_json(a) FROM audit_log a WHERE resource_id = %(id)s ORDER BY created_at",
            {"id": added["id"]},
        )
    assert [(row["event"], row["actor_type"], row["actor_id"], row["details"]["role"]) for row in rows] == [
        ("staff_added", "staff", str(chief.id), "support"),
        ("staff_changed", "staff", str(chief.id), "qa"),
    ]


def test_only_super_admins_change_the_staff() -> None:
    admin = staff("admin")

    assert admin.confirmed("POST", "/staff", json=new_member()).status == 403
    assert admin.confirmed("PUT", f"/staff/{uuid4()}", json={"role": "qa"}).status == 403


def create(**person: Any) -> Any:
    return database({"create_super_admin": person}, LambdaContext())


def test_the_database_function_makes_the_first_super_admin_and_no_second_one() -> None:
    with transaction(tenant_id=PLATFORM_TENANT_ID) as tx:
        tx.run("UPDATE staff_members SET is_active = false", {})
    person = {"email": f"First-{uuid4().hex}@staff.example", "name": "Fiona First", "password": PASSWORD}

    with pytest.raises(ValidationFailed, match="password"):
        create(**person | {"password": "weak"})
    answer = create(**person)
    assert answer["super_admin"] == person["email"].lower()
    assert PASSWORD not in str(answer)
    with pytest.raises(Conflict, match="There is a super admin already"):
        create(**person | {"email": f"second-{person['email']}"})

    session = sign_in(person["email"].lower()).json["access_token"]
    assert call(handler, "GET", f"{ADMIN}/me", token=session).code == "SECOND_FACTOR_ENROLMENT_REQUIRED"


@pytest.mark.parametrize("missing", ["email", "name", "password"])
def test_the_database_function_says_what_a_super_admin_needs(missing: str) -> None:
    person = {"email": "a@staff.example", "name": "Fiona First", "password": PASSWORD}

    for wrong in ({k: v for k, v in person.items() if k != missing}, person | {missing: " "}, person | {missing: 1}):
        with pytest.raises(ValueError, match="email, name and password") as refused:
            create(**wrong)
        assert PASSWORD not in str(refused.value)


def test_the_database_function_says_what_it_can_do() -> None:
    with pytest.raises(ValueError, match="create_super_admin"):
        database({"create_superadmin": {}}, LambdaContext())


def test_enrolment_tells_the_member_by_mail_like_everybody(chief: StaffPerson, mail_catcher: MailCatcher) -> None:
    from tests.support.staff import add_staff

    person = add_staff("ops")
    enrol(person)
    consume(send, *messages_for("platform_mail", PLATFORM_TENANT_ID))

    assert [mail.subject for mail in mail_catcher.mails_to(person.email)] == ["Your account asks for a code now"]
