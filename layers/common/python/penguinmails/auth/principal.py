"""The authenticated party behind a request, whichever way it authenticated."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from penguinmails.auth.scopes import Role, Scope
from penguinmails.db import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPrincipal:
    """An API key: acts for its tenant, in the mode of its prefix, within its scopes."""

    key_id: UUID
    tenant_id: UUID
    mode: Mode
    scopes: frozenset[Scope]
    plan: str
    name: str

    @property
    def id(self) -> UUID:
        """What the key is known by in audit rows and idempotency records."""
        return self.key_id


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPrincipal:
    """A person with a session: a tenant's user, within the scopes of the role."""

    user_id: UUID
    session_id: UUID
    tenant_id: UUID
    mode: Mode
    role: Role
    scopes: frozenset[Scope]
    plan: str
    email: str

    @property
    def id(self) -> UUID:
        """What the user is known by in audit rows and idempotency records."""
        return self.user_id


StaffRole = Literal["super_admin", "admin", "support", "finance", "ops", "qa"]
StaffGrant = Literal["smtp_credentials:read"]
PLATFORM_TENANT_ID = UUID("00000000-0000-4000-8000-000000000001")
"""The tenant that is the platform itself: staff belong to it and nobody else does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPrincipal:
    """A member of the platform's staff; never derived from a tenant role."""

    user_id: UUID
    session_id: UUID
    role: StaffRole
    grants: frozenset[str]
    email: str
    has_second_factor: bool
    is_proven: bool
    """Whether this session was started with a second factor, and not before there was one."""

    @property
    def id(self) -> UUID:
        """What the staff member is known by in audit rows."""
        return self.user_id

    @property
    def tenant_id(self) -> UUID:
        """The platform's own tenant."""
        return PLATFORM_TENANT_ID

    def as_user(self, mode: Mode) -> UserPrincipal:
        """The same person looking after their own credentials: a user of the platform's tenant without any right."""
        return UserPrincipal(
            user_id=self.user_id,
            session_id=self.session_id,
            tenant_id=PLATFORM_TENANT_ID,
            mode=mode,
            role="member",
            scopes=frozenset(),
            plan="free",
            email=self.email,
        )


@dataclass(frozen=True, slots=True)
class RateLimitState:
    """What the caller is told about its limit: requests per minute, what is left, and when it is full again.

    `reset_at` is epoch seconds; `retry_after` is seconds until the next request is admitted, 0 when one is left.
    """

    limit: int
    burst: int
    remaining: int
    reset_at: int
    retry_after: int
