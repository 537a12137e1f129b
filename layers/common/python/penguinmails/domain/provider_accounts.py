"""The provider accounts of a tenant, as those see them who send with them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from penguinmails.db import Tx
from penguinmails.errors import ValidationFailed

OWN_SERVER = (None, "smtp")
"""What stands for the built-in server where a provider may be named."""


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account without its credentials."""

    provider: Literal["postmark", "mailgun"]
    status: str
    settings: dict[str, str]
    secret_ref: str
    secret_version: int
    created_at: datetime


def stored_account(tx: Tx, provider: str) -> StoredAccount | None:
    """The tenant's account with a provider."""
    return tx.one(
        """
        SELECT provider, status, settings, secret_ref, secret_version, created_at FROM provider_accounts
        WHERE provider = %(provider)s
        """,
        {"provider": provider},
        StoredAccount,
    )


def default_sender(tx: Tx, provider: str | None) -> str | None:
    """Whom a provider's account sends as by default. Raises ValidationFailed when there is no such account."""
    if provider in OWN_SERVER or tx.mode == "test":
        return None
    account = stored_account(tx, str(provider))
    if account is None:
        raise ValidationFailed.of("provider", f"is {provider}, which is not set up; an admin can do that", "not_set_up")
    return account.settings["default_sender"]
