"""HTTP of /api/v1/me."""

from typing import Annotated

from fastapi import APIRouter

from me.schemas import Limit, Me
from penguinmails.auth.principal import UserPrincipal
from penguinmails.http.access import any_caller
from penguinmails.http.caller import Caller
from penguinmails.http.problems import problems

router = APIRouter(prefix="/api/v1/me", tags=["Account"])


@router.get("", operation_id="getMe", summary="Show what this credential may do", responses=problems())
async def get_me(caller: Annotated[Caller, any_caller()]) -> Me:
    """Identity, mode, plan, scopes and rate limit of the API key or session that asks."""
    principal, limit = caller.principal, caller.request.rate_limit
    is_user = isinstance(principal, UserPrincipal)
    return Me(
        kind="user" if is_user else "api_key",
        id=principal.id,
        name=principal.email if is_user else principal.name,
        tenant_id=principal.tenant_id,
        mode=principal.mode,
        plan=principal.plan,
        role=principal.role if is_user else None,
        scopes=sorted(scope.value for scope in principal.scopes),
        rate_limit=limit and Limit(requests_per_minute=limit.limit, burst=limit.burst, remaining=limit.remaining),
    )
