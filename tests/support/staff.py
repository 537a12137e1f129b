"""Members of the platform's staff, who enrol and sign in as anybody does."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from penguinmails.auth.passwords import hash_secret
from penguinmails.auth.principal import PLATFORM_TENANT_ID, StaffRole
from penguinmails.db import transaction
from penguinmails.domain.staff import add_staff_member
from sessions.app import handler as sessions_handler
from staff.app import handler
from tests.support.authenticator import enrol
from tests.support.http import Answer
from tests.support.people import PASSWORD, Person, sign_in

ADMIN = "/api/v1/admin"


@dataclass
class StaffPerson:
    """A signed-in member of staff; recovery codes stand in for the phone, since each works whatever the time is."""

    person: Person
    codes: list[str] = field(default_factory=list[str])

    @property
    def id(self) -> UUID:
        """The user's id."""
        return self.person.id

    def call(self, method: str, path: str, **request: Any) -> Answer:
        """Call a staff endpoint; `path` is below /api/v1/admin."""
        return self.person.call(handler, method, ADMIN + path, **request)

    def step_up(self, purpose: str = "staff") -> dict[str, str]:
        """The header that proves a fresh confirmation with password and code."""
        body = {"password": PASSWORD, "purpose": purpose, "code": self.codes.pop()}
        answer = self.person.call(sessions_handler, "POST", "/api/v1/sessions/step-up", json=body)
        assert answer.status == 201, answer.body
        return {"X-Reauth-Token": answer.json["reauth_token"]}

    def confirmed(self, method: str, path: str, **request: Any) -> Answer:
        """Call after a fresh confirmation."""
        return self.call(method, path, headers=self.step_up(), **request)


def add_staff(role: StaffRole = "super_admin") -> Person:
    """A new member of staff with PASSWORD, signed in, without a second factor."""
    email = f"{role}-{uuid4().hex}@staff.example"
    with transaction(tenant_id=PLATFORM_TENANT_ID, mode="live") as tx:
        user_id = add_staff_member(
            tx, email=email, name="Sam Staff", role=role, grants=[], password_hash=hash_secret(PASSWORD), verified=True
        )
    return _signed_in(user_id, email)


def staff(role: StaffRole = "super_admin") -> StaffPerson:
    """A new member of staff who has enrolled a second factor and signed in with it."""
    person = add_staff(role)
    _, codes = enrol(person)
    return StaffPerson(_signed_in(person.id, person.email, codes.pop()), codes)


def _signed_in(user_id: UUID, email: str, code: str | None = None) -> Person:
    answer = sign_in(email, code=code)
    assert answer.status == 201, answer.body
    tokens = answer.json
    return Person(
        user_id, PLATFORM_TENANT_ID, email, tokens["access_token"], tokens["refresh_token"], tokens["csrf_token"]
    )
