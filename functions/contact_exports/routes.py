"""HTTP of contact exports."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from contact_exports import repository, service
from contact_exports.repository import ExportRow
from contact_exports.schemas import ContactExport, ExportFilters, Link, NewExport
from penguinmails.auth.scopes import Scope
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems

router = APIRouter(prefix="/api/v1/contacts/export", tags=["Contacts"])

Manager = Annotated[Caller, access(Scope.MANAGE_CONTACTS)]


def _view(row: ExportRow) -> ContactExport:
    return ContactExport(
        id=row.id,
        status=row.status,
        export_type=row.export_type,
        format=row.file_format,
        fields=row.selected_fields,
        filters={name: value for name, value in row.filters.items() if name != "definition"},
        file_size=row.file_size,
        processed_contacts=row.processed_contacts,
        error=row.error_message,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        expires_at=row.expires_at,
    )


@router.post(
    "",
    operation_id="createContactExport",
    summary="Export contacts",
    status_code=202,
    response_model=ContactExport,
    responses=problems(409),
)
async def create_contact_export(body: NewExport, caller: Manager) -> Response:
    """Have a file of contacts made in the background. It is kept for seven days.

    CSV and JSON hold any number. A sheet of XLSX holds 1,048,575 contacts and 2 GB: more of them are refused here where the
    number is known, else the job fails and says so.
    """
    filters = body.model_dump(mode="json", include=set(ExportFilters.model_fields))
    with caller.work() as work:
        row = service.create_export(
            work.tx,
            file_format=body.format,
            fields=body.fields,
            filters=filters,
            segment_id=body.segment_id,
            created_by=caller.principal.id,
        )
        caller.audit(work.tx, "contact_export_started", resource_type="contact_export", resource_id=str(row.id))
        return work.answer(202, _view(row))


@router.get("", operation_id="listContactExports", summary="List exports", responses=problems())
async def list_contact_exports(
    caller: Manager, page: Annotated[PageRequest, paged("created_at")]
) -> Page[ContactExport]:
    """The account's exports."""
    with caller.transaction() as tx:
        rows, total = repository.list_jobs(tx, page.keyset(repository.KINDS))
    return page_of(page, rows, _view, total)


@router.get("/{export_id}", operation_id="getContactExport", summary="Follow an export", responses=problems(404))
async def get_contact_export(export_id: UUID, caller: Manager) -> ContactExport:
    """One export and how far it is."""
    with caller.transaction() as tx:
        return _view(service.existing(tx, export_id))


@router.get(
    "/{export_id}/download",
    operation_id="downloadContactExport",
    summary="Get an exported file",
    responses=problems(404, 409),
)
async def download_contact_export(export_id: UUID, caller: Manager) -> Link:
    """A link to the file, good for five minutes."""
    with caller.transaction() as tx:
        url, expires_at = service.file_link(tx, export_id)
        caller.audit(tx, "contact_export_downloaded", resource_type="contact_export", resource_id=str(export_id))
    return Link(url=url, expires_at=expires_at)
