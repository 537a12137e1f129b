"""The rules of staff: what may be done to an account, who sees whom, and who may change the staff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from penguinmails.auth.passwords import hash_secret
from penguinmails.auth.principal import StaffGrant, StaffPrincipal, StaffRole
from penguinmails.auth.sessions import end_sessions
from penguinmails.auth.tokens import new_token
from penguinmails.db import Tx
from penguinmails.domain.api_documents import api_document
from penguinmails.domain.key_changes import Announcement, announce_tenant_change
from penguinmails.domain.platform_mail import queue_mail
from penguinmails.domain.staff import active_super_admins, add_staff_member
from penguinmails.errors import Conflict, InsufficientPermissions, InvalidStateTransition, NotFound, ValidationFailed
from staff import repository
from staff.repository import LimitsRow, MemberRow, OverridesRow, TenantRow

_WITHOUT_PERSONAL_DATA: frozenset[StaffRole] = frozenset({"support"})


@dataclass(frozen=True, slots=True)
class Account:
    """An account as staff know it, without what it uses."""

    row: TenantRow
    limits: LimitsRow
    overrides: OverridesRow | None


@lru_cache(maxsize=1)
def own_document() -> dict[str, Any]:
    """The OpenAPI document of the staff endpoints."""
    return api_document(Path(__file__).parent, "openapi.staff.json")


def sees_people(staff: StaffPrincipal) -> bool:
    """Whether names and addresses are for these eyes."""
    return staff.role not in _WITHOUT_PERSONAL_DATA


def mask_address(email: str) -> str:
    """`o***@e***`: enough to tell two owners apart, too little to write to one."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}***@{domain[:1]}***"


def account(tx: Tx, tenant_id: UUID) -> Account:
    """One account with its limits. Raises NotFound; the platform's own tenant is no account."""
    return _account(tx, repository.find_tenant(tx, tenant_id), tenant_id)


def set_status(tx: Tx, tenant_id: UUID, *, status: str, reason: str) -> tuple[Account, Announcement]:
    """Suspend an account or take that back. Asking again is safe and announces the change once more."""
    row = _locked(tx, tenant_id)
    if row.status == "canceled":
        raise InvalidStateTransition("The account is closed; a closed account is neither suspended nor reinstated.")
    announcement = announce_tenant_change(tx, tenant_id)
    repository.set_status(tx, tenant_id, status=status, reason=reason)
    return account(tx, tenant_id), announcement


def set_plan(tx: Tx, tenant_id: UUID, plan: str) -> tuple[str, Account, Announcement]:
    """Give an account another plan; the plan it had, the account, and what is to be confirmed after the commit."""
    row = _locked(tx, tenant_id)
    if not repository.plan_is_sold(tx, plan):
        raise ValidationFailed.of("plan", "is not a plan that is sold; GET /api/v1/admin/plans lists them")
    announcement = announce_tenant_change(tx, tenant_id)
    repository.set_plan(tx, tenant_id, plan)
    return row.plan, account(tx, tenant_id), announcement


def set_overrides(tx: Tx, tenant_id: UUID, *, limits: Mapping[str, int], reason: str) -> tuple[Account, Announcement]:
    """Let limits win over the plan's. No limits at all means the plan's."""
    _locked(tx, tenant_id)
    announcement = announce_tenant_change(tx, tenant_id)
    if limits:
        repository.set_overrides(tx, tenant_id, limits=limits, reason=reason)
    else:
        repository.clear_overrides(tx, tenant_id)
    changed = account(tx, tenant_id)
    if changed.limits.api_burst_limit < changed.limits.api_rate_limit:
        raise ValidationFailed.of(
            "api_burst_limit",
            f"would be {changed.limits.api_burst_limit}, below the rate limit of {changed.limits.api_rate_limit}; "
            "send both",
        )
    return changed, announcement


def add_member(tx: Tx, *, email: str, name: str, role: StaffRole, grants: Sequence[StaffGrant]) -> MemberRow:
    """Add a member of staff, who chooses a password by the link of a mail."""
    user_id = add_staff_member(
        tx,
        email=email,
        name=name,
        role=role,
        grants=sorted(set(grants)),
        # Nobody knows it; the mailed link replaces it.
        password_hash=hash_secret(new_token()),
        verified=False,
    )
    queue_mail(tx, user_id=user_id, mail_type="staff_added", dedupe_key=f"staff_added:{user_id}")
    return member(tx, user_id)


def change_member(tx: Tx, staff: StaffPrincipal, user_id: UUID, changes: Mapping[str, Any]) -> MemberRow:
    """Change a member's role, grants or membership. Nobody changes their own, so a super admin is always left."""
    if staff.user_id not in active_super_admins(tx):
        raise InsufficientPermissions("You are no super admin any more.")
    row = member(tx, user_id)
    if user_id == staff.user_id:
        raise Conflict("Nobody changes their own membership. Ask another super admin.")
    values = {name: changes.get(name, getattr(row, name)) for name in ("role", "grants", "is_active")}
    repository.change_member(tx, user_id, {**values, "grants": sorted(set(values["grants"]))})
    if not values["is_active"]:
        end_sessions(tx, user_id, "staff_deactivated")
    return member(tx, user_id)


def member(tx: Tx, user_id: UUID) -> MemberRow:
    """One member of staff. Raises NotFound."""
    row = repository.find_member(tx, user_id)
    if row is None:
        raise NotFound(f"There is no member of staff {user_id}. GET /api/v1/admin/staff lists them.")
    return row


def _locked(tx: Tx, tenant_id: UUID) -> TenantRow:
    row = repository.lock_tenant(tx, tenant_id)
    if row is None:
        raise _no_account(tenant_id)
    return row


def _account(tx: Tx, row: TenantRow | None, tenant_id: UUID) -> Account:
    limits = repository.find_limits(tx, tenant_id)
    if row is None or limits is None:
        raise _no_account(tenant_id)
    return Account(row, limits, repository.find_overrides(tx, tenant_id))


def _no_account(tenant_id: UUID) -> NotFound:
    return NotFound(f"There is no account {tenant_id}. GET /api/v1/admin/tenants lists them.")
