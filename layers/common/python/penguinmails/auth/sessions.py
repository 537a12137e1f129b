"""Sessions of people. Status and role are read from PostgreSQL on every request: sign-out and demotion bite at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from penguinmails import clock
from penguinmails.auth import access_tokens
from penguinmails.auth.principal import PLATFORM_TENANT_ID, StaffPrincipal, StaffRole, UserPrincipal
from penguinmails.auth.scopes import ROLE_SCOPES, Role
from penguinmails.auth.tokens import token_matches
from penguinmails.db import Mode, Tx, transaction
from penguinmails.errors import AuthenticationRequired, InsufficientPermissions, SubscriptionSuspended

INACTIVITY = timedelta(hours=24)
STAFF_INACTIVITY = timedelta(minutes=30)
_TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _SessionRow:
    id: UUID
    user_id: UUID
    tenant_id: UUID
    email: str
    role: Role
    csrf_hash: bytes
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime
    last_used_at: datetime
    tenant_status: str
    subscription_status: str
    plan: str
    staff_role: StaffRole | None
    staff_grants: list[str] | None
    staff_is_active: bool | None
    staff_factor_since: datetime | None


def authenticate(token: str, mode: Mode, *, writes: bool) -> UserPrincipal | StaffPrincipal:
    """The person behind an access token.

    Raises AuthenticationRequired (401) when the session, or a membership of staff, has ended, SubscriptionSuspended
    (403) when the account is closed, or suspended and the request writes.
    """
    row = _live_session(token)
    if row.tenant_id == PLATFORM_TENANT_ID:
        return _staff_principal(row)
    if "canceled" in (row.tenant_status, row.subscription_status):
        raise SubscriptionSuspended("The account is closed. Contact support to open it again.")
    if writes and "suspended" in (row.tenant_status, row.subscription_status):
        raise SubscriptionSuspended(
            "The account is suspended: reading works, changing does not. Settle the open invoice."
        )
    return UserPrincipal(
        user_id=row.user_id,
        session_id=row.id,
        tenant_id=row.tenant_id,
        mode=mode,
        role=row.role,
        scopes=ROLE_SCOPES[row.role],
        plan=row.plan,
        email=row.email,
    )


def _staff_principal(row: _SessionRow) -> StaffPrincipal:
    if row.staff_role is None or not row.staff_is_active:
        raise AuthenticationRequired("Your access as staff has ended. Ask a super admin if that is a mistake.")
    return StaffPrincipal(
        user_id=row.user_id,
        session_id=row.id,
        role=row.staff_role,
        grants=frozenset(row.staff_grants or ()),
        email=row.email,
        has_second_factor=row.staff_factor_since is not None,
        is_proven=row.staff_factor_since is not None and row.staff_factor_since <= row.created_at,
    )


def is_idle(tenant_id: UUID, last_used_at: datetime) -> bool:
    """Whether a session was left alone for too long: 30 minutes for the platform's staff, 24 hours for tenants."""
    allowed = STAFF_INACTIVITY if tenant_id == PLATFORM_TENANT_ID else INACTIVITY
    return last_used_at + allowed <= clock.now()


def check_csrf(token: str, presented: str | None) -> None:
    """Refuse a cookie-authenticated write that lacks the session's CSRF token."""
    if not token_matches(presented, _live_session(token).csrf_hash):
        raise InsufficientPermissions("The CSRF token is missing or wrong. Send the one from sign-in as X-CSRF-Token.")


def _live_session(token: str) -> _SessionRow:
    session_id = access_tokens.session_of(token)
    with transaction() as tx:
        row = _find(tx, session_id)
    now = clock.now()
    if row is None or row.ended_at is not None or row.expires_at <= now or is_idle(row.tenant_id, row.last_used_at):
        raise AuthenticationRequired("The session has ended. Sign in again.")
    if row.last_used_at + _TOUCH_EVERY <= now:
        with transaction(tenant_id=row.tenant_id) as tx:
            tx.run("UPDATE sessions SET last_used_at = clock_timestamp() WHERE id = %(id)s", {"id": row.id})
    return row


def _find(tx: Tx, session_id: UUID) -> _SessionRow | None:
    return tx.one(
        """
        SELECT id, user_id, tenant_id, email, role, csrf_hash, created_at, ended_at, expires_at, last_used_at,
               tenant_status, subscription_status, plan, staff_role, staff_grants, staff_is_active, staff_factor_since
        FROM find_session(%(id)s)
        """,
        {"id": session_id},
        _SessionRow,
    )


def end_sessions(tx: Tx, user_id: UUID, reason: str, *, but: UUID | None = None) -> int:
    """End all sessions of a user, except one; how many were ended."""
    return tx.run(
        """
        UPDATE sessions SET ended_at = clock_timestamp(), end_reason = %(reason)s
        WHERE user_id = %(user_id)s AND ended_at IS NULL AND id IS DISTINCT FROM %(but)s
        """,
        {"user_id": user_id, "reason": reason, "but": but},
    )
