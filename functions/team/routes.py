"""HTTP of the team."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from penguinmails import audit, ratelimit
from penguinmails.auth.scopes import Role
from penguinmails.db import transaction
from penguinmails.http.access import public, session
from penguinmails.http.caller import Caller
from penguinmails.http.context import RequestContext
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems, public_problems
from team import repository, service
from team.repository import InvitationRow, MemberRow
from team.schemas import AcceptInvitation, Invitation, Joined, Member, NewInvitation, RemovedMember, RoleChange

router = APIRouter(prefix="/api/v1/team", tags=["Team"])

_STEP_UP = "team"
Anyone = Annotated[RequestContext, public()]
Viewer = Annotated[Caller, session()]
Manager = Annotated[Caller, session("owner", "admin")]
SteppedUp = Annotated[Caller, session("owner", "admin", step_up=_STEP_UP)]
_INVITATIONS_PER_HOUR = 30


def _limit_invitations(caller: Caller) -> None:
    admitted, state = ratelimit.take_hourly(f"invitations:{caller.tenant_id}", per_hour=_INVITATIONS_PER_HOUR)
    if not admitted:
        raise ratelimit.refuse_hourly(state, "People can be invited", _INVITATIONS_PER_HOUR)


def _member(row: MemberRow) -> Member:
    return Member.model_validate(row, from_attributes=True)


def _invitation(row: InvitationRow) -> Invitation:
    return Invitation.model_validate(row, from_attributes=True)


@router.get("/members", operation_id="listMembers", summary="List the people of the account", responses=problems())
async def list_members(
    caller: Viewer,
    page: Annotated[PageRequest, paged("created_at", "name", "email")],
    role: Annotated[Role | None, Query(description="Only people with this role.")] = None,
) -> Page[Member]:
    """Everybody who can sign in to the account."""
    with caller.transaction() as tx:
        rows, total = repository.list_members(tx, page.keyset(repository.KINDS), role=role)
    return page_of(page, rows, _member, total)


@router.put(
    "/members/{member_id}", operation_id="changeMemberRole", summary="Change a role", responses=problems(404, 409)
)
async def change_role(member_id: UUID, body: RoleChange, caller: SteppedUp) -> Member:
    """Give somebody another role. It holds on their next request. The last owner keeps the role."""
    with caller.transaction() as tx:
        row = service.change_role(tx, caller.user, member_id, body.role)
        _audit(caller, tx, "member_role_changed", "user", member_id, {"role": body.role})
    return _member(row)


@router.delete(
    "/members/{member_id}", operation_id="removeMember", summary="Remove a person", responses=problems(404, 409)
)
async def remove_member(member_id: UUID, caller: SteppedUp) -> RemovedMember:
    """End all sessions of a person and take them out of the account. API keys that they made belong to the account."""
    with caller.transaction() as tx:
        keys = service.remove_member(tx, caller.user, member_id)
        _audit(caller, tx, "member_removed", "user", member_id, {"active_api_keys": keys})
    return RemovedMember(message="The person can no longer sign in.", id=member_id, active_api_keys=keys)


@router.get("/invitations", operation_id="listInvitations", summary="List invitations", responses=problems())
async def list_invitations(
    caller: Manager, page: Annotated[PageRequest, paged("created_at", "email")]
) -> Page[Invitation]:
    """Invitations, whatever became of them."""
    with caller.transaction() as tx:
        rows, total = repository.list_invitations(tx, page.keyset(repository.KINDS))
    return page_of(page, rows, _invitation, total)


@router.post(
    "/invitations",
    operation_id="inviteMember",
    summary="Invite somebody",
    status_code=201,
    response_model=Invitation,
    responses=problems(409),
)
async def invite(body: NewInvitation, caller: SteppedUp) -> Response:
    """Mail a link that is good for seven days and one use."""
    _limit_invitations(caller)
    with caller.work() as work:
        row = service.invite(work.tx, caller.user, email=body.email, role=body.role)
        _audit(caller, work.tx, "member_invited", "invitation", row.id, {"role": body.role})
        return work.answer(201, _invitation(row))


@router.post(
    "/invitations/{invitation_id}/resend",
    operation_id="resendInvitation",
    summary="Mail an invitation again",
    response_model=Invitation,
    responses=problems(404, 409),
)
async def resend(invitation_id: UUID, caller: Manager) -> Response:
    """Send a new link, good for seven more days; the older link stops working."""
    _limit_invitations(caller)
    with caller.work() as work:
        row = service.resend(work.tx, caller.user, invitation_id)
        _audit(caller, work.tx, "invitation_resent", "invitation", invitation_id, {})
        return work.answer(200, _invitation(row))


@router.delete(
    "/invitations/{invitation_id}",
    operation_id="revokeInvitation",
    summary="Revoke an invitation",
    responses=problems(404, 409),
)
async def revoke(invitation_id: UUID, caller: Manager) -> Invitation:
    """End an open invitation; its link stops working."""
    with caller.transaction() as tx:
        row = service.revoke(tx, invitation_id)
        _audit(caller, tx, "invitation_revoked", "invitation", invitation_id, {})
    return _invitation(row)


@router.post(
    "/invitations/accept",
    operation_id="acceptInvitation",
    summary="Accept an invitation",
    status_code=201,
    responses=public_problems(409),
)
async def accept(body: AcceptInvitation, context: Anyone) -> Joined:
    """Join the account with the token of the mailed link. It works once."""
    invitation = service.open_invitation(body.token)
    password_hash = service.hash_password(body.password, email=invitation.email)
    with transaction(tenant_id=invitation.tenant_id, mode="live") as tx:
        user_id = service.accept(tx, invitation, name=body.name, password_hash=password_hash)
        audit.record(
            tx,
            event="invitation_accepted",
            actor_type="user",
            actor_id=user_id,
            resource_type="invitation",
            resource_id=str(invitation.id),
            source_ip=context.source_ip,
            user_agent=context.user_agent,
            request_id=context.request_id,
        )
    return Joined(message="Welcome. You can sign in now.")


def _audit(caller: Caller, tx: Any, event: str, kind: str, resource_id: UUID, details: dict[str, Any]) -> None:
    caller.audit(tx, event, resource_type=kind, resource_id=str(resource_id), details=details)
