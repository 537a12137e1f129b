"""SQL of accounts' own mail servers, from within the account."""

from typing import Any
from uuid import UUID

from penguinmails.db import Tx


def status_of(tx: Tx, tenant_id: UUID) -> str | None:
    """The account's status; None when there is no such account."""
    return tx.one("SELECT status FROM tenants WHERE id = %(id)s", {"id": tenant_id})


def put_server(tx: Tx, values: dict[str, Any]) -> None:
    """Add the account's server, or put another in its place."""
    tx.run(
        """
        INSERT INTO mail_servers (tenant_id, host, port, security, username, secret_ref, secret_version, status, checked_at)
        VALUES (%(tenant_id)s, %(host)s, %(port)s, %(security)s, %(username)s, %(secret_ref)s, %(secret_version)s, 'active',
                clock_timestamp())
        ON CONFLICT (tenant_id) DO UPDATE
        SET host = excluded.host, port = excluded.port, security = excluded.security, username = excluded.username,
            secret_ref = excluded.secret_ref, secret_version = excluded.secret_version, status = 'active',
            status_detail = NULL, checked_at = excluded.checked_at, secret_changed_at = excluded.checked_at
        """,
        {"tenant_id": tx.tenant_id, **values},
    )


def delete_server(tx: Tx) -> None:
    """Forget the account's server."""
    tx.run("DELETE FROM mail_servers", {})
