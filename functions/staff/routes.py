"""HTTP of staff."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from penguinmails.auth.principal import PLATFORM_TENANT_ID, StaffPrincipal
from penguinmails.db import Tx, columns_of, transaction
from penguinmails.domain.key_changes import Announcement
from penguinmails.http.access import staff
from penguinmails.http.caller import StaffCaller
from penguinmails.http.models import Page, Storable
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from staff import mail_server_routes, metrics, repository, second_factors, service
from staff.repository import MemberRow, TenantRow
from staff.schemas import (
    Done,
    Limits,
    MetricsReport,
    NewOverrides,
    NewStaffMember,
    Overrides,
    Owner,
    Plan,
    PlanChange,
    PlanList,
    Reason,
    ReasonText,
    SecondFactorReset,
    StaffIdentity,
    StaffMember,
    StaffMemberChange,
    Tenant,
    TenantDetails,
    TenantStatus,
    Usage,
)

router = APIRouter(prefix="/api/v1/admin", tags=["Staff"])

_STEP_UP = "staff"
Anybody = Annotated[StaffCaller, staff()]
Viewer = Annotated[StaffCaller, staff("super_admin", "admin", "support", "finance", "ops")]
Manager = Annotated[StaffCaller, staff("super_admin", "admin", step_up=_STEP_UP)]
SuperAdmin = Annotated[StaffCaller, staff("super_admin")]
SuperAdminConfirmed = Annotated[StaffCaller, staff("super_admin", step_up=_STEP_UP)]


@router.get("/me", operation_id="getStaffIdentity", summary="Show who you are as staff", responses=problems())
async def get_identity(caller: Anybody) -> StaffIdentity:
    """Your staff role and what you may do beyond it."""
    me = caller.principal
    return StaffIdentity(user_id=me.user_id, email=me.email, role=me.role, grants=sorted(me.grants))


@router.get(
    "/openapi.json", operation_id="getStaffDocument", summary="Get the OpenAPI document of staff", responses=problems()
)
async def get_document(caller: Anybody) -> dict[str, Any]:
    """The OpenAPI 3.0.3 document of the staff endpoints, which the public one leaves out."""
    return service.own_document()


@router.get("/plans", operation_id="listPlans", summary="List plans", responses=problems())
async def list_plans(caller: Viewer) -> PlanList:
    """What accounts can be put on, with its limits."""
    with caller.transaction() as tx:
        rows = repository.list_plans(tx)
    return PlanList(data=[Plan(**columns_of(row)) for row in rows])


@router.get(
    "/metrics", operation_id="getPlatformMetrics", summary="Show figures and their targets", responses=problems()
)
async def get_metrics(
    caller: Viewer,
    month: Annotated[
        str | None,
        Query(
            pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="A month in UTC such as 2026-10; else the last 24 hours."
        ),
    ] = None,
) -> MetricsReport:
    """What the platform is measured by: rates of the period, and numbers at its end, beside those of the period before.

    The report of a month is made and mailed to the staff who may see it once the month is over, and stays as it was.
    """
    with caller.transaction() as tx:
        return metrics.report(tx, month)


@router.get("/tenants", operation_id="listTenants", summary="List accounts", responses=problems())
async def list_tenants(
    caller: Viewer,
    page: Annotated[PageRequest, paged("created_at", "name")],
    search: Annotated[
        str | None,
        Query(min_length=1, max_length=254, description="A part of the name, the id, or the address of a user."),
        Storable,
    ] = None,
    status: Annotated[TenantStatus | None, Query(description="Only accounts in this state.")] = None,
    plan: Annotated[str | None, Query(max_length=50, description="Only accounts on this plan."), Storable] = None,
) -> Page[Tenant]:
    """All accounts. The support role sees addresses masked and cannot search by address."""
    with caller.transaction() as tx:
        rows, total = repository.list_tenants(
            tx,
            page.keyset(repository.KINDS),
            search=search,
            by_address=service.sees_people(caller.principal),
            status=status,
            plan=plan,
        )
        caller.audit(tx, "accounts_listed", tenant_id=PLATFORM_TENANT_ID, details={"shown": len(rows[: page.limit])})
    return page_of(page, rows, lambda row: Tenant(**_values(row, caller.principal)), total)


@router.get("/tenants/{tenant_id}", operation_id="getTenant", summary="Show an account", responses=problems(404))
async def get_tenant(tenant_id: UUID, caller: Viewer) -> TenantDetails:
    """Status, limits and usage of one account. The look is recorded in the account's audit log."""
    with caller.transaction() as tx:
        found = service.account(tx, tenant_id)
        _audit(caller, tx, "account_viewed", tenant_id)
    return _details(caller, found)


