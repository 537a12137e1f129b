"""The eight scopes of API keys, and which of them each tenant role holds."""

from enum import StrEnum
from typing import Literal


class Scope(StrEnum):
    """Permission strings of API keys; every route names those that it accepts."""

    SEND_EMAIL = "send_email"
    READ_ANALYTICS = "read_analytics"
    MANAGE_CONTACTS = "manage_contacts"
    MANAGE_CAMPAIGNS = "manage_campaigns"
    MANAGE_TEMPLATES = "manage_templates"
    MANAGE_DOMAINS = "manage_domains"
    READ_INBOX = "read_inbox"
    MANAGE_WEBHOOKS = "manage_webhooks"


Role = Literal["owner", "admin", "developer", "member"]
ROLES: tuple[Role, ...] = ("owner", "admin", "developer", "member")

ALL_SCOPES = frozenset(Scope)

ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    "owner": ALL_SCOPES,
    "admin": ALL_SCOPES,
    # A developer integrates but does not work with the people in the account: nothing that reads contacts,
    # campaigns or the inbox, neither by session nor through a key that the developer makes.
    "developer": frozenset(
        {
            Scope.SEND_EMAIL,
            Scope.READ_ANALYTICS,
            Scope.MANAGE_TEMPLATES,
            Scope.MANAGE_DOMAINS,
            Scope.MANAGE_WEBHOOKS,
        }
    ),
    "member": frozenset(),
}
"""A role may grant to a key only what it holds itself."""
