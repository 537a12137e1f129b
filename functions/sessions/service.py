"""The rules of sessions: who may sign in, how a session goes on, and how it ends."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from penguinmails import audit, clock
from penguinmails.auth import access_tokens, second_factors, step_up
from penguinmails.auth.passwords import hash_secret, matches
from penguinmails.auth.principal import PLATFORM_TENANT_ID, UserPrincipal
from penguinmails.auth.sessions import end_sessions, is_idle
from penguinmails.auth.tokens import new_token, token_hash
from penguinmails.db import Tx, transaction
from penguinmails.errors import (
    AuthenticationRequired,
    FieldError,
    InsufficientPermissions,
    MissingRequiredField,
    RateLimitExceeded,
    SecondFactorRequired,
)
from penguinmails.ids import new_uuid4
from sessions import repository
from sessions.repository import LoginRow, SessionRow

REFRESH_LIFETIME = timedelta(days=30)
MAX_SESSIONS = 5
_WRONG = "The e-mail address or the password is wrong."


@dataclass(frozen=True, slots=True)
class Client:
    """Where a session is used."""

    source_ip: str
    user_agent: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """A session's tokens, shown this once."""

    session_id: UUID
    access: str
    expires_in: int
    refresh: str
    csrf: str

    def __repr__(self) -> str:
        return f"Tokens({self.session_id})"


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """Verified against when an address has no account, so that the answer takes as long."""
    return hash_secret("nobody has this password")


def sign_in(*, email: str, password: str, code: str | None, client: Client) -> Tokens:
    """Start a session. Wrong passwords and codes lock the account for growing times; an unknown address answers alike."""
    with transaction() as tx:
        login = repository.find_login(tx, email)
    if login is None:
        matches(password, _nobodys_hash())
        raise AuthenticationRequired(_WRONG)
    _refuse_while_locked(login.locked_until)
    if not matches(password, login.password_hash):
        _note_failure(login.tenant_id, login.user_id, "sign_in_failed", client)
        raise AuthenticationRequired(_WRONG)
    if login.email_verified_at is None:
        raise InsufficientPermissions("Confirm your e-mail address first: open the link that was mailed to you.")
    if login.tenant_status == "canceled":
        raise InsufficientPermissions("The account is closed. Contact support to open it again.")
    if login.is_former_staff:
        raise InsufficientPermissions("Your access as staff has ended. Ask a super admin if that is a mistake.")
    if login.has_second_factor:
        _check_second_factor(login, code, client)
    with transaction(tenant_id=login.tenant_id) as tx:
        repository.forget_failures(tx, login.user_id)
        session_id, refresh, csrf = new_uuid4(), new_token(), new_token()
        repository.insert_session(
            tx,
            {
                "id": session_id,
                "tenant_id": login.tenant_id,
                "user_id": login.user_id,
                "ip_address": client.source_ip,
                "user_agent": client.user_agent,
                **_secrets(refresh, csrf),
            },
        )
        repository.end_oldest_beyond(tx, login.user_id, MAX_SESSIONS)
        _audit(tx, login.user_id, "signed_in", client)
        return _tokens(tx, login.tenant_id, session_id, refresh, csrf)


def _check_second_factor(login: LoginRow, code: str | None, client: Client) -> None:
    if code is None:
        raise SecondFactorRequired("Send the code of your authenticator app, or a recovery code, as `code`.")
    if not second_factors.verify(tenant_id=login.tenant_id, user_id=login.user_id, code=code):
        _note_failure(login.tenant_id, login.user_id, "second_factor_failed", client)
        raise AuthenticationRequired("The code is wrong or was used already. Wait for the next one and send that.")


def refresh(token: str, client: Client) -> Tokens:
    """Continue a session with new tokens. A refresh token that was used before ends the session: it was stolen."""
    old_hash = token_hash(token)
    with transaction() as tx:
        found = repository.find_refresh(tx, old_hash)
    if found is None:
        raise AuthenticationRequired("The refresh token is not valid. Sign in again.")
    with transaction(tenant_id=found.tenant_id) as tx:
        session = repository.find_session(tx, found.session_id)
        is_live = session is not None and _is_live(found.tenant_id, session)
        new_refresh, csrf = new_token(), new_token()
        if (
            is_live
            and found.is_current
            and repository.rotate(tx, found.session_id, old_hash=old_hash, values=_secrets(new_refresh, csrf))
        ):
            return _tokens(tx, found.tenant_id, found.session_id, new_refresh, csrf)
        if is_live and session is not None:
            repository.end_session(tx, session_id=session.id, user_id=session.user_id, reason="refresh_token_reused")
            _audit(tx, session.user_id, "refresh_token_reused", client, severity="warning")
    raise AuthenticationRequired("The session has ended. Sign in again.")


