"""SQL of sessions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class LoginRow:
    """What sign-in needs to know of an address."""

    user_id: UUID
    tenant_id: UUID
    password_hash: str
    locked_until: datetime | None
    email_verified_at: datetime | None
    tenant_status: str
    has_second_factor: bool
    is_former_staff: bool


@dataclass(frozen=True, slots=True)
class RefreshRow:
    """The session that a refresh token belongs to; `is_current` is False for the one that was used before."""

    session_id: UUID
    tenant_id: UUID
    is_current: bool


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session with its user's claims."""

    id: UUID
    user_id: UUID
    email: str
    role: str
    ip_address: str | None
    user_agent: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ended_at: datetime | None


_SELECT = """
SELECT s.id, s.user_id, u.email, u.role, host(s.ip_address) AS ip_address, s.user_agent, s.created_at, s.last_used_at,
       s.expires_at, s.ended_at
FROM sessions s JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
"""


def find_login(tx: Tx, email: str) -> LoginRow | None:
    """The user with this address, in any tenant."""
    return tx.one(
        """
        SELECT user_id, tenant_id, password_hash, locked_until, email_verified_at, tenant_status, has_second_factor,
               is_former_staff
        FROM find_login(%(email)s)
        """,
        {"email": email},
        LoginRow,
    )


def count_failure(tx: Tx, user_id: UUID) -> None:
    """Note a wrong password or code; from the fifth on the account is locked, one minute first and doubling up to an hour."""
    tx.run(
        """
        UPDATE user_credentials
        SET failed_attempts = failed_attempts + 1,
            locked_until = CASE WHEN failed_attempts >= 4
              THEN clock_timestamp() + least(interval '1 hour', interval '1 minute' * 2 ^ least(failed_attempts - 4, 6))
            END
        WHERE user_id = %(id)s
        """,
        {"id": user_id},
    )


def forget_failures(tx: Tx, user_id: UUID) -> None:
    """A right password clears the count."""
    tx.run(
        """
        UPDATE user_credentials SET failed_attempts = 0, locked_until = NULL
        WHERE user_id = %(id)s AND failed_attempts > 0
        """,
        {"id": user_id},
    )


@dataclass(frozen=True, slots=True)
class CredentialsRow:
    """What proves that a signed-in user is who they are."""

    password_hash: str
    locked_until: datetime | None
    has_second_factor: bool


def credentials_of(tx: Tx, user_id: UUID) -> CredentialsRow:
    """A signed-in user's hash, until when the account is locked, and whether there is a second factor."""
    row = tx.one(
        """
        SELECT password_hash, locked_until, totp_confirmed_at IS NOT NULL AS has_second_factor
        FROM user_credentials WHERE user_id = %(id)s
        """,
        {"id": user_id},
        CredentialsRow,
    )
    if row is None:
        raise LookupError("a signed-in user has no credentials")
    return row


def insert_session(tx: Tx, values: dict[str, Any]) -> None:
    """Start a session."""
    tx.run(
        """
        INSERT INTO sessions (id, tenant_id, user_id, refresh_hash, csrf_hash, ip_address, user_agent, expires_at)
        VALUES (%(id)s, %(tenant_id)s, %(user_id)s, %(refresh_hash)s, %(csrf_hash)s,
                nullif(%(ip_address)s, '')::inet, %(user_agent)s, %(expires_at)s)
        """,
        values,
    )


def end_oldest_beyond(tx: Tx, user_id: UUID, allowed: int) -> None:
    """End the sessions that were used longest ago until `allowed` are left."""
    tx.run(
        """
        UPDATE sessions SET ended_at = clock_timestamp(), end_reason = 'too_many'
        WHERE id IN (
          SELECT id FROM sessions
          WHERE user_id = %(user_id)s AND ended_at IS NULL AND expires_at > clock_timestamp()
          ORDER BY last_used_at DESC, id DESC OFFSET %(allowed)s
        )
        """,
        {"user_id": user_id, "allowed": allowed},
    )


def find_refresh(tx: Tx, refresh_hash: bytes) -> RefreshRow | None:
    """The session that has, or had, this refresh token."""
    return tx.one(
        "SELECT session_id, tenant_id, is_current FROM find_refresh(%(hash)s)", {"hash": refresh_hash}, RefreshRow
    )


def find_session(tx: Tx, session_id: UUID) -> SessionRow | None:
    """One session of the tenant."""
    return tx.one(_SELECT + " WHERE s.id = %(id)s", {"id": session_id}, SessionRow)


def live_sessions(tx: Tx, user_id: UUID) -> list[SessionRow]:
    """A user's sessions that have not ended, the latest used first."""
    return tx.all(
        _SELECT
        + """
        WHERE s.user_id = %(user_id)s AND s.ended_at IS NULL AND s.expires_at > clock_timestamp()
        ORDER BY s.last_used_at DESC, s.id DESC
        """,
        {"user_id": user_id},
        SessionRow,
    )


def rotate(tx: Tx, session_id: UUID, *, old_hash: bytes, values: dict[str, Any]) -> bool:
    """Replace a session's refresh and CSRF tokens; False when the old one was used by somebody else meanwhile."""
    return (
        tx.run(
            """
            UPDATE sessions
            SET refresh_hash = %(refresh_hash)s, previous_refresh_hash = %(old_hash)s, csrf_hash = %(csrf_hash)s,
                last_used_at = clock_timestamp(), expires_at = %(expires_at)s
            WHERE id = %(id)s AND refresh_hash = %(old_hash)s AND ended_at IS NULL
            """,
            {"id": session_id, "old_hash": old_hash, **values},
        )
        == 1
    )


def end_session(tx: Tx, *, session_id: UUID, user_id: UUID, reason: str) -> bool:
    """End one session of a user; False when there is no such live session."""
    return (
        tx.run(
            """
            UPDATE sessions SET ended_at = clock_timestamp(), end_reason = %(reason)s
            WHERE id = %(id)s AND user_id = %(user_id)s AND ended_at IS NULL
            """,
            {"id": session_id, "user_id": user_id, "reason": reason},
        )
        == 1
    )
