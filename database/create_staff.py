"""Makes the first super admin, for an operator who may invoke the database function.

All further staff are added by a super admin over the API; so is a second super admin, who can help one that has lost
phone and recovery codes.
"""

from typing import Any

from penguinmails import audit
from penguinmails.auth.password_rules import check_password
from penguinmails.auth.passwords import hash_secret
from penguinmails.auth.principal import PLATFORM_TENANT_ID
from penguinmails.db import transaction
from penguinmails.domain.staff import active_super_admins, add_staff_member
from penguinmails.errors import Conflict


def create_first_super_admin(*, email: str, name: str, password: str) -> None:
    """Add a super admin who signs in with this password and can then do nothing but enrol a second factor.

    Raises Conflict when there is one already or the address is taken, ValidationFailed for a weak password.
    """
    email = email.strip().lower()
    check_password(password, email=email)
    hashed = hash_secret(password)
    with transaction(tenant_id=PLATFORM_TENANT_ID, mode="live") as tx:
        if active_super_admins(tx):
            raise Conflict("There is a super admin already, who adds further staff with POST /api/v1/admin/staff.")
        user_id = add_staff_member(
            tx, email=email, name=name, role="super_admin", grants=[], password_hash=hashed, verified=True
        )
        audit.record(
            tx,
            event="staff_added",
            actor_type="system",
            resource_type="staff",
            resource_id=str(user_id),
            severity="warning",
            details={"role": "super_admin"},
        )


def create_from_event(event: dict[str, Any]) -> dict[str, str]:
    """`{"create_super_admin": {"email": ..., "name": ..., "password": ...}}`; who it is and what comes next.

    Raises ValueError for another shape, DomainError for a person who is refused. Neither repeats the password.
    """
    person = event["create_super_admin"]
    fields = ("email", "name", "password")
    if not isinstance(person, dict) or set(person) != set(fields) or not all(_is_text(person[f]) for f in fields):
        raise ValueError("create_super_admin takes email, name and password, each a text that is not empty.")
    create_first_super_admin(**person)
    return {
        "super_admin": person["email"].strip().lower(),
        "next": "Sign in and enrol a second factor; until then nothing else works.",
    }


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""
