"""SQL of the team."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.auth.scopes import Role
from penguinmails.db import Tx
from penguinmails.keyset import Conditions, Keyset, select_page

MEMBER_COLUMNS: dict[str, LiteralString] = {"created_at": "u.created_at", "name": "u.name", "email": "u.email"}
KINDS = {"created_at": "time", "name": "text", "email": "text"}
INVITATION_COLUMNS: dict[str, LiteralString] = {"created_at": "i.created_at", "email": "i.email"}

_MEMBERS: LiteralString = """
SELECT u.id, u.email, u.name, u.role, coalesce(c.totp_confirmed_at IS NOT NULL, false) AS has_second_factor,
       (SELECT max(s.last_used_at) FROM sessions s WHERE s.tenant_id = u.tenant_id AND s.user_id = u.id)
         AS last_active_at,
       u.created_at
FROM users u LEFT JOIN user_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id"""

_INVITATIONS: LiteralString = """
SELECT i.id, i.email, i.role, i.invited_by, i.created_at, i.expires_at,
       CASE WHEN i.accepted_at IS NOT NULL THEN 'accepted' WHEN i.revoked_at IS NOT NULL THEN 'revoked'
            WHEN i.expires_at <= now() THEN 'expired' ELSE 'open' END AS status
FROM invitations i"""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person of the account."""

    id: UUID
    email: str
    name: str
    role: Role
    has_second_factor: bool
    last_active_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation."""

    id: UUID
    email: str
    role: Role
    invited_by: UUID
    created_at: datetime
    expires_at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class MailedInvitation:
    """The invitation that a mailed token belongs to."""

    id: UUID
    tenant_id: UUID
    email: str
    role: Role
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None


def list_members(tx: Tx, keyset: Keyset, *, role: str | None) -> tuple[list[MemberRow], int | None]:
    """A page of the people who have not left."""
    where = Conditions()
    where.add("u.deleted_at IS NULL")
    where.add_given("u.role = %(role)s", role=role)
    return select_page(
        tx, _MEMBERS, where, keyset, MEMBER_COLUMNS, MemberRow, id_column="u.id", count_from=" FROM users u"
    )


def lock_people(tx: Tx) -> None:
    """Let one change of roles at a time count the owners."""
    tx.run("SELECT pg_advisory_xact_lock(hashtextextended('team ' || %(tenant)s::text, 0))", {"tenant": tx.tenant_id})


def find_member(tx: Tx, user_id: UUID) -> MemberRow | None:
    """A person who has not left."""
    return tx.one(_MEMBERS + " WHERE u.id = %(id)s AND u.deleted_at IS NULL", {"id": user_id}, MemberRow)


def count_owners(tx: Tx) -> int:
    """Owners who have not left."""
    return tx.one("SELECT count(*) FROM users WHERE role = 'owner' AND deleted_at IS NULL", {})


def set_role(tx: Tx, user_id: UUID, role: str) -> None:
    """Give a member another role."""
    tx.run("UPDATE users SET role = %(role)s WHERE id = %(id)s", {"id": user_id, "role": role})


def remove_member(tx: Tx, user_id: UUID) -> None:
    """Take a person's way in; the name stays beside what they did."""
    params = {"id": user_id}
    tx.run("UPDATE users SET deleted_at = clock_timestamp() WHERE id = %(id)s", params)
    tx.run("DELETE FROM user_credentials WHERE user_id = %(id)s", params)
    tx.run("UPDATE link_tokens SET used_at = clock_timestamp() WHERE user_id = %(id)s AND used_at IS NULL", params)
    tx.run("DELETE FROM workspace_members WHERE user_id = %(id)s", params)


def count_active_keys(tx: Tx, user_id: UUID) -> int:
    """API keys that a person made and that still work."""
    return tx.one(
        """
        SELECT count(*) FROM api_keys
        WHERE created_by = %(id)s AND status = 'active' AND (expires_at IS NULL OR expires_at > now())
        """,
        {"id": user_id},
    )


def is_member(tx: Tx, email: str) -> bool:
    """Whether an address belongs to somebody of this account."""
    return bool(tx.one("SELECT 1 FROM users WHERE email = %(email)s AND deleted_at IS NULL", {"email": email}))


def close_expired(tx: Tx, email: str) -> None:
    """An invitation that has expired stands in the way of a new one no longer."""
    tx.run(
        """
        UPDATE invitations SET revoked_at = clock_timestamp()
        WHERE email = %(email)s AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at <= now()
        """,
        {"email": email},
    )


def insert_invitation(tx: Tx, values: dict[str, Any]) -> None:
    """Store an invitation; raises UniqueViolation when one for the address is open."""
    tx.run(
        """
        INSERT INTO invitations (id, tenant_id, email, role, invited_by, expires_at)
        VALUES (%(id)s, %(tenant_id)s, %(email)s, %(role)s, %(invited_by)s, %(expires_at)s)
        """,
        values,
    )


def list_invitations(tx: Tx, keyset: Keyset) -> tuple[list[InvitationRow], int | None]:
    """A page of invitations, whatever became of them."""
    return select_page(
        tx, _INVITATIONS, Conditions(), keyset, INVITATION_COLUMNS, InvitationRow,
        id_column="i.id", count_from=" FROM invitations i",
    )  # fmt: skip


def find_invitation(tx: Tx, invitation_id: UUID) -> InvitationRow | None:
    """One invitation, locked."""
    return tx.one(_INVITATIONS + " WHERE i.id = %(id)s FOR UPDATE", {"id": invitation_id}, InvitationRow)


def renew_invitation(tx: Tx, invitation_id: UUID, expires_at: datetime) -> None:
    """Give an invitation more time; the link of an older mail stops working."""
    tx.run(
        "UPDATE invitations SET expires_at = %(expires_at)s, token_hash = NULL WHERE id = %(id)s",
        {"id": invitation_id, "expires_at": expires_at},
    )


def revoke_invitation(tx: Tx, invitation_id: UUID) -> None:
    """End an invitation."""
    tx.run("UPDATE invitations SET revoked_at = clock_timestamp() WHERE id = %(id)s", {"id": invitation_id})


def find_mailed_invitation(tx: Tx, token_hash: bytes) -> MailedInvitation | None:
    """The invitation of a mailed token, in any account."""
    return tx.one(
        """
        SELECT id, tenant_id, email, role, expires_at, accepted_at, revoked_at FROM find_invitation(%(hash)s)
        """,
        {"hash": token_hash},
        MailedInvitation,
    )


def accept_invitation(tx: Tx, invitation_id: UUID) -> bool:
    """Use an invitation up; False when it was used or revoked meanwhile."""
    return (
        tx.run(
            """
            UPDATE invitations SET accepted_at = clock_timestamp()
            WHERE id = %(id)s AND accepted_at IS NULL AND revoked_at IS NULL
            """,
            {"id": invitation_id},
        )
        == 1
    )
