"""Access tokens of sessions: JSON Web Tokens (RFC 7519), HS256, valid for an hour.

A token only names its session; whether that session still lives and what its user may do is read on every request.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from penguinmails import clock
from penguinmails.errors import AuthenticationRequired
from penguinmails.platform_secrets import current_key, key_versions

LIFETIME = timedelta(hours=1)
_ISSUER = "penguinmails"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and the moment it ends."""

    text: str
    expires_at: datetime


def issue(*, session_id: UUID, user_id: UUID, tenant_id: UUID, email: str, role: str) -> AccessToken:
    """A token for a session, signed with the current session key."""
    from joserfc import jwt
    from joserfc.jwk import OctKey

    version, key = current_key("session_keys")
    now = clock.now()
    claims = {
        "iss": _ISSUER,
        "sid": str(session_id),
        "user_id": str(user_id),
        "tenant_id": str(tenant_id),
        "email": email,
        "role": role,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
    }
    text = jwt.encode({"alg": "HS256", "kid": str(version)}, claims, OctKey.import_key(key))
    return AccessToken(text, now + LIFETIME)


def session_of(text: str) -> UUID:
    """The session that a token names. Raises AuthenticationRequired when it is forged, damaged or has ended."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet, OctKey

    keys = KeySet(
        [OctKey.import_key(key, {"kid": str(version)}) for version, key in key_versions("session_keys").items()]
    )
    try:
        claims = jwt.decode(text, keys, algorithms=["HS256"]).claims
        if claims["iss"] != _ISSUER or int(claims["exp"]) <= clock.now().timestamp():
            raise AuthenticationRequired("The access token has expired. Refresh the session or sign in again.")
        return UUID(claims["sid"])
    except (JoseError, KeyError, TypeError, ValueError):
        raise AuthenticationRequired("The access token is not valid. Sign in again.") from None