@router.post(
    "/tenants/{tenant_id}/suspend",
    operation_id="suspendTenant",
    summary="Suspend an account",
    responses=problems(404, 409),
)
async def suspend(tenant_id: UUID, body: Reason, caller: Manager) -> TenantDetails:
    """Let the account read but no longer change or send anything. Holds on the next request, everywhere."""
    return _set_status(caller, tenant_id, "suspended", "account_suspended", body.reason)


@router.post(
    "/tenants/{tenant_id}/reinstate",
    operation_id="reinstateTenant",
    summary="Take a suspension back",
    responses=problems(404, 409),
)
async def reinstate(tenant_id: UUID, body: Reason, caller: Manager) -> TenantDetails:
    """Let the account work again. Holds on the next request, everywhere."""
    return _set_status(caller, tenant_id, "active", "account_reinstated", body.reason)


def _set_status(caller: StaffCaller, tenant_id: UUID, status: str, event: str, reason: str) -> TenantDetails:
    with caller.transaction() as tx:
        found, announcement = service.set_status(tx, tenant_id, status=status, reason=reason)
        _audit(caller, tx, event, tenant_id, {"reason": reason})
    return _confirmed(caller, found, announcement)


@router.put(
    "/tenants/{tenant_id}/plan", operation_id="changeTenantPlan", summary="Change a plan", responses=problems(404)
)
async def change_plan(tenant_id: UUID, body: PlanChange, caller: Manager) -> TenantDetails:
    """Put the account on another plan. Its limits hold on the next request, everywhere; billing is not touched."""
    with caller.transaction() as tx:
        before, found, announcement = service.set_plan(tx, tenant_id, body.plan)
        facts = {"from": before, "to": body.plan, "reason": body.reason}
        _audit(caller, tx, "account_plan_changed", tenant_id, facts)
    return _confirmed(caller, found, announcement)


@router.put(
    "/tenants/{tenant_id}/overrides",
    operation_id="setTenantOverrides",
    summary="Set limits of an account",
    responses=problems(404),
)
async def set_overrides(tenant_id: UUID, body: NewOverrides, caller: Manager) -> TenantDetails:
    """Let limits win over the plan's, in the place of those that were set before. Holds on the next request."""
    limits = body.model_dump(exclude={"reason"}, exclude_none=True)
    return _set_overrides(caller, tenant_id, limits, "account_limits_set", body.reason)


@router.delete(
    "/tenants/{tenant_id}/overrides",
    operation_id="clearTenantOverrides",
    summary="Give an account its plan's limits again",
    responses=problems(404),
)
async def clear_overrides(
    tenant_id: UUID, caller: Manager, reason: Annotated[ReasonText, Query(description="Why; kept in the audit log.")]
) -> TenantDetails:
    """Take all overrides away. Holds on the next request."""
    return _set_overrides(caller, tenant_id, {}, "account_limits_cleared", reason)


def _set_overrides(
    caller: StaffCaller, tenant_id: UUID, limits: dict[str, int], event: str, reason: str
) -> TenantDetails:
    with caller.transaction() as tx:
        found, announcement = service.set_overrides(tx, tenant_id, limits=limits, reason=reason)
        _audit(caller, tx, event, tenant_id, {"limits": limits, "reason": reason})
    return _confirmed(caller, found, announcement)


router.include_router(mail_server_routes.router)


