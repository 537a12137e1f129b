"""Sessions: signing in, going on, ending, and confirming one's identity."""

from datetime import timedelta

import pytest
import time_machine

from api_keys.app import handler as keys_handler
from me.app import handler as me_handler
from penguinmails.db import transaction
from sessions.app import handler
from tests.support.http import Answer, call
from tests.support.people import PASSWORD, Person, add_person, sign_in, signed_in
from tests.support.tenants import TestTenant

SESSIONS = "/api/v1/sessions"


@pytest.fixture
def person(tenant: TestTenant) -> Person:
    return signed_in(tenant)


def is_signed_in(person: Person) -> bool:
    return person.call(me_handler, "GET", "/api/v1/me").status == 200


def refresh(token: str) -> Answer:
    return call(handler, "POST", f"{SESSIONS}/refresh", json={"refresh_token": token})


def test_a_session_acts_with_the_scopes_of_its_role(tenant: TestTenant) -> None:
    developer = signed_in(tenant, "developer")

    me = developer.call(me_handler, "GET", "/api/v1/me").json

    assert me["role"] == "developer"
    assert "manage_webhooks" in me["scopes"]
    assert "manage_contacts" not in me["scopes"]


def test_a_wrong_password_and_an_unknown_address_answer_alike(tenant: TestTenant) -> None:
    wrong = sign_in(add_person(tenant), "Wrong-password-1")
    unknown = sign_in("nobody@example.com", "Wrong-password-1")

    assert (wrong.status, unknown.status) == (401, 401)
    assert wrong.json["detail"] == unknown.json["detail"]