def _is_live(tenant_id: UUID, session: SessionRow) -> bool:
    # A tenant's program may come back within 30 days; staff who left their desk sign in anew.
    is_left_alone = tenant_id == PLATFORM_TENANT_ID and is_idle(tenant_id, session.last_used_at)
    return session.ended_at is None and session.expires_at > clock.now() and not is_left_alone


def confirm_identity(user: UserPrincipal, *, password: str, code: str | None, purpose: str, client: Client) -> str:
    """Check the password once more, and a code where there is a second factor; grant a step-up token for a purpose."""
    with transaction(tenant_id=user.tenant_id) as tx:
        known = repository.credentials_of(tx, user.user_id)
    _refuse_while_locked(known.locked_until)
    if not matches(password, known.password_hash):
        _note_failure(user.tenant_id, user.user_id, "step_up_failed", client)
        raise InsufficientPermissions("The password is wrong.")
    level: step_up.Level = "password_totp" if known.has_second_factor else "password"
    if known.has_second_factor:
        if code is None:
            raise MissingRequiredField(
                "code: send the code of your second factor as well.",
                errors=[FieldError("code", "is needed, since you have a second factor", "missing")],
            )
        if not second_factors.verify(tenant_id=user.tenant_id, user_id=user.user_id, code=code):
            _note_failure(user.tenant_id, user.user_id, "second_factor_failed", client)
            raise InsufficientPermissions("The code is wrong or was used already. Wait for the next one.")
    with transaction(tenant_id=user.tenant_id) as tx:
        repository.forget_failures(tx, user.user_id)
        _audit(tx, user.user_id, "stepped_up", client, details={"purpose": purpose, "level": level})
        return step_up.grant(tx, user_id=user.user_id, session_id=user.session_id, level=level, purpose=purpose)


def sign_out_everywhere(tx: Tx, user: UserPrincipal) -> int:
    """End all sessions of the user, this one included."""
    return end_sessions(tx, user.user_id, "signed_out_everywhere")


def _refuse_while_locked(locked_until: Any) -> None:
    if locked_until is not None and locked_until > clock.now():
        seconds = int((locked_until - clock.now()).total_seconds()) + 1
        raise RateLimitExceeded.after(
            seconds, f"Too many wrong passwords. Try again in {seconds} s, or choose a new password by mail."
        )


def _note_failure(tenant_id: UUID, user_id: UUID, event: str, client: Client) -> None:
    """In a transaction of its own: it must stay when the request is refused."""
    with transaction(tenant_id=tenant_id) as tx:
        repository.count_failure(tx, user_id)
        _audit(tx, user_id, event, client, severity="warning")


def _secrets(refresh_token: str, csrf: str) -> dict[str, Any]:
    return {
        "refresh_hash": token_hash(refresh_token),
        "csrf_hash": token_hash(csrf),
        "expires_at": clock.now() + REFRESH_LIFETIME,
    }


def _tokens(tx: Tx, tenant_id: UUID, session_id: UUID, refresh_token: str, csrf: str) -> Tokens:
    session = repository.find_session(tx, session_id)
    if session is None:
        raise LookupError("the session that was just written is not there")
    access = access_tokens.issue(
        session_id=session_id,
        user_id=session.user_id,
        tenant_id=tenant_id,
        email=session.email,
        role=session.role,
    )
    return Tokens(session_id, access.text, int(access_tokens.LIFETIME.total_seconds()), refresh_token, csrf)


def _audit(
    tx: Tx,
    user_id: UUID,
    event: str,
    client: Client,
    severity: audit.Severity = "info",
    details: dict[str, Any] | None = None,
) -> None:
    audit.record(
        tx,
        event=event,
        actor_type="user",
        actor_id=user_id,
        severity=severity,
        source_ip=client.source_ip,
        user_agent=client.user_agent,
        request_id=client.request_id,
        details=details,
    )
