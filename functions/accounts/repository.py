"""SQL of accounts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class LoginRow:
    """Whom an e-mail address belongs to."""

    user_id: UUID
    tenant_id: UUID
    email_verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link token that was mailed."""

    id: UUID
    tenant_id: UUID
    user_id: UUID
    purpose: str
    expires_at: datetime
    used_at: datetime | None


def find_login(tx: Tx, email: str) -> LoginRow | None:
    """The user with this address, in any tenant."""
    return tx.one("SELECT user_id, tenant_id, email_verified_at FROM find_login(%(email)s)", {"email": email}, LoginRow)


def find_link(tx: Tx, token_hash: bytes) -> LinkRow | None:
    """The link with this token."""
    return tx.one(
        "SELECT id, tenant_id, user_id, purpose, expires_at, used_at FROM find_link_token(%(hash)s)",
        {"hash": token_hash},
        LinkRow,
    )


def use_link(tx: Tx, link_id: UUID) -> bool:
    """Mark a link as used; False when somebody was faster."""
    return (
        tx.run(
            "UPDATE link_tokens SET used_at = clock_timestamp() WHERE id = %(id)s AND used_at IS NULL", {"id": link_id}
        )
        == 1
    )


def void_links(tx: Tx, user_id: UUID, purpose: str) -> None:
    """Use up all links of a kind: the newest proof is enough."""
    tx.run(
        """
        UPDATE link_tokens SET used_at = clock_timestamp()
        WHERE user_id = %(user_id)s AND purpose = %(purpose)s AND used_at IS NULL
        """,
        {"user_id": user_id, "purpose": purpose},
    )


def verify_email(tx: Tx, user_id: UUID) -> None:
    """Note that the address was proved."""
    tx.run(
        "UPDATE users SET email_verified_at = coalesce(email_verified_at, clock_timestamp()) WHERE id = %(id)s",
        {"id": user_id},
    )


def email_of(tx: Tx, user_id: UUID) -> str:
    """A user's address."""
    return tx.one("SELECT email FROM users WHERE id = %(id)s", {"id": user_id})


def password_hash(tx: Tx, user_id: UUID) -> str:
    """A user's present hash."""
    return tx.one("SELECT password_hash FROM user_credentials WHERE user_id = %(id)s", {"id": user_id})


def set_password(tx: Tx, user_id: UUID, hashed: str) -> None:
    """Replace a password and lift a lock."""
    tx.run(
        """
        UPDATE user_credentials
        SET password_hash = %(hash)s, failed_attempts = 0, locked_until = NULL, changed_at = clock_timestamp()
        WHERE user_id = %(id)s
        """,
        {"id": user_id, "hash": hashed},
    )
