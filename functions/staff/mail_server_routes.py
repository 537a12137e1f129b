"""HTTP of accounts' own mail servers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from penguinmails.db import Tx
from penguinmails.domain.mail_servers import StoredServer
from penguinmails.http.access import staff
from penguinmails.http.caller import StaffCaller
from penguinmails.http.problems import problems
from staff import mail_servers
from staff.mail_server_schemas import MailServerView, NewMailServer
from staff.mail_servers import WantedServer

router = APIRouter(prefix="/tenants/{tenant_id}/mail-server")

Viewer = Annotated[StaffCaller, staff("super_admin", "admin", "support", "ops")]
Provisioner = Annotated[StaffCaller, staff("super_admin", step_up="staff")]


@router.get("", operation_id="getMailServer", summary="Show an account's mail server", responses=problems(404))
async def get_mail_server(tenant_id: UUID, caller: Viewer) -> MailServerView:
    """The server that the account's own mail goes out by; 404 while it goes out by the platform's."""
    with caller.inside(tenant_id) as tx:
        row = mail_servers.existing(tx)
        _audit(caller, tx, "mail_server_viewed", tenant_id, row)
    return _view(row)


@router.put("", operation_id="setMailServer", summary="Set an account's mail server", responses=problems(404, 409))
async def set_mail_server(tenant_id: UUID, body: NewMailServer, caller: Provisioner) -> MailServerView:
    """Let the account's mail go out by a server of its own, in the place of the one before.

    The server is tried first: connected to, its certificate checked, and signed in to. Where that fails the answer is 400
    with the reason, and nothing changes. It holds for the next mail; mails that wait for the server leave within the hour.
    """
    wanted = WantedServer(
        host=body.host,
        port=body.port or (465 if body.security == "tls" else 587),
        security=body.security,
        username=body.username,
        password=body.password,
    )
    with caller.inside(tenant_id) as tx:
        mail_servers.check_account(tx, tenant_id)
    mail_servers.try_out(tenant_id, wanted)
    with caller.inside(tenant_id) as tx:
        row = mail_servers.keep(tx, tenant_id, wanted)
        _audit(caller, tx, "mail_server_set", tenant_id, row)
    return _view(row)


@router.delete(
    "",
    operation_id="removeMailServer",
    summary="Remove an account's mail server",
    status_code=204,
    responses=problems(404),
)
async def remove_mail_server(tenant_id: UUID, caller: Provisioner) -> None:
    """Let the account's mail go out by the platform's server again, from the next mail on, and forget the password."""
    with caller.inside(tenant_id) as tx:
        row = mail_servers.remove(tx)
        _audit(caller, tx, "mail_server_removed", tenant_id, row)


def _view(row: StoredServer) -> MailServerView:
    return MailServerView(
        host=row.host,
        port=row.port,
        security=row.security,
        username=row.username,
        status=row.status,
        status_detail=row.status_detail,
        checked_at=row.checked_at,
    )


def _audit(caller: StaffCaller, tx: Tx, event: str, tenant_id: UUID, row: StoredServer) -> None:
    caller.audit(
        tx,
        event,
        resource_type="mail_server",
        resource_id=str(tenant_id),
        severity="info" if event == "mail_server_viewed" else "warning",
        details={"host": row.host, "port": row.port, "security": row.security, "username": row.username},
    )
