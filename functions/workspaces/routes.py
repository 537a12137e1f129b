"""HTTP of workspaces."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from penguinmails.errors import NotFound
from penguinmails.http.access import any_caller, session
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.http.versions import ETAG_HEADER, IfMatch, etag_of, require_version
from workspaces import repository, service
from workspaces.repository import WorkspaceRow
from workspaces.schemas import (
    DeletedWorkspace,
    MemberRole,
    NewWorkspace,
    Workspace,
    WorkspaceChange,
    WorkspaceMember,
    WorkspaceMembers,
)

router = APIRouter(prefix="/api/v1/workspaces", tags=["Workspaces"])

Anyone = Annotated[Caller, any_caller()]
Person = Annotated[Caller, session()]
Manager = Annotated[Caller, session("owner", "admin")]


def _view(row: WorkspaceRow) -> Workspace:
    return Workspace.model_validate(row, from_attributes=True)


@router.get("", operation_id="listWorkspaces", summary="List workspaces", responses=problems())
async def list_workspaces(caller: Anyone, page: Annotated[PageRequest, paged("created_at", "name")]) -> Page[Workspace]:
    """The account's workspaces; contacts and campaigns name them."""
    with caller.transaction() as tx:
        rows, total = repository.list_workspaces(tx, page.keyset(repository.KINDS))
    return page_of(page, rows, _view, total)


@router.post(
    "",
    operation_id="createWorkspace",
    summary="Add a workspace",
    status_code=201,
    response_model=Workspace,
    responses=problems(409),
)
async def create_workspace(body: NewWorkspace, caller: Manager) -> Response:
    """Make a workspace for a project or a client."""
    with caller.work() as work:
        row = service.create(work.tx, name=body.name, slug=body.slug)
        caller.audit(work.tx, "workspace_created", resource_type="workspace", resource_id=str(row.id))
        return work.answer(201, _view(row))


@router.get(
    "/{workspace_id}",
    operation_id="getWorkspace",
    summary="Show a workspace",
    responses={200: ETAG_HEADER, **problems(404)},
)
async def get_workspace(workspace_id: UUID, caller: Anyone, response: Response) -> Workspace:
    """One workspace."""
    with caller.transaction() as tx:
        view = _view(service.existing(tx, workspace_id))
    response.headers["ETag"] = etag_of(view)
    return view


@router.put(
    "/{workspace_id}",
    operation_id="updateWorkspace",
    summary="Change a workspace",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
@router.patch(
    "/{workspace_id}",
    operation_id="patchWorkspace",
    summary="Change a workspace (alias of PUT)",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
async def update_workspace(
    workspace_id: UUID, body: WorkspaceChange, caller: Manager, response: Response, if_match: IfMatch = None
) -> Workspace:
    """Change the fields that are sent; absent fields stay."""
    with caller.transaction() as tx:
        present = service.existing_locked(tx, workspace_id)
        require_version(if_match, _view(present))
        view = _view(service.change(tx, present, name=body.name, slug=body.slug))
        caller.audit(tx, "workspace_changed", resource_type="workspace", resource_id=str(workspace_id))
    response.headers["ETag"] = etag_of(view)
    return view


@router.delete(
    "/{workspace_id}",
    operation_id="deleteWorkspace",
    summary="Delete a workspace",
    responses=problems(404, 409, 412),
)
async def delete_workspace(workspace_id: UUID, caller: Manager, if_match: IfMatch = None) -> DeletedWorkspace:
    """Remove a workspace that nothing belongs to any more. Its contacts stay in the account."""
    with caller.transaction() as tx:
        present = service.existing_locked(tx, workspace_id)
        require_version(if_match, _view(present))
        service.delete(tx, present)
        caller.audit(tx, "workspace_deleted", resource_type="workspace", resource_id=str(workspace_id))
    return DeletedWorkspace(id=workspace_id)


@router.get(
    "/{workspace_id}/members",
    operation_id="listWorkspaceMembers",
    summary="List who works in a workspace",
    responses=problems(404),
)
async def list_members(workspace_id: UUID, caller: Person) -> WorkspaceMembers:
    """Everybody who works in the workspace."""
    with caller.transaction() as tx:
        service.existing(tx, workspace_id)
        rows = repository.members(tx, workspace_id)
    return WorkspaceMembers(data=[WorkspaceMember.model_validate(row, from_attributes=True) for row in rows])


@router.put(
    "/{workspace_id}/members/{user_id}",
    operation_id="setWorkspaceMember",
    summary="Let somebody work in a workspace",
    responses=problems(404),
)
async def set_member(workspace_id: UUID, user_id: UUID, body: MemberRole, caller: Manager) -> WorkspaceMembers:
    """Add somebody of the account, or change what they may do there."""
    with caller.transaction() as tx:
        service.existing(tx, workspace_id)
        if not repository.set_member(tx, workspace_id, user_id, body.role):
            raise NotFound.of("member", user_id)
        rows = repository.members(tx, workspace_id)
    return WorkspaceMembers(data=[WorkspaceMember.model_validate(row, from_attributes=True) for row in rows])


@router.delete(
    "/{workspace_id}/members/{user_id}",
    operation_id="removeWorkspaceMember",
    summary="End somebody's work in a workspace",
    responses=problems(404),
)
async def remove_member(workspace_id: UUID, user_id: UUID, caller: Manager) -> WorkspaceMembers:
    """Take somebody out of the workspace; they stay in the account."""
    with caller.transaction() as tx:
        service.existing(tx, workspace_id)
        if not repository.remove_member(tx, workspace_id, user_id):
            raise NotFound.of("workspace member", user_id)
        rows = repository.members(tx, workspace_id)
    return WorkspaceMembers(data=[WorkspaceMember.model_validate(row, from_attributes=True) for row in rows])
