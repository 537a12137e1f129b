"""Step-up: a fresh proof of identity before a dangerous action."""

from penguinmails.auth.principal import StaffPrincipal, UserPrincipal
from penguinmails.errors import ReauthenticationRequired


def require(principal: UserPrincipal | StaffPrincipal, token: str | None, *, purpose: str) -> None:
    """Refuse unless the token was made for this session and purpose within 15 minutes."""
    raise ReauthenticationRequired("Confirm your password first.")
