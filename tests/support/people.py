"""People with sessions, made the way the platform makes them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from penguinmails.auth.passwords import hash_secret
from penguinmails.auth.scopes import Role
from penguinmails.db import transaction
from sessions.app import handler as sessions_handler
from tests.support.http import Answer, Handler, call
from tests.support.tenants import TestTenant

PASSWORD = "Correct-horse-7"


@dataclass(frozen=True)
class Person:
    """A signed-in user."""

    id: UUID
    tenant_id: UUID
    email: str
    access_token: str
    refresh_token: str
    csrf_token: str

    def call(self, handler: Handler, method: str, path: str, **request: Any) -> Answer:
        """Call as this person."""
        return call(handler, method, path, token=self.access_token, **request)

    def step_up(self, purpose: str = "api_keys") -> dict[str, str]:
        """The header that proves a fresh confirmation."""
        answer = self.call(
            sessions_handler, "POST", "/api/v1/sessions/step-up", json={"password": PASSWORD, "purpose": purpose}
        )
        assert answer.status == 201, answer.body
        return {"X-Reauth-Token": answer.json["reauth_token"]}


@lru_cache(maxsize=1)
def _hash_of_the_password() -> str:
    return hash_secret(PASSWORD)


def add_person(tenant: TestTenant, role: Role = "owner") -> str:
    """A verified user of a tenant with PASSWORD; the e-mail address."""
    return _add_person(tenant, role, uuid4())


def _add_person(tenant: TestTenant, role: Role, user_id: UUID) -> str:
    email = f"{role}-{user_id.hex}@example.com"
    with transaction(tenant_id=tenant.id) as tx:
        params = {
            "id": user_id,
            "tenant_id": tenant.id,
            "email": email,
            "role": role,
            "hash": _hash_of_the_password(),
        }
        tx.run(
            "INSERT INTO users (id, tenant_id, email, name, role, email_verified_at)"
            " VALUES (%(id)s, %(tenant_id)s, %(email)s, 'Pat', %(role)s, now())",
            params,
        )
        tx.run(
            "INSERT INTO user_credentials (tenant_id, user_id, password_hash) VALUES (%(tenant_id)s, %(id)s, %(hash)s)",
            params,
        )
    return email


def sign_in(email: str, password: str = PASSWORD, ip: str | None = None, code: str | None = None) -> Answer:
    """The answer to a sign-in; each call comes from an address of its own unless one is named."""
    number = uuid4().int
    address = ip or f"10.{number % 256}.{number // 256 % 256}.{number // 65536 % 256}"
    return call(
        sessions_handler,
        "POST",
        "/api/v1/sessions",
        json={"email": email, "password": password, "code": code},
        ip=address,
    )


def signed_in(tenant: TestTenant, role: Role = "owner") -> Person:
    """A new user of a tenant with a session."""
    user_id = uuid4()
    email = _add_person(tenant, role, user_id)
    answer = sign_in(email)
    assert answer.status == 201, answer.body
    tokens = answer.json
    return Person(user_id, tenant.id, email, tokens["access_token"], tokens["refresh_token"], tokens["csrf_token"])
