"""The second factor: enrolling, being asked for it, and living without the device."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from local.services.mail import MailCatcher
from penguinmails import vault
from penguinmails.auth.second_factors import seed_path
from penguinmails.db import transaction
from second_factors.app import handler
from send_platform_mail.app import handler as send
from sessions.app import handler as sessions_handler
from tests.support.authenticator import PATH, begin, confirm, enrol
from tests.support.http import Answer
from tests.support.people import PASSWORD, Person, sign_in, signed_in
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestTenant

WRONG = "000000"


@pytest.fixture
def person(tenant: TestTenant) -> Person:
    return signed_in(tenant)


def sign_in_with(person: Person, code: str | None, password: str = PASSWORD) -> Answer:
    return sign_in(person.email, password, code=code)


def step_up(person: Person, code: str | None) -> Answer:
    body = {"password": PASSWORD, "purpose": "account", "code": code}
    return person.call(sessions_handler, "POST", "/api/v1/sessions/step-up", json=body)


def test_sign_in_asks_for_a_code_once_a_second_factor_is_confirmed(person: Person) -> None:
    app = begin(person)
    assert sign_in(person.email).status == 201, "a seed that is not confirmed changes nothing"
    confirm(person, app)

    without = sign_in_with(person, None)

    assert (without.status, without.code) == (401, "SECOND_FACTOR_REQUIRED")
    assert sign_in_with(person, app.code()).status == 201


def test_a_wrong_password_is_not_told_that_a_code_is_needed(person: Person) -> None:
    enrol(person)

    assert sign_in_with(person, None, "Wrong-password-1").code == "AUTHENTICATION_REQUIRED"


def test_a_code_works_once(person: Person) -> None:
    app, _ = enrol(person)
    code = app.code()

    assert [sign_in_with(person, code).status for _ in range(2)] == [201, 401]


def test_the_code_that_confirmed_the_seed_is_used_up(person: Person) -> None:
    app, _ = enrol(person)

    assert sign_in_with(person, app.code(-1)).status == 401


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (0, 201), (1, 201), (2, 401)])
def test_a_clock_may_be_one_step_off(person: Person, steps: int, status: int) -> None:
    app, _ = enrol(person)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10), tick=False):
        assert sign_in_with(person, app.code(steps)).status == status


def test_wrong_codes_lock_the_account_as_wrong_passwords_do(person: Person) -> None:
    app, _ = enrol(person)
    statuses = [sign_in_with(person, WRONG).status for _ in range(5)]

    assert statuses == [401] * 5
    assert sign_in_with(person, app.code()).code == "RATE_LIMIT_EXCEEDED"


def test_a_recovery_code_works_once_in_any_spelling(person: Person) -> None:
    _, codes = enrol(person)
    assert len(set(codes)) == 10

    assert sign_in_with(person, codes[0].lower().replace("-", " ")).status == 201
    assert sign_in_with(person, codes[0]).status == 401
    assert person.call(handler, "GET", PATH).json["recovery_codes_left"] == 9


def test_recovery_codes_work_while_vault_is_away(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    app, codes = enrol(person)
    monkeypatch.setattr("penguinmails.auth.second_factors.read_secret", _unreachable)

    away = sign_in_with(person, app.code())

    assert (away.status, away.code) == (503, "SERVICE_UNAVAILABLE")
    assert int(away.headers["retry-after"]) > 0
    assert sign_in_with(person, codes[0]).status == 201


def _unreachable(*_: object, **__: object) -> None:
    raise vault.VaultUnavailable.retry_in(30, "away")


def test_new_recovery_codes_end_the_old_ones(person: Person) -> None:
    app, old = enrol(person)
    token = step_up(person, app.code()).json["reauth_token"]

    renewed = person.call(handler, "POST", f"{PATH}/recovery-codes", headers={"X-Reauth-Token": token})

    assert renewed.status == 200
    assert sign_in_with(person, old[0]).status == 401
    assert sign_in_with(person, renewed.json["recovery_codes"][0]).status == 201


def test_a_step_up_asks_for_a_code_as_well(person: Person) -> None:
    app, _ = enrol(person)

    missing = step_up(person, None)
    assert (missing.status, missing.code) == (400, "MISSING_REQUIRED_FIELD")
    assert [error["field"] for error in missing.json["errors"]] == ["code"]
    assert step_up(person, WRONG).status == 403
    assert step_up(person, app.code()).status == 201


def test_what_guards_the_second_factor_needs_a_code_not_the_password_alone(person: Person) -> None:
    before = person.step_up("account")
    app, _ = enrol(person)

    for method, path in (("DELETE", PATH), ("POST", f"{PATH}/recovery-codes")):
        answer = person.call(handler, method, path, headers=before)
        assert (answer.status, answer.code) == (403, "REAUTHENTICATION_REQUIRED")
        assert answer.json["step_up_level"] == "password_totp"

    token = step_up(person, app.code()).json["reauth_token"]
    assert person.call(handler, "DELETE", PATH, headers={"X-Reauth-Token": token}).status == 200


def test_after_removal_the_password_is_enough_and_the_user_is_told(
    person: Person, tenant: TestTenant, mail_catcher: MailCatcher
) -> None:
    app, _ = enrol(person)
    token = step_up(person, app.code()).json["reauth_token"]
    person.call(handler, "DELETE", PATH, headers={"X-Reauth-Token": token})

    assert sign_in(person.email).status == 201
    assert vault.read_secret(seed_path(tenant.id, person.id)) is None
    consume(send, *messages_for("platform_mail", tenant.id))
    assert [mail.subject for mail in mail_catcher.mails_to(person.email)] == [
        "Your account asks for a code now",
        "Your account no longer asks for a code",
    ]
    again = person.call(handler, "DELETE", PATH, headers={"X-Reauth-Token": token})
    assert (again.status, again.code) == (409, "INVALID_STATE_TRANSITION")
    renewal = person.call(handler, "POST", f"{PATH}/recovery-codes", headers={"X-Reauth-Token": token})
    assert renewal.status == 409


def test_a_second_device_cannot_be_enrolled_beside_the_first(person: Person) -> None:
    before = person.step_up("account")
    enrol(person)

    answer = person.call(handler, "POST", PATH, headers=before)
    confirmation = person.call(handler, "POST", f"{PATH}/confirm", json={"code": WRONG})

    assert (answer.status, answer.code) == (409, "RESOURCE_CONFLICT")
    assert confirmation.status == 409


def test_only_the_newest_seed_can_be_confirmed(person: Person) -> None:
    older, newer = begin(person), begin(person)

    wrong = confirm(person, older)
    assert (wrong.status, wrong.json["errors"][0]["code"]) == (400, "wrong_code")
    assert confirm(person, newer).status == 200


def test_there_must_be_a_seed_to_confirm(person: Person) -> None:
    answer = person.call(handler, "POST", f"{PATH}/confirm", json={"code": "123456"})

    assert (answer.status, answer.code) == (409, "INVALID_STATE_TRANSITION")


def test_guessing_while_confirming_is_slowed(person: Person) -> None:
    begin(person)
    statuses = [person.call(handler, "POST", f"{PATH}/confirm", json={"code": WRONG}).status for _ in range(21)]

    assert statuses[-1] == 429


def test_enrolling_needs_a_fresh_confirmation_of_the_password(person: Person) -> None:
    answer = person.call(handler, "POST", PATH)

    assert (answer.status, answer.code) == (403, "REAUTHENTICATION_REQUIRED")


def test_no_seed_and_no_recovery_code_is_kept_in_the_database(person: Person, tenant: TestTenant) -> None:
    app, codes = enrol(person)

    with transaction(tenant_id=tenant.id) as tx:
        rows = tx.one(
            """
            SELECT (SELECT json_agg(c)::text FROM user_credentials c) || (SELECT json_agg(r)::text FROM recovery_codes r)
            """,
            {},
        )
    assert app.seed not in rows
    assert not any(code in rows or code.replace("-", "") in rows for code in codes)


def test_people_of_a_suspended_account_can_still_guard_their_sign_in(person: Person, tenant: TestTenant) -> None:
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE tenants SET status = 'suspended'", {})

    enrol(person)
    assert person.call(sessions_handler, "DELETE", "/api/v1/sessions").status == 200
