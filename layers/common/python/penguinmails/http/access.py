"""The one dependency of every route: authenticate, rate limit, authorise, bind the tenant.

A route declares exactly one of `access(scope, ...)`, `any_caller()`, `session(...)`, `staff(...)` or `public()`; a
route without a declaration fails a test, and the OpenAPI document is generated from the declaration.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from penguinmails import ratelimit
from penguinmails.auth import api_keys, sessions, step_up
from penguinmails.auth.principal import KeyPrincipal, StaffPrincipal, StaffRole, UserPrincipal
from penguinmails.auth.scopes import Role, Scope
from penguinmails.auth.step_up import Level
from penguinmails.db import Mode
from penguinmails.errors import (
    AuthenticationRequired,
    InsufficientPermissions,
    SecondFactorEnrolmentRequired,
    SecondFactorRequired,
    ValidationFailed,
)
from penguinmails.http.caller import Caller, StaffCaller
from penguinmails.http.context import RequestContext, context_of, route_template
from penguinmails.http.idempotency import IdempotencyRecord, idempotency_record
from penguinmails.logging import count, logger
from penguinmails.settings import get_settings

Kind = Literal["scoped", "any", "session", "staff", "public"]
SESSION_COOKIE = "__Host-session"
MODE_HEADER = "X-PenguinMails-Mode"
REAUTH_HEADER = "X-Reauth-Token"
CSRF_HEADER = "X-CSRF-Token"
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}
_USER_LIMIT_PER_MINUTE = 1_000
_PUBLIC_LIMIT_PER_MINUTE = 100


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a route demands of its caller."""

    kind: Kind
    scopes: tuple[Scope, ...] = ()
    roles: tuple[Role, ...] = ()
    staff_roles: tuple[StaffRole, ...] = ()
    step_up: str | None = None
    """Purpose that the step-up token must have been made for."""
    step_up_level: Level = "password"
    even_suspended: bool = False
    """Whether people of a suspended account may write here all the same: what guards their own sign-in."""
    per_minute: int | None = None
    """Requests of one address where no credential is asked for, when they have a limit of their own."""
    staff_too: bool = False
    """Whether staff look after their own credentials here, before they have a second factor as well."""

    @property
    def takes_api_keys(self) -> bool:
        """Whether an API key may call the route at all."""
        return self.kind in {"scoped", "any"}


class _Access:
    """The dependency itself; `requirement` is what tests and the OpenAPI generator read."""

    def __init__(self, requirement: Requirement) -> None:
        self.requirement = requirement

    async def __call__(self, request: Request) -> Caller | StaffCaller | RequestContext:
        context = context_of(request)
        if self.requirement.kind == "public":
            _limit_address(context, self.requirement.per_minute)
            return context
        principal = _authenticate(request, context, self.requirement)
        if isinstance(principal, StaffPrincipal):
            if not self.requirement.staff_too:
                return _staff_caller(request, context, principal, self.requirement)
            principal = principal.as_user(_mode(request))
        _check_mode(request, principal)
        _authorise(principal, self.requirement)
        _require_step_up(request, principal, self.requirement)
        return Caller(principal, context, await _idempotency(request, principal))


def access(*scopes: Scope, step_up: str | None = None) -> Any:
    """API keys and sessions that hold any of the scopes; `step_up` has sessions prove who they are once more."""
    return Depends(_Access(Requirement("scoped", scopes=scopes, step_up=step_up)))


def any_caller() -> Any:
    """Any valid API key or session, whatever its scopes."""
    return Depends(_Access(Requirement("any")))


def session(
    *roles: Role,
    step_up: str | None = None,
    level: Level = "password",
    even_suspended: bool = False,
    staff_too: bool = False,
) -> Any:
    """Sessions of these tenant roles (all roles when none is named); API keys are refused."""
    requirement = Requirement(
        "session",
        roles=roles or get_args(Role),
        step_up=step_up,
        step_up_level=level,
        even_suspended=even_suspended,
        staff_too=staff_too,
    )
    return Depends(_Access(requirement))


def staff(*roles: StaffRole, step_up: str | None = None) -> Any:
    """Sessions of active staff with one of these roles (all when none is named), begun with a second factor.

    A tenant's owner never passes. A step-up is always one with password and code.
    """
    requirement = Requirement(
        "staff", staff_roles=roles or get_args(StaffRole), step_up=step_up, step_up_level="password_totp"
    )
    return Depends(_Access(requirement))


def public(*, per_minute: int | None = None) -> Any:
    """Anyone, limited per address: as all such routes together, or to `per_minute` requests of its own."""
    return Depends(_Access(Requirement("public", per_minute=per_minute)))


def requirement_of(route: APIRoute) -> Requirement | None:
    """What a route declared; None when it declared nothing."""
    found = [
        dependency.call.requirement
        for dependency in route.dependant.dependencies
        if isinstance(dependency.call, _Access)
    ]
    return found[0] if len(found) == 1 else None


def _authenticate(
    request: Request, context: RequestContext, requirement: Requirement
) -> KeyPrincipal | UserPrincipal | StaffPrincipal:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    credential = credential.strip()
    if scheme.lower() == "bearer" and credential.startswith("pm_"):
        return _authenticate_key(request, context, credential, requirement)
    if scheme.lower() == "bearer" and credential:
        principal = sessions.authenticate(credential, _mode(request), writes=_writes(request, requirement))
    elif SESSION_COOKIE in request.cookies and not scheme:
        principal = _authenticate_cookie(request, requirement)
    else:
        raise AuthenticationRequired("Send an API key or an access token as `Authorization: Bearer ...`.")
    context.user_id = str(principal.user_id)
    if isinstance(principal, UserPrincipal):
        context.tenant_id, context.plan = str(principal.tenant_id), principal.plan
        logger.append_keys(tenant_id=context.tenant_id)
    admitted, context.rate_limit = ratelimit.take(
        f"user:{principal.user_id}", limit=_USER_LIMIT_PER_MINUTE, burst=_USER_LIMIT_PER_MINUTE
    )
    if not admitted:
        count("rate_limited_total", reason="session", plan=context.plan or "staff")
        raise ratelimit.refuse(context.rate_limit, "A signed-in user")
    return principal


