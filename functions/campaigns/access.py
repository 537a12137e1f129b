"""Who may make mail leave, besides managing campaigns."""

from penguinmails.auth.scopes import Scope
from penguinmails.errors import InsufficientPermissions
from penguinmails.http.caller import Caller


def require_sending(caller: Caller) -> None:
    """Refuse who may manage campaigns but not make mail leave. Raises InsufficientPermissions."""
    if Scope.SEND_EMAIL not in caller.scopes:
        raise InsufficientPermissions(
            "This makes mail leave, so it needs the scope send_email besides manage_campaigns. Use a key or role that has both.",
            required_scope=Scope.SEND_EMAIL.value,
            required_scopes=[Scope.SEND_EMAIL.value],
            available_scopes=sorted(scope.value for scope in caller.scopes),
        )
