"""The provider accounts of a tenant, as those see them who send with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Literal

from penguinmails.db import Tx
from penguinmails.domain.mail_addresses import is_international
from penguinmails.errors import FieldError, ValidationFailed

OWN_SERVER = (None, "smtp")
"""What stands for the built-in server where a provider may be named."""
_UNSUPPORTED = (
    "Postmark takes no address with characters beyond ASCII before the @; use another address or another provider"
)


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


def takes(provider: str | None, address: str) -> bool:
    """Whether a provider takes a mailbox or address: Postmark none with characters beyond ASCII before the @."""
    return provider != "postmark" or not is_international(parseaddr(address)[1])


def require_taken(provider: str | None, addresses: Mapping[str, str | None]) -> None:
    """Raise ValidationFailed for addresses that the provider would refuse, each by the field that names it."""
    faults = [
        FieldError(field, f"is {address}, and {_UNSUPPORTED}", "unsupported_by_provider")
        for field, address in addresses.items()
        if address is not None and not takes(provider, address)
    ]
    if faults:
        raise ValidationFailed("; ".join(f"{fault.field} {fault.message}" for fault in faults) + ".", errors=faults)


def default_sender(tx: Tx, provider: str | None) -> str | None:
    """Whom a provider's account sends as by default. Raises ValidationFailed when there is no such account."""
    if provider in OWN_SERVER or tx.mode == "test":
        return None
    account = stored_account(tx, str(provider))
    if account is None:
        raise ValidationFailed.of("provider", f"is {provider}, which is not set up; an admin can do that", "not_set_up")
    return account.settings["default_sender"]