def test_five_wrong_passwords_lock_the_account_for_a_while(tenant: TestTenant) -> None:
    email = add_person(tenant)
    for _ in range(5):
        sign_in(email, "Wrong-password-1")

    locked = sign_in(email)

    assert (locked.status, locked.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert 0 < int(locked.headers["retry-after"]) <= 61


def test_many_sign_ins_from_one_address_are_slowed(tenant: TestTenant) -> None:
    email = add_person(tenant)

    statuses = [sign_in(email, ip="192.0.2.99").status for _ in range(21)]

    assert statuses[-1] == 429


def test_an_unverified_address_cannot_sign_in(tenant: TestTenant) -> None:
    email = add_person(tenant)
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE users SET email_verified_at = NULL WHERE email = %(email)s", {"email": email})

    assert sign_in(email).status == 403


@pytest.mark.parametrize("body", [{}, {"email": "x"}, {"email": "a@example.com", "password": ""}])
def test_an_incomplete_sign_in_names_the_fields(body: dict[str, str]) -> None:
    answer = call(handler, "POST", SESSIONS, json=body)

    assert answer.status == 400
    assert answer.json["errors"]


def test_a_refresh_gives_new_tokens_for_the_same_session(person: Person) -> None:
    answer = refresh(person.refresh_token)

    assert answer.status == 200
    assert answer.json["refresh_token"] != person.refresh_token
    assert call(me_handler, "GET", "/api/v1/me", token=answer.json["access_token"]).status == 200


def test_a_refresh_token_that_is_used_twice_ends_the_session(person: Person) -> None:
    renewed = refresh(person.refresh_token).json

    assert refresh(person.refresh_token).status == 401
    assert call(me_handler, "GET", "/api/v1/me", token=renewed["access_token"]).status == 401
    assert refresh(renewed["refresh_token"]).status == 401


def test_an_unknown_refresh_token_is_refused() -> None:
    assert refresh("x" * 43).code == "AUTHENTICATION_REQUIRED"


def test_a_sixth_session_ends_the_one_that_was_used_longest_ago(tenant: TestTenant) -> None:
    email = add_person(tenant)
    tokens = [sign_in(email).json["access_token"] for _ in range(6)]

    statuses = [call(me_handler, "GET", "/api/v1/me", token=token).status for token in tokens]

    assert statuses == [401, 200, 200, 200, 200, 200]


def test_signing_out_holds_on_the_next_request(person: Person) -> None:
    assert person.call(handler, "DELETE", f"{SESSIONS}/current").status == 200

    assert not is_signed_in(person)


def test_signing_out_everywhere_ends_all_sessions(tenant: TestTenant) -> None:
    email = add_person(tenant)
    first, second = (sign_in(email).json["access_token"] for _ in range(2))

    ended = call(handler, "DELETE", SESSIONS, token=first)

    assert ended.json == {"ended": 2}
    assert call(me_handler, "GET", "/api/v1/me", token=second).status == 401


def test_one_session_can_be_ended_from_another(tenant: TestTenant) -> None:
    email = add_person(tenant)
    lost, kept = sign_in(email).json, sign_in(email).json
    listed = call(handler, "GET", SESSIONS, token=kept["access_token"]).json["data"]
    assert {item["id"] for item in listed} == {lost["session_id"], kept["session_id"]}

    answer = call(handler, "DELETE", f"{SESSIONS}/{lost['session_id']}", token=kept["access_token"])

    assert answer.status == 200
    assert call(me_handler, "GET", "/api/v1/me", token=lost["access_token"]).status == 401
    assert call(handler, "DELETE", f"{SESSIONS}/{lost['session_id']}", token=kept["access_token"]).status == 404


def test_nobody_ends_somebody_elses_session(tenant: TestTenant, person: Person) -> None:
    colleague = sign_in(add_person(tenant)).json

    assert person.call(handler, "DELETE", f"{SESSIONS}/{colleague['session_id']}").status == 404


def test_a_demotion_holds_on_the_next_request(tenant: TestTenant) -> None:
    admin = signed_in(tenant, "admin")
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE users SET role = 'member' WHERE id = %(id)s", {"id": admin.id})

    assert admin.call(me_handler, "GET", "/api/v1/me").json["scopes"] == []


def test_an_access_token_lives_one_hour(person: Person) -> None:
    with time_machine.travel(timedelta(minutes=59), tick=False):
        assert is_signed_in(person)
    with time_machine.travel(timedelta(minutes=61), tick=False):
        assert not is_signed_in(person)


def test_a_forged_token_is_refused(person: Person) -> None:
    head, claims, signature = person.access_token.split(".")

    assert call(me_handler, "GET", "/api/v1/me", token=f"{head}.{claims}.{signature[::-1]}").status == 401


def test_a_step_up_token_works_for_its_purpose_and_session_alone(tenant: TestTenant, person: Person) -> None:
    from api_keys.app import handler as keys

    body = {"name": "a", "permissions": ["send_email"]}
    path = "/api/v1/platform/api-keys"
    granted = person.step_up("api_keys")

    assert person.call(keys, "POST", path, json=body, headers=person.step_up("account")).status == 403
    assert signed_in(tenant).call(keys, "POST", path, json=body, headers=granted).status == 403
    assert person.call(keys, "POST", path, json=body, headers=granted).status == 201


def test_a_step_up_token_lives_fifteen_minutes(person: Person) -> None:
    from api_keys.app import handler as keys

    granted = person.step_up()

    with time_machine.travel(timedelta(minutes=16), tick=False):
        answer = person.call(
            keys,
            "POST",
            "/api/v1/platform/api-keys",
            json={"name": "a", "permissions": ["send_email"]},
            headers=granted,
        )
    assert answer.code == "REAUTHENTICATION_REQUIRED"


def test_a_wrong_password_grants_no_step_up(person: Person) -> None:
    answer = person.call(handler, "POST", f"{SESSIONS}/step-up", json={"password": "Wrong-password-1"})

    assert answer.status == 403


def test_a_cookie_session_writes_only_from_our_origin_with_the_csrf_token(tenant: TestTenant) -> None:
    email = add_person(tenant)
    answer = call(handler, "POST", SESSIONS, json={"email": email, "password": PASSWORD, "cookie": True}, ip="10.1.1.1")
    (cookie,) = answer.cookies
    assert cookie.startswith("__Host-session=")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    jar = [cookie.split(";")[0]]
    ours, csrf = {"Origin": "https://console.example.test"}, {"X-CSRF-Token": answer.json["csrf_token"]}

    assert call(me_handler, "GET", "/api/v1/me", cookies=jar).status == 200
    for headers in ({}, ours, csrf, {**csrf, "Origin": "https://evil.example"}):
        assert call(handler, "DELETE", f"{SESSIONS}/current", cookies=jar, headers=headers).status == 403
    assert call(handler, "DELETE", f"{SESSIONS}/current", cookies=jar, headers={**ours, **csrf}).status == 200


def test_a_closed_account_is_refused_and_a_suspended_one_may_only_read(tenant: TestTenant, person: Person) -> None:
    def set_status(status: str) -> None:
        with transaction(tenant_id=tenant.id) as tx:
            tx.run("UPDATE tenants SET status = %(status)s", {"status": status})

    set_status("suspended")
    assert is_signed_in(person)
    path, body = "/api/v1/platform/api-keys", {"name": "a", "permissions": ["send_email"]}
    assert person.call(keys_handler, "POST", path, json=body).code == "SUBSCRIPTION_SUSPENDED"
    set_status("canceled")
    assert person.call(me_handler, "GET", "/api/v1/me").code == "SUBSCRIPTION_SUSPENDED"
