"""HTTP of the account."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from account import repository, service
from account.repository import ExportRow, TenantRow
from account.schemas import AccountExport, CloseAccount, Closing, ExportFile, ExportFiles, Sender, SenderIdentity
from penguinmails.db import Tx, columns_of
from penguinmails.http.access import session
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems

router = APIRouter(prefix="/api/v1/account", tags=["Account"])

Person = Annotated[Caller, session()]
Manager = Annotated[Caller, session("owner", "admin")]
Owner = Annotated[Caller, session("owner", even_suspended=True)]
ConfirmedOwner = Annotated[Caller, session("owner", step_up="account", even_suspended=True)]


def _view(row: ExportRow) -> AccountExport:
    values = columns_of(row)
    return AccountExport(error=values.pop("error_message"), **values)


@router.get("/sender", operation_id="getSender", summary="Show who sends commercial mail", responses=problems())
async def get_sender(caller: Person) -> Sender:
    """The name and postal address in the footer of commercial mail."""
    with caller.transaction() as tx:
        return _sender(tx)


@router.put("/sender", operation_id="setSender", summary="Say who sends commercial mail", responses=problems())
async def set_sender(body: SenderIdentity, caller: Manager) -> Sender:
    """Set the name and postal address in the footer of commercial mail, from the next mail on."""
    with caller.transaction() as tx:
        repository.set_sender(tx, company_name=body.company_name, postal_address=body.postal_address)
        caller.audit(tx, "sender_changed")
        return _sender(tx)


def _sender(tx: Tx) -> Sender:
    return Sender(**columns_of(repository.find_sender(tx)))


@router.get(
    "/closing", operation_id="getAccountClosing", summary="See whether the account closes", responses=problems()
)
async def get_closing(caller: Owner) -> Closing:
    """Whether the account is about to be closed, and when everything in it is erased."""
    with caller.transaction() as tx:
        return _closing(repository.find_tenant(tx))


def _closing(row: TenantRow) -> Closing:
    return Closing(account_name=row.name, is_closing=row.closes_at is not None, closes_at=row.closes_at)


@router.post(
    "/closing",
    operation_id="closeAccount",
    summary="Close the account",
    status_code=202,
    response_model=Closing,
    responses=problems(409),
)
async def close_account(body: CloseAccount, caller: ConfirmedOwner) -> Response:
    """Suspend the account now and erase everything in it in thirty days.

    Until then its data can be read and exported, and this can be taken back. No mail is sent any more: campaigns and
    queued emails wait. Every owner is told by mail.
    """
    with caller.work() as work:
        announcement = service.close(work.tx, account_name=body.account_name, asked_by=caller.user.user_id)
        caller.audit(work.tx, "account_closing", severity="critical")
        answer = work.answer(202, _closing(repository.find_tenant(work.tx)))
    announcement.confirm()
    return answer


@router.delete("/closing", operation_id="keepAccount", summary="Keep the account after all", responses=problems(409))
async def keep_account(caller: ConfirmedOwner) -> Closing:
    """Take the closing back. The account works again as it did before."""
    with caller.transaction() as tx:
        announcement = service.keep(tx)
        caller.audit(tx, "account_kept", severity="warning")
        row = repository.find_tenant(tx)
    announcement.confirm()
    return _closing(row)


@router.post(
    "/exports",
    operation_id="exportAccount",
    summary="Export everything",
    status_code=202,
    response_model=AccountExport,
    responses=problems(409),
)
async def export_account(caller: ConfirmedOwner) -> Response:
    """Have files made of all that the account holds, live and test, in the background. They are kept for seven days.

    Passwords, keys and other secrets are in no file.
    """
    with caller.work() as work:
        row = service.start_export(work.tx, asked_by=caller.user.user_id)
        caller.audit(work.tx, "account_export_started", resource_type="account_export", resource_id=str(row.id))
        return work.answer(202, _view(row))


@router.get("/exports", operation_id="listAccountExports", summary="List exports of everything", responses=problems())
async def list_exports(caller: Owner, page: Annotated[PageRequest, paged("created_at")]) -> Page[AccountExport]:
    """The exports that were made of the account."""
    with caller.transaction() as tx:
        rows, total = repository.list_exports(tx, page.keyset(repository.KINDS))
    return page_of(page, rows, _view, total)


@router.get(
    "/exports/{account_export_id}",
    operation_id="getAccountExport",
    summary="Follow an export of everything",
    responses=problems(404),
)
async def get_export(account_export_id: UUID, caller: Owner) -> AccountExport:
    """One export and how far it is."""
    with caller.transaction() as tx:
        return _view(service.existing(tx, account_export_id))


@router.get(
    "/exports/{account_export_id}/files",
    operation_id="getAccountExportFiles",
    summary="Get the files of an export",
    responses=problems(404, 409),
)
async def get_files(account_export_id: UUID, caller: ConfirmedOwner) -> ExportFiles:
    """A link to each file, good for an hour."""
    with caller.transaction() as tx:
        links, expires_at = service.files(tx, account_export_id)
        caller.audit(
            tx, "account_export_downloaded", resource_type="account_export", resource_id=str(account_export_id)
        )
    return ExportFiles(files=[ExportFile(**columns_of(link)) for link in links], expires_at=expires_at)
