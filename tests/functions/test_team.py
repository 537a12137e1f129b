"""The people of an account: roles, leaving, and invitations."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from local.services.mail import MailCatcher
from me.app import handler as me_handler
from penguinmails.auth.scopes import Role
from send_platform_mail.app import handler as send
from team.app import handler
from tests.support.authenticator import enrol
from tests.support.http import Answer, call
from tests.support.people import PASSWORD, Person, sign_in, signed_in
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestTenant, make_tenant

TEAM = "/api/v1/team"


@pytest.fixture
def owner(tenant: TestTenant) -> Person:
    return signed_in(tenant)


def change_role(by: Person, of: Person, role: str) -> Answer:
    return by.call(handler, "PUT", f"{TEAM}/members/{of.id}", json={"role": role}, headers=by.step_up("team"))


def remove(by: Person, whom: Person) -> Answer:
    return by.call(handler, "DELETE", f"{TEAM}/members/{whom.id}", headers=by.step_up("team"))


def invite(by: Person, email: str, role: str = "developer", **request: Any) -> Answer:
    body = {"email": email, "role": role}
    return by.call(handler, "POST", f"{TEAM}/invitations", json=body, headers=by.step_up("team"), **request)


def new_address() -> str:
    return f"{uuid4().hex}@example.com"


def token_in_mail(tenant: TestTenant, mail_catcher: MailCatcher, email: str) -> str:
    assert consume(send, *messages_for("platform_mail", tenant.id)) == []
    text = mail_catcher.mails_to(email)[-1].text
    found = re.search(r"/accept-invitation#token=(\S+)", text)
    assert found, text
    return found[1]


def accept(token: str, **fields: str) -> Answer:
    body = {"token": token, "name": "Grace", "password": PASSWORD, **fields}
    return call(handler, "POST", f"{TEAM}/invitations/accept", json=body, ip=f"10.9.{uuid4().int % 256}.1")


# ---- members ----------------------------------------------------------------------------------------------------------


def test_everybody_sees_who_is_in_the_account(tenant: TestTenant, owner: Person) -> None:
    member = signed_in(tenant, "member")
    enrol(member)

    listed = member.call(handler, "GET", f"{TEAM}/members", query={"sort_by": "email"}).json["data"]

    roles = {row["id"]: row["role"] for row in listed}
    assert (roles[str(owner.id)], roles[str(member.id)]) == ("owner", "member")
    assert {row["id"]: row["has_second_factor"] for row in listed}[str(member.id)]
    only = owner.call(handler, "GET", f"{TEAM}/members", query={"role": "member", "offset": "0"}).json
    assert [row["id"] for row in only["data"]] == [str(member.id)]
    assert only["pagination"]["total"] == 1


def test_another_role_holds_on_the_next_request(tenant: TestTenant, owner: Person) -> None:
    admin = signed_in(tenant, "admin")

    assert change_role(owner, admin, "member").status == 200

    assert admin.call(me_handler, "GET", "/api/v1/me").json["scopes"] == []


@pytest.mark.parametrize(
    ("by", "of", "role", "status"),
    [
        ("owner", "owner", "admin", 200),
        ("owner", "member", "owner", 200),
        ("admin", "developer", "admin", 200),
        ("admin", "admin", "member", 200),
        ("admin", "member", "owner", 403),
        ("admin", "owner", "member", 403),
    ],
)
def test_nobody_changes_or_makes_somebody_above_their_own_role(
    tenant: TestTenant, by: Role, of: Role, role: str, status: int
) -> None:
    assert change_role(signed_in(tenant, by), signed_in(tenant, of), role).status == status


@pytest.mark.parametrize("role", ["developer", "member"])
def test_only_owners_and_admins_manage_people(tenant: TestTenant, role: Role) -> None:
    person = signed_in(tenant, role)

    assert change_role(person, signed_in(tenant, "member"), "member").code == "INSUFFICIENT_PERMISSIONS"
    assert remove(person, person).code == "INSUFFICIENT_PERMISSIONS"
    assert invite(person, new_address()).code == "INSUFFICIENT_PERMISSIONS"
    assert person.call(handler, "GET", f"{TEAM}/invitations").status == 403


def test_the_last_owner_stays_one(tenant: TestTenant, owner: Person) -> None:
    other = owner.call(handler, "GET", f"{TEAM}/members", query={"role": "owner"}).json["data"]
    first = next(row["id"] for row in other if row["id"] != str(owner.id))
    path = f"{TEAM}/members/{first}"
    assert owner.call(handler, "DELETE", path, headers=owner.step_up("team")).status == 200

    demoted, removed = change_role(owner, owner, "admin"), remove(owner, owner)

    assert (demoted.status, removed.status) == (409, 409)
    assert "only owner" in demoted.json["detail"]


def test_changes_of_people_need_a_fresh_confirmation(tenant: TestTenant, owner: Person) -> None:
    member = signed_in(tenant, "member")
    calls = [
        ("PUT", f"{TEAM}/members/{member.id}", {"role": "admin"}),
        ("DELETE", f"{TEAM}/members/{member.id}", None),
        ("POST", f"{TEAM}/invitations", {"email": new_address(), "role": "member"}),
    ]

    codes = [owner.call(handler, method, path, json=body).code for method, path, body in calls]

    assert codes == ["REAUTHENTICATION_REQUIRED"] * 3


def test_who_is_removed_is_out_at_once_and_may_come_back(
    tenant: TestTenant, owner: Person, mail_catcher: MailCatcher
) -> None:
    member = signed_in(tenant, "developer")
    tenant.key(created_by=member.id)

    removed = remove(owner, member)

    assert (removed.status, removed.json["active_api_keys"]) == (200, 1)
    assert member.call(me_handler, "GET", "/api/v1/me").status == 401
    assert sign_in(member.email).status == 401
    assert remove(owner, member).status == 404
    assert change_role(owner, member, "admin").status == 404

    assert invite(owner, member.email).status == 201
    assert accept(token_in_mail(tenant, mail_catcher, member.email)).status == 201
    assert sign_in(member.email).status == 201


def test_people_of_another_account_do_not_exist(owner: Person) -> None:
    stranger = signed_in(make_tenant())

    assert change_role(owner, stranger, "member").status == 404
    assert remove(owner, stranger).status == 404


# ---- invitations ------------------------------------------------------------------------------------------------------


def test_an_invited_person_joins_with_the_role_they_were_given(
    tenant: TestTenant, owner: Person, mail_catcher: MailCatcher
) -> None:
    email = new_address()
    invited = invite(owner, email.upper())
    assert (invited.status, invited.json["status"], invited.json["email"]) == (201, "open", email)

    assert accept(token_in_mail(tenant, mail_catcher, email)).status == 201

    token = sign_in(email).json["access_token"]
    me = call(me_handler, "GET", "/api/v1/me", token=token).json
    assert (me["role"], me["tenant_id"]) == ("developer", str(tenant.id))
    listed = owner.call(handler, "GET", f"{TEAM}/invitations").json["data"]
    assert [row["status"] for row in listed] == ["accepted"]


def test_the_link_works_once(tenant: TestTenant, owner: Person, mail_catcher: MailCatcher) -> None:
    email = new_address()
    invite(owner, email)
    token = token_in_mail(tenant, mail_catcher, email)

    assert [accept(token).status for _ in range(2)] == [201, 400]


def test_the_link_works_for_seven_days(tenant: TestTenant, owner: Person, mail_catcher: MailCatcher) -> None:
    email = new_address()
    invite(owner, email)
    token = token_in_mail(tenant, mail_catcher, email)

    with time_machine.travel(timedelta(days=7, minutes=1), tick=False):
        answer = accept(token)

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "token")


def test_a_weak_password_leaves_the_invitation_open(
    tenant: TestTenant, owner: Person, mail_catcher: MailCatcher
) -> None:
    email = new_address()
    invite(owner, email)
    token = token_in_mail(tenant, mail_catcher, email)

    weak = accept(token, password="short")

    assert (weak.status, weak.json["errors"][0]["field"]) == (400, "password")
    assert accept(token).status == 201


def test_a_mail_that_is_sent_again_has_the_only_link_that_works(
    tenant: TestTenant, owner: Person, mail_catcher: MailCatcher
) -> None:
    email = new_address()
    invitation = invite(owner, email).json["id"]
    old = token_in_mail(tenant, mail_catcher, email)

    assert owner.call(handler, "POST", f"{TEAM}/invitations/{invitation}/resend").status == 200

    new = token_in_mail(tenant, mail_catcher, email)
    assert accept(old).status == 400
    assert accept(new).status == 201
    assert owner.call(handler, "POST", f"{TEAM}/invitations/{invitation}/resend").code == "INVALID_STATE_TRANSITION"


def test_a_revoked_invitation_is_worth_nothing(tenant: TestTenant, owner: Person, mail_catcher: MailCatcher) -> None:
    email = new_address()
    invitation = invite(owner, email).json["id"]
    token = token_in_mail(tenant, mail_catcher, email)

    revoked = owner.call(handler, "DELETE", f"{TEAM}/invitations/{invitation}")

    assert (revoked.status, revoked.json["status"]) == (200, "revoked")
    assert accept(token).status == 400
    assert owner.call(handler, "DELETE", f"{TEAM}/invitations/{invitation}").status == 409


def test_an_address_has_one_open_invitation(owner: Person) -> None:
    email = new_address()

    statuses = [invite(owner, email).status for _ in range(2)]

    assert statuses == [201, 409]


def test_an_expired_invitation_does_not_stand_in_the_way(owner: Person) -> None:
    from penguinmails.db import transaction

    email = new_address()
    invite(owner, email)
    with transaction(tenant_id=owner.tenant_id) as tx:
        tx.run("UPDATE invitations SET expires_at = now() - interval '1 minute'", {})

    assert invite(owner, email).status == 201


def test_a_member_is_not_invited_again(tenant: TestTenant, owner: Person) -> None:
    assert invite(owner, signed_in(tenant, "member").email).status == 409


def test_whether_an_address_has_an_account_elsewhere_is_told_to_its_owner_alone(
    tenant: TestTenant, owner: Person, mail_catcher: MailCatcher
) -> None:
    stranger = signed_in(make_tenant())

    assert invite(owner, stranger.email).status == 201

    answer = accept(token_in_mail(tenant, mail_catcher, stranger.email))
    assert (answer.status, answer.code) == (409, "RESOURCE_CONFLICT")


def test_an_admin_cannot_invite_an_owner(tenant: TestTenant) -> None:
    assert invite(signed_in(tenant, "admin"), new_address(), "owner").status == 403


def test_thirty_invitations_an_hour_are_enough(owner: Person) -> None:
    confirmed = owner.step_up("team")
    statuses = [
        owner.call(
            handler, "POST", f"{TEAM}/invitations", json={"email": new_address(), "role": "member"}, headers=confirmed
        ).status
        for _ in range(31)
    ]

    assert (statuses[0], statuses[-1]) == (201, 429)


def test_an_unknown_invitation_does_not_exist(owner: Person) -> None:
    assert owner.call(handler, "POST", f"{TEAM}/invitations/{uuid4()}/resend").status == 404
    assert owner.call(handler, "DELETE", f"{TEAM}/invitations/{uuid4()}").status == 404
    assert accept("x" * 43).status == 400


def test_api_keys_do_not_manage_people(tenant: TestTenant) -> None:
    assert call(handler, "GET", f"{TEAM}/members", token=tenant.key().plaintext).status == 403
