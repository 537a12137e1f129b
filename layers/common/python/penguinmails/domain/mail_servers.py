"""The mail server of a tenant's own, through which its live mail goes out in place of the platform's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from penguinmails.db import Tx
from penguinmails.logging import count, logger


@dataclass(frozen=True, slots=True)
class StoredServer:
    """A server without its password. `status` is `error` while it takes no mail until somebody puts something right."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    username: str
    secret_ref: str
    secret_version: int
    status: Literal["active", "error"]
    status_detail: str | None
    checked_at: datetime
    created_at: datetime


def stored_server(tx: Tx) -> StoredServer | None:
    """The tenant's own server; None when its mail goes by the platform's."""
    return tx.one(
        """
        SELECT host, port, security, username, secret_ref, secret_version, status, status_detail, checked_at,
               created_at
        FROM mail_servers
        """,
        {},
        StoredServer,
    )


def note_refusal(tx: Tx, used: StoredServer, reason: str) -> None:
    """Keep that the server takes no mail; owner, admins and the platform's operators hear of it once.

    Nothing happens when another server, or another password, was set since `used` was read.
    """
    was_working = tx.one(
        """
        UPDATE mail_servers m SET status = 'error', status_detail = %(reason)s, checked_at = clock_timestamp()
        FROM (SELECT tenant_id, status FROM mail_servers
              WHERE secret_version = %(version)s AND created_at = %(created_at)s FOR UPDATE) AS before
        WHERE m.tenant_id = before.tenant_id
        RETURNING before.status = 'active'
        """,
        {"reason": reason, "version": used.secret_version, "created_at": used.created_at},
    )
    if not was_working:
        return
    from penguinmails.domain.platform_mail import tell_owners_and_admins

    logger.error("a tenant's mail server takes no mail", extra={"reason": reason})
    count("mail_server_refused_total")
    tell_owners_and_admins(tx, "mail_server_refused", {"host": used.host, "reason": reason})


def note_success(tx: Tx, used: StoredServer | None) -> None:
    """Keep that a server that took no mail does so again."""
    if used is None or used.status == "active":
        return
    tx.run(
        """
        UPDATE mail_servers SET status = 'active', status_detail = NULL, checked_at = clock_timestamp()
        WHERE status = 'error' AND secret_version = %(version)s AND created_at = %(created_at)s
        """,
        {"version": used.secret_version, "created_at": used.created_at},
    )
