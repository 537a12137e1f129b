"""Step-up: a fresh proof of identity before a dangerous action, valid 15 minutes for one session and purpose."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from penguinmails import clock
from penguinmails.auth.principal import StaffPrincipal, UserPrincipal
from penguinmails.auth.tokens import new_token, token_hash
from penguinmails.db import Tx, transaction
from penguinmails.errors import ReauthenticationRequired
from penguinmails.ids import new_uuid7

LIFETIME = timedelta(minutes=15)
Level = Literal["password", "password_totp"]


def grant(tx: Tx, *, user_id: UUID, session_id: UUID, level: Level, purpose: str) -> str:
    """Make a token for a session whose user has just proved who they are; only its hash is kept."""
    token = new_token()
    tx.run(
        """
        INSERT INTO reauth_tokens (id, tenant_id, session_id, user_id, token_hash, level, purpose, expires_at)
        VALUES (%(id)s, %(tenant_id)s, %(session_id)s, %(user_id)s, %(hash)s, %(level)s, %(purpose)s, %(expires_at)s)
        """,
        {
            "id": new_uuid7(),
            "tenant_id": tx.tenant_id,
            "session_id": session_id,
            "user_id": user_id,
            "hash": token_hash(token),
            "level": level,
            "purpose": purpose,
            "expires_at": clock.now() + LIFETIME,
        },
    )
    return token


def require(
    principal: UserPrincipal | StaffPrincipal, token: str | None, *, purpose: str, level: Level = "password"
) -> None:
    """Refuse unless the token was granted to this session for this purpose, at this level, and has not expired."""
    if token is not None and _is_granted(principal, token, purpose, level):
        return
    if level == "password_totp":
        raise ReauthenticationRequired(
            "Confirm your password and a code of your second factor with POST /api/v1/sessions/step-up and send its "
            "token as X-Reauth-Token. Without a second factor, enrol one first: POST /api/v1/me/second-factor.",
            step_up_purpose=purpose,
            step_up_level=level,
        )
    raise ReauthenticationRequired(
        "Confirm your password with POST /api/v1/sessions/step-up and send its token as X-Reauth-Token.",
        step_up_purpose=purpose,
    )


def _is_granted(principal: UserPrincipal | StaffPrincipal, token: str, purpose: str, level: Level) -> bool:
    with transaction(tenant_id=principal.tenant_id) as tx:
        return bool(
            tx.one(
                """
                SELECT 1 FROM reauth_tokens
                WHERE token_hash = %(hash)s AND session_id = %(session_id)s AND user_id = %(user_id)s
                  AND purpose = %(purpose)s AND expires_at > %(now)s
                  AND (level = %(level)s OR level = 'password_totp')
                """,
                {
                    "hash": token_hash(token),
                    "session_id": principal.session_id,
                    "user_id": principal.user_id,
                    "purpose": purpose,
                    "level": level,
                    "now": clock.now(),
                },
            )
        )
