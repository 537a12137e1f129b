"""How somebody becomes staff: the same for a super admin's request and for the command that makes the first one."""

from collections.abc import Sequence
from uuid import UUID

from penguinmails.auth.principal import PLATFORM_TENANT_ID, StaffGrant, StaffRole
from penguinmails.db import Tx, UniqueViolation
from penguinmails.domain.tenants import add_user
from penguinmails.errors import Conflict


def add_staff_member(
    tx: Tx,
    *,
    email: str,
    name: str,
    role: StaffRole,
    grants: Sequence[StaffGrant],
    password_hash: str,
    verified: bool,
) -> UUID:
    """Add a person to the platform's tenant and to its staff; the new user's id.

    `tx` must have been opened for the platform's tenant. Raises Conflict when the address signs in to an account.
    """
    try:
        with tx.savepoint():
            user_id = add_user(
                tx, email=email, name=name, role="member", password_hash=password_hash, verified=verified
            )
    except UniqueViolation:
        raise Conflict(
            "This address signs in to an account already. Staff need an address that is used for nothing else."
        ) from None
    tx.run(
        """
        INSERT INTO staff_members (tenant_id, user_id, role, grants)
        VALUES (%(tenant_id)s, %(user_id)s, %(role)s, %(grants)s)
        """,
        {"tenant_id": PLATFORM_TENANT_ID, "user_id": user_id, "role": role, "grants": list(grants)},
    )
    return user_id


def active_super_admins(tx: Tx) -> list[UUID]:
    """Ids of the super admins who may act, locked, so that no two of them end each other's rights at once."""
    return tx.all(
        """
        SELECT user_id FROM staff_members WHERE role = 'super_admin' AND is_active ORDER BY user_id FOR UPDATE
        """,
        {},
    )
