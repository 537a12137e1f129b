"""The rules of accounts' own mail servers: tried before they are kept, their passwords in Vault alone."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from penguinmails.auth.principal import PLATFORM_TENANT_ID
from penguinmails.db import Tx
from penguinmails.domain.endpoints import check_host, is_localhost
from penguinmails.domain.mail_servers import StoredServer, stored_server
from penguinmails.errors import InvalidStateTransition, NotFound, ValidationFailed
from penguinmails.settings import get_settings
from penguinmails.vault import delete_secret, newest_version, secret_path, write_secret
from staff import mail_server_repository as repository

_PORTS = frozenset({25, 465, 587, 2525})
_LOWEST_FREE_PORT = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedServer:
    """A server as staff have entered it."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    username: str
    password: str = field(repr=False)


def check_account(tx: Tx, tenant_id: UUID) -> None:
    """Whether an account can have a server. Raises NotFound, or InvalidStateTransition for a closed one."""
    status = repository.status_of(tx, tenant_id) if tenant_id != PLATFORM_TENANT_ID else None
    if status is None:
        raise NotFound(f"There is no account {tenant_id}. GET /api/v1/admin/tenants lists them.")
    if status == "canceled":
        raise InvalidStateTransition("The account is closed; a closed account sends no mail.")


def try_out(tenant_id: UUID, wanted: WantedServer) -> None:
    """Connect and sign in as sending would. Raises ValidationFailed, with the field that has to do with it."""
    from penguinmails.smtp_connections import MailServer, ServerUnusable, check

    _check_address(wanted)
    server = MailServer(
        tenant_id=tenant_id,
        host=wanted.host,
        port=wanted.port,
        security=wanted.security,
        username=wanted.username,
        password=wanted.password,
    )
    try:
        check(server)
    except ServerUnusable as trouble:
        raise ValidationFailed.of(trouble.cause, trouble.reason, "refused_by_server") from None


def _check_address(wanted: WantedServer) -> None:
    check_host(wanted.host, field="host")
    is_local = get_settings().allow_localhost_webhooks and is_localhost(wanted.host)
    if wanted.security == "none" and not is_local:
        raise ValidationFailed.of(
            "security", "must be starttls or tls; a password never travels in the clear", "no_tls"
        )
    if wanted.port not in _PORTS and wanted.port < _LOWEST_FREE_PORT:
        raise ValidationFailed.of("port", "must be 25, 465, 587, 2525 or from 1024 on", "port")


def keep(tx: Tx, tenant_id: UUID, wanted: WantedServer) -> StoredServer:
    """Store a server that was tried out, in the place of the one before. `tx` is inside the account."""
    check_account(tx, tenant_id)
    path = secret_path("smtp", str(tenant_id), "sending")
    # The row names its version: should it not be committed, the one before goes on with the password before.
    version = write_secret(path, {"password": wanted.password}, expected_version=newest_version(path))
    repository.put_server(
        tx,
        {
            "host": wanted.host,
            "port": wanted.port,
            "security": wanted.security,
            "username": wanted.username,
            "secret_ref": path,
            "secret_version": version,
        },
    )
    return existing(tx)


def remove(tx: Tx) -> StoredServer:
    """Forget a server and, once that is committed, its password; what it was. Mail goes by the platform's server then."""
    row = existing(tx)
    repository.delete_server(tx)
    tx.after_commit(lambda: delete_secret(row.secret_ref))
    return row


def existing(tx: Tx) -> StoredServer:
    """The account's own server. Raises NotFound."""
    row = stored_server(tx)
    if row is None:
        raise NotFound("The account has no mail server of its own; its mail goes out by the platform's.")
    return row