@router.get("/staff", operation_id="listStaff", summary="List the staff", responses=problems())
async def list_staff(
    caller: SuperAdmin,
    page: Annotated[PageRequest, paged("created_at", "email")],
    is_active: Annotated[bool | None, Query(description="Only present, or only former members.")] = None,
) -> Page[StaffMember]:
    """Everybody who is or was staff."""
    with caller.at_home() as tx:
        rows, total = repository.list_members(tx, page.keyset(repository.KINDS), is_active=is_active)
    return page_of(page, rows, _member, total)


@router.post(
    "/staff", operation_id="addStaffMember", summary="Add a member of staff", status_code=201, responses=problems(409)
)
async def add_member(body: NewStaffMember, caller: SuperAdminConfirmed) -> StaffMember:
    """Mail somebody a link to choose a password. Before they have enrolled a second factor they can do nothing else."""
    with caller.at_home() as tx:
        row = service.add_member(tx, email=body.email, name=body.name, role=body.role, grants=body.grants)
        _audit_member(caller, tx, "staff_added", row)
    return _member(row)


@router.put(
    "/staff/{user_id}",
    operation_id="changeStaffMember",
    summary="Change a member of staff",
    responses=problems(404, 409),
)
async def change_member(user_id: UUID, body: StaffMemberChange, caller: SuperAdminConfirmed) -> StaffMember:
    """Change role or grants, end a membership or renew it. Holds on their next request. Nobody changes their own."""
    changes = body.model_dump(exclude_none=True)
    with caller.at_home() as tx:
        row = service.change_member(tx, caller.principal, user_id, changes)
        _audit_member(caller, tx, "staff_changed", row)
    return _member(row)


@router.post(
    "/second-factor-resets",
    operation_id="resetSecondFactor",
    summary="Take a lost second factor away",
    responses=problems(404, 409),
)
async def reset_second_factor(body: SecondFactorReset, caller: SuperAdminConfirmed) -> Done:
    """For somebody who has lost both phone and recovery codes, once you know who they are. All their sessions end."""
    with transaction() as tx:
        person = second_factors.find_person(tx, body.email)
    with caller.inside(person.tenant_id) as tx:
        second_factors.reset(tx, caller.principal, person)
        caller.audit(
            tx,
            "second_factor_reset",
            resource_type="user",
            resource_id=str(person.id),
            severity="critical",
            details={"reason": body.reason},
        )
    return Done(message="The password alone signs them in now; they were told by mail.", user_id=person.id)


def _values(row: TenantRow, viewer: StaffPrincipal) -> dict[str, Any]:
    values = columns_of(row)
    name, email = values.pop("owner_name"), values.pop("owner_email")
    if not service.sees_people(viewer):
        name, email = None, email and service.mask_address(email)
    return {**values, "owner": Owner(name=name, email=email) if email else None}


def _details(caller: StaffCaller, found: service.Account) -> TenantDetails:
    with caller.inside(found.row.id) as tx:
        usage = repository.find_usage(tx)
    return TenantDetails(
        **_values(found.row, caller.principal),
        limits=Limits(**columns_of(found.limits)),
        overrides=Overrides(**columns_of(found.overrides)) if found.overrides else None,
        usage=Usage(**columns_of(usage)),
    )


def _confirmed(caller: StaffCaller, found: service.Account, announcement: Announcement) -> TenantDetails:
    """The answer to a change that is committed."""
    announcement.confirm()
    return _details(caller, found)


def _member(row: MemberRow) -> StaffMember:
    return StaffMember.model_validate(row, from_attributes=True)


def _audit(caller: StaffCaller, tx: Tx, event: str, tenant_id: UUID, details: dict[str, Any] | None = None) -> None:
    caller.audit(
        tx,
        event,
        tenant_id=tenant_id,
        resource_type="tenant",
        resource_id=str(tenant_id),
        severity="warning" if details else "info",
        details=details,
    )


def _audit_member(caller: StaffCaller, tx: Tx, event: str, row: MemberRow) -> None:
    facts = {"role": row.role, "grants": row.grants, "is_active": row.is_active}
    caller.audit(tx, event, resource_type="staff", resource_id=str(row.id), severity="warning", details=facts)
