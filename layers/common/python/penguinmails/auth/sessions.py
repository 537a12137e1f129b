"""Sessions of people; see `authenticate`."""

from penguinmails.auth.principal import StaffPrincipal, UserPrincipal
from penguinmails.db import Mode
from penguinmails.errors import AuthenticationRequired


def authenticate(token: str, mode: Mode) -> UserPrincipal | StaffPrincipal:
    """The person behind an access token; status and role are read on every request."""
    raise AuthenticationRequired("Sign in again.")


def check_csrf(token: str, presented: str | None) -> None:
    """Refuse a cookie-authenticated write that lacks the session's CSRF token."""
    raise AuthenticationRequired("Sign in again.")
