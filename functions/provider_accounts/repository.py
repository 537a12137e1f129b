"""SQL of provider accounts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from penguinmails.db import Tx, jsonb


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account with a provider."""

    provider: str
    status: str
    status_detail: str | None
    settings: dict[str, str]
    secret_ref: str
    secret_version: int
    key_last4: str
    checked_at: datetime


def list_accounts(tx: Tx) -> list[AccountRow]:
    """The tenant's accounts; those who change them wait for each other."""
    return tx.all(
        """
        SELECT provider, status, status_detail, settings, secret_ref, secret_version, key_last4, checked_at
        FROM provider_accounts ORDER BY provider
        """,
        {},
        AccountRow,
    )


def put_account(tx: Tx, values: dict[str, Any]) -> None:
    """Add an account, or put another in its place."""
    tx.run(
        """
        INSERT INTO provider_accounts (tenant_id, provider, status, settings, secret_ref, secret_version, key_last4,
                                       endpoint_hash, checked_at)
        VALUES (%(tenant_id)s, %(provider)s, 'active', %(settings)s, %(secret_ref)s, %(secret_version)s, %(key_last4)s,
                %(endpoint_hash)s, clock_timestamp())
        ON CONFLICT (tenant_id, provider) DO UPDATE
        SET status = 'active', status_detail = NULL, settings = excluded.settings, secret_ref = excluded.secret_ref,
            secret_version = excluded.secret_version, key_last4 = excluded.key_last4,
            endpoint_hash = excluded.endpoint_hash, checked_at = excluded.checked_at,
            secret_changed_at = excluded.checked_at
        """,
        {"tenant_id": tx.tenant_id, **values, "settings": jsonb(values["settings"])},
    )


def set_status(tx: Tx, provider: str, status: str, detail: str | None) -> None:
    """Keep what a check has found."""
    tx.run(
        """
        UPDATE provider_accounts SET status = %(status)s, status_detail = %(detail)s, checked_at = clock_timestamp()
        WHERE provider = %(provider)s
        """,
        {"provider": provider, "status": status, "detail": detail},
    )


def delete_account(tx: Tx, provider: str) -> None:
    """Forget an account."""
    tx.run("DELETE FROM provider_accounts WHERE provider = %(provider)s", {"provider": provider})
