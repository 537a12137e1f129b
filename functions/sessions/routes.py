"""HTTP of sessions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from penguinmails import ratelimit
from penguinmails.auth.step_up import LIFETIME as STEP_UP_LIFETIME
from penguinmails.errors import NotFound
from penguinmails.http.access import SESSION_COOKIE, public, session
from penguinmails.http.caller import Caller
from penguinmails.http.context import RequestContext
from penguinmails.http.problems import problems, public_problems
from sessions import repository, service
from sessions.schemas import Ended, ReauthToken, Refresh, SessionItem, SessionList, SessionTokens, SignIn, StepUp

router = APIRouter(prefix="/api/v1/sessions", tags=["Sessions"])

Anyone = Annotated[RequestContext, public()]
User = Annotated[Caller, session(even_suspended=True, staff_too=True)]
_SIGN_INS_PER_MINUTE = 20


def _client(context: RequestContext) -> service.Client:
    return service.Client(context.source_ip, context.user_agent, context.request_id)


def _answer(tokens: service.Tokens, status: int, *, cookie: bool) -> Response:
    document = SessionTokens(
        access_token=tokens.access,
        expires_in=tokens.expires_in,
        refresh_token=tokens.refresh,
        csrf_token=tokens.csrf,
        session_id=tokens.session_id,
    )
    response = JSONResponse(document.model_dump(mode="json"), status)
    if cookie:
        response.set_cookie(
            SESSION_COOKIE, tokens.access, max_age=tokens.expires_in, secure=True, httponly=True, samesite="strict"
        )
    return response


@router.post(
    "",
    operation_id="signIn",
    summary="Sign in",
    status_code=201,
    response_model=SessionTokens,
    responses=public_problems(401, 403),
)
async def sign_in(body: SignIn, context: Anyone) -> Response:
    """Start a session with e-mail address and password, and a code when you have a second factor.

    A sixth session ends the one that was used longest ago.
    """
    admitted, state = ratelimit.take(
        f"sign_in:{context.source_ip}", limit=_SIGN_INS_PER_MINUTE, burst=_SIGN_INS_PER_MINUTE
    )
    if not admitted:
        raise ratelimit.refuse(state, "Signing in from one address")
    tokens = service.sign_in(email=body.email, password=body.password, code=body.code, client=_client(context))
    return _answer(tokens, 201, cookie=body.cookie)


@router.post(
    "/refresh",
    operation_id="refreshSession",
    summary="Continue a session",
    response_model=SessionTokens,
    responses=public_problems(401),
)
async def refresh(body: Refresh, context: Anyone) -> Response:
    """Exchange the refresh token for new tokens. Each works once; one that is used twice ends the session."""
    return _answer(service.refresh(body.refresh_token, _client(context)), 200, cookie=False)


@router.get("", operation_id="listSessions", summary="List your sessions", responses=problems())
async def list_sessions(caller: User) -> SessionList:
    """The signed-in user's live sessions."""
    with caller.transaction() as tx:
        rows = repository.live_sessions(tx, caller.user.user_id)
    return SessionList(
        data=[
            SessionItem(
                id=row.id,
                current=row.id == caller.user.session_id,
                ip_address=row.ip_address,
                user_agent=row.user_agent,
                created_at=row.created_at,
                last_used_at=row.last_used_at,
            )
            for row in rows
        ]
    )


@router.delete("", operation_id="signOutEverywhere", summary="End all your sessions", responses=problems())
async def sign_out_everywhere(caller: User) -> Ended:
    """End every session of the signed-in user, this one included. Holds on the next request."""
    with caller.transaction() as tx:
        ended = service.sign_out_everywhere(tx, caller.user)
        caller.audit(tx, "signed_out_everywhere")
    return Ended(ended=ended)


@router.delete("/current", operation_id="signOut", summary="Sign out", responses=problems())
async def sign_out(caller: User) -> Ended:
    """End this session."""
    return _end(caller, caller.user.session_id)


@router.delete("/{session_id}", operation_id="endSession", summary="End one of your sessions", responses=problems(404))
async def end_session(session_id: UUID, caller: User) -> Ended:
    """End one session of the signed-in user, for instance on a device that was lost."""
    return _end(caller, session_id)


def _end(caller: Caller, session_id: UUID) -> Ended:
    with caller.transaction() as tx:
        if not repository.end_session(tx, session_id=session_id, user_id=caller.user.user_id, reason="signed_out"):
            raise NotFound.of("live session", session_id)
        caller.audit(tx, "signed_out", resource_type="session", resource_id=str(session_id))
    return Ended(ended=1)


@router.post(
    "/step-up",
    operation_id="stepUp",
    summary="Confirm your identity for a dangerous action",
    status_code=201,
    responses=problems(),
)
async def step_up(body: StepUp, caller: User) -> ReauthToken:
    """Enter the password once more, and a code when you have a second factor.

    The token is sent as X-Reauth-Token, works for one purpose and dies at sign-out.
    """
    token = service.confirm_identity(
        caller.user, password=body.password, code=body.code, purpose=body.purpose, client=_client(caller.request)
    )
    return ReauthToken(reauth_token=token, expires_in=int(STEP_UP_LIFETIME.total_seconds()), purpose=body.purpose)
