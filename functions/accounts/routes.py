"""HTTP of accounts."""

from typing import Annotated

from fastapi import APIRouter

from accounts import service
from accounts.schemas import Accepted, ChangePassword, Done, EmailAddress, ResetPassword, SignUp, VerifyEmail
from penguinmails import audit, ratelimit
from penguinmails.db import transaction
from penguinmails.http.access import public, session
from penguinmails.http.caller import Caller
from penguinmails.http.context import RequestContext
from penguinmails.http.problems import problems, public_problems

router = APIRouter(prefix="/api/v1/accounts", tags=["Accounts"])

Anyone = Annotated[RequestContext, public()]
User = Annotated[Caller, session(even_suspended=True, staff_too=True)]
_MAILS_PER_ADDRESS_AND_HOUR = 20


def _limit_mails(context: RequestContext) -> None:
    """Mail costs, and every address that is tried is somebody's: one client may cause twenty an hour."""
    admitted, state = ratelimit.take_hourly(f"mails:{context.source_ip}", per_hour=_MAILS_PER_ADDRESS_AND_HOUR)
    if not admitted:
        raise ratelimit.refuse_hourly(state, "One address may do this", _MAILS_PER_ADDRESS_AND_HOUR)


@router.post("", operation_id="signUp", summary="Open an account", status_code=202, responses=public_problems())
async def sign_up(body: SignUp, context: Anyone) -> Accepted:
    """Create an account on the starter plan with its owner and first workspace, and mail a link that proves the address.

    An address that has an account already gets the same answer, and its owner a mail that says so.
    """
    _limit_mails(context)
    tenant_id = service.sign_up(email=body.email, password=body.password, name=body.name, company=body.company)
    if tenant_id is not None:
        with transaction(tenant_id=tenant_id) as tx:
            audit.record(
                tx,
                event="account_created",
                actor_type="anonymous",
                source_ip=context.source_ip,
                user_agent=context.user_agent,
                request_id=context.request_id,
            )
    return Accepted(message="A mail is on its way. Open its link, then sign in.")


@router.post(
    "/verify-email", operation_id="verifyEmail", summary="Prove an e-mail address", responses=public_problems()
)
async def verify_email(body: VerifyEmail, context: Anyone) -> Done:
    """Use the token of the mailed link. It works once, within 24 hours."""
    link = service.open_link(body.token, "verify_email")
    with transaction(tenant_id=link.tenant_id, mode="live") as tx:
        service.verify_email(tx, link)
        audit.record(tx, event="email_verified", actor_type="user", actor_id=link.user_id, source_ip=context.source_ip)
    return Done(message="The address is confirmed. You can sign in now.")


@router.post(
    "/resend-verification",
    operation_id="resendVerification",
    summary="Mail the verification link again",
    status_code=202,
    responses=public_problems(),
)
async def resend_verification(body: EmailAddress, context: Anyone) -> Accepted:
    """Send the link again if the address has an account that needs it; at most once an hour."""
    _limit_mails(context)
    service.mail_owner(body.email, "verify_email")
    return Accepted(message="If the address needs it, a mail is on its way.")


@router.post(
    "/password/forgot",
    operation_id="forgotPassword",
    summary="Mail a link to choose a new password",
    status_code=202,
    responses=public_problems(),
)
async def forgot_password(body: EmailAddress, context: Anyone) -> Accepted:
    """Send the link if the address has an account; at most once an hour."""
    _limit_mails(context)
    service.mail_owner(body.email, "reset_password")
    return Accepted(message="If the address has an account, a mail is on its way.")


@router.post(
    "/password/reset", operation_id="resetPassword", summary="Choose a new password", responses=public_problems()
)
async def reset_password(body: ResetPassword, context: Anyone) -> Done:
    """Use the token of the mailed link, once and within an hour. Every session of the user ends."""
    link = service.open_link(body.token, "reset_password")
    with transaction(tenant_id=link.tenant_id, mode="live") as tx:
        service.reset_password(tx, link, body.password)
        audit.record(tx, event="password_reset", actor_type="user", actor_id=link.user_id, source_ip=context.source_ip)
    return Done(message="The password is changed. Sign in with the new one.")


@router.put("/password", operation_id="changePassword", summary="Change your password", responses=problems())
async def change_password(body: ChangePassword, caller: User) -> Done:
    """Change the password of the signed-in user; all other sessions end."""
    with caller.transaction() as tx:
        service.change_password(
            tx,
            user_id=caller.user.user_id,
            session_id=caller.user.session_id,
            current=body.current_password,
            new=body.new_password,
        )
        caller.audit(tx, "password_changed")
    return Done(message="The password is changed; your other sessions have ended.")