def _authenticate_key(
    request: Request, context: RequestContext, credential: str, requirement: Requirement
) -> KeyPrincipal:
    verified = api_keys.verify(
        credential, source_ip=context.source_ip, writes=request.method in _WRITES, context=context
    )
    logger.append_keys(tenant_id=context.tenant_id)
    if not requirement.takes_api_keys:
        raise InsufficientPermissions("API keys are not accepted here. Sign in and use the session's access token.")
    return verified


def _authenticate_cookie(request: Request, requirement: Requirement) -> UserPrincipal | StaffPrincipal:
    """A cookie is sent by the browser whoever wrote the page, so a write must prove its origin twice."""
    token = request.cookies[SESSION_COOKIE]
    if request.method in _WRITES:
        origin = request.headers.get("origin", "")
        if origin not in {get_settings().public_url, *get_settings().console_origins}:
            raise InsufficientPermissions("The request comes from a page of another origin and was refused.")
        sessions.check_csrf(token, request.headers.get(CSRF_HEADER))
    return sessions.authenticate(token, _mode(request), writes=_writes(request, requirement))


def _writes(request: Request, requirement: Requirement) -> bool:
    return request.method in _WRITES and not requirement.even_suspended


def _mode(request: Request) -> Mode:
    """The mode of a session; whether the header says anything sensible is checked once the caller is known."""
    return "test" if request.headers.get(MODE_HEADER) == "test" else "live"


def _check_mode(request: Request, principal: KeyPrincipal | UserPrincipal) -> None:
    """A program that asks for test mode with a live key must not send real mail because the header was ignored."""
    asked = request.headers.get(MODE_HEADER, principal.mode)
    if asked not in get_args(Mode):
        raise ValidationFailed.of(MODE_HEADER, "must be live or test")
    if asked != principal.mode:
        raise ValidationFailed.of(
            MODE_HEADER, f"is {asked}, but this API key is of {principal.mode} mode; use one of {asked} mode"
        )


def _authorise(principal: KeyPrincipal | UserPrincipal, requirement: Requirement) -> None:
    if requirement.kind == "staff":
        raise InsufficientPermissions("Only staff of the platform may do this.")
    if requirement.kind == "session":
        _require_role(principal, requirement.roles)
    if requirement.kind == "scoped" and not principal.scopes.intersection(requirement.scopes):
        raise InsufficientPermissions(
            f"This needs {_any_of(requirement.scopes)}. Use a key or role that has it.",
            required_scope=requirement.scopes[0].value,
            required_scopes=[scope.value for scope in requirement.scopes],
            available_scopes=sorted(scope.value for scope in principal.scopes),
        )


def _require_role(principal: KeyPrincipal | UserPrincipal, roles: tuple[Role, ...]) -> None:
    if not isinstance(principal, UserPrincipal):
        raise InsufficientPermissions("API keys are not accepted here. Sign in and use the session's access token.")
    if principal.role not in roles:
        raise InsufficientPermissions(
            f"Your role is {principal.role}; this needs {' or '.join(roles)}. Ask an owner or admin of your account."
        )


def _any_of(scopes: Iterable[Scope]) -> str:
    return "the scope " + " or ".join(scope.value for scope in scopes)


def _require_step_up(
    request: Request, principal: KeyPrincipal | UserPrincipal | StaffPrincipal, requirement: Requirement
) -> None:
    if requirement.step_up is not None and not isinstance(principal, KeyPrincipal):
        step_up.require(
            principal,
            request.headers.get(REAUTH_HEADER),
            purpose=requirement.step_up,
            level=requirement.step_up_level,
        )


def _staff_caller(
    request: Request, context: RequestContext, principal: StaffPrincipal, requirement: Requirement
) -> StaffCaller:
    if requirement.kind != "staff":
        raise InsufficientPermissions("Staff sessions may not use an account's endpoints. Use the staff endpoints.")
    if not principal.has_second_factor:
        raise SecondFactorEnrolmentRequired("Staff need a second factor. Enrol one: POST /api/v1/me/second-factor.")
    if not principal.is_proven:
        raise SecondFactorRequired("This session began before you had a second factor. Sign in again, with a code.")
    if principal.role not in requirement.staff_roles:
        raise InsufficientPermissions(f"This needs the staff role {' or '.join(requirement.staff_roles)}.")
    _require_step_up(request, principal, requirement)
    return StaffCaller(principal, context)


def _limit_address(context: RequestContext, per_minute: int | None) -> None:
    bucket, limit = ("address", _PUBLIC_LIMIT_PER_MINUTE) if per_minute is None else ("busy-address", per_minute)
    admitted, context.rate_limit = ratelimit.take(f"{bucket}:{context.source_ip}", limit=limit, burst=limit)
    if not admitted:
        count("rate_limited_total", reason="address", plan="none")
        raise ratelimit.refuse(context.rate_limit, "One address")


async def _idempotency(request: Request, principal: KeyPrincipal | UserPrincipal) -> IdempotencyRecord | None:
    if request.method != "POST":
        return None
    route = f"{request.method} {route_template(request.scope)} {request.url.path}"
    return idempotency_record(request.headers.get("idempotency-key"), principal.id, route, await request.body())
