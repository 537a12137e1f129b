"""HTTP of second factors."""

from typing import Annotated

from fastapi import APIRouter

from penguinmails import ratelimit
from penguinmails.http.access import session
from penguinmails.http.caller import Caller
from penguinmails.http.problems import problems
from second_factors import repository, service
from second_factors.schemas import Confirmation, Enrolment, RecoveryCodes, Removed, SecondFactor

router = APIRouter(prefix="/api/v1/me/second-factor", tags=["Second factors"])

_STEP_UP = "account"
User = Annotated[Caller, session(even_suspended=True, staff_too=True)]
Confirmed = Annotated[Caller, session(step_up=_STEP_UP, even_suspended=True, staff_too=True)]
ConfirmedTwice = Annotated[
    Caller, session(step_up=_STEP_UP, level="password_totp", even_suspended=True, staff_too=True)
]
_ATTEMPTS_PER_HOUR = 20


@router.get("", operation_id="getSecondFactor", summary="Show your second factor", responses=problems())
async def get_second_factor(caller: User) -> SecondFactor:
    """Whether sign-in asks for a code, and how many recovery codes are left."""
    with caller.transaction() as tx:
        row = repository.find(tx, caller.user.user_id)
    return SecondFactor(
        is_enrolled=row.confirmed_at is not None, confirmed_at=row.confirmed_at, recovery_codes_left=row.codes_left
    )


@router.post(
    "",
    operation_id="enrolSecondFactor",
    summary="Begin to enrol a second factor",
    status_code=201,
    responses=problems(409),
)
async def enrol(caller: Confirmed) -> Enrolment:
    """Get a seed for an authenticator app. Nothing changes until a code of it is confirmed; asking again makes a new one."""
    user = caller.user
    made = service.enrol(tenant_id=user.tenant_id, user_id=user.user_id, email=user.email)
    return Enrolment(seed=made.seed, otpauth_uri=made.otpauth_uri)


@router.post("/confirm", operation_id="confirmSecondFactor", summary="Finish enrolling", responses=problems(409))
async def confirm(body: Confirmation, caller: User) -> RecoveryCodes:
    """Show a code of the new seed. From now on sign-in and confirmations of identity ask for one."""
    user = caller.user
    admitted, state = ratelimit.take_hourly(f"totp_confirm:{user.user_id}", per_hour=_ATTEMPTS_PER_HOUR)
    if not admitted:
        raise ratelimit.refuse_hourly(state, "A second factor can be confirmed", _ATTEMPTS_PER_HOUR)
    version, step = service.pending_step(tenant_id=user.tenant_id, user_id=user.user_id, code=body.code)
    with caller.transaction() as tx:
        codes = service.confirm(tx, user.user_id, version=version, step=step)
        caller.audit(tx, "second_factor_added", resource_type="user", resource_id=str(user.user_id))
    return RecoveryCodes(recovery_codes=codes)


@router.post(
    "/recovery-codes",
    operation_id="renewRecoveryCodes",
    summary="Replace your recovery codes",
    responses=problems(409),
)
async def renew_recovery_codes(caller: ConfirmedTwice) -> RecoveryCodes:
    """Make ten new recovery codes; all older ones stop working."""
    with caller.transaction() as tx:
        codes = service.renew_recovery_codes(tx, caller.user.user_id)
        caller.audit(tx, "recovery_codes_renewed", resource_type="user", resource_id=str(caller.user.user_id))
    return RecoveryCodes(recovery_codes=codes)


@router.delete("", operation_id="removeSecondFactor", summary="Remove your second factor", responses=problems(409))
async def remove(caller: ConfirmedTwice) -> Removed:
    """Sign in with the password alone again. The user is told by mail."""
    user = caller.user
    with caller.transaction() as tx:
        service.remove(tx, tenant_id=user.tenant_id, user_id=user.user_id)
        caller.audit(tx, "second_factor_removed", resource_type="user", resource_id=str(user.user_id))
    return Removed(message="The second factor is removed. Your password alone signs you in now.")
