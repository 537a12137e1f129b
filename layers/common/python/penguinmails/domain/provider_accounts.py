"""The provider accounts of a tenant, as those see them who send with them."""

from dataclasses import dataclass
from typing import Literal

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account without its credentials."""

    provider: Literal["postmark", "mailgun"]
    status: str
    settings: dict[str, str]
    secret_ref: str
    secret_version: int


def stored_account(tx: Tx, provider: str) -> StoredAccount | None:
    """The tenant's account with a provider."""
    return tx.one(
        """
        SELECT provider, status, settings, secret_ref, secret_version FROM provider_accounts
        WHERE provider = %(provider)s
        """,
        {"provider": provider},
        StoredAccount,
    )
