"""HTTP of contact imports."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from contact_imports import repository, service
from contact_imports.repository import ImportRow
from contact_imports.schemas import (
    CONTENT_TYPES,
    MAX_SIZES,
    ContactImport,
    ImportFault,
    ImportPreview,
    ImportSettings,
    ImportStatus,
    Link,
    NewImport,
    StoredImport,
)
from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.errors import PayloadTooLarge
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.http.uploads import upload_of

router = APIRouter(prefix="/api/v1/contacts/import", tags=["Contacts"])

Manager = Annotated[Caller, access(Scope.MANAGE_CONTACTS)]


def _progress(row: ImportRow) -> float:
    if row.status in {"completed", "rolled_back"}:
        return 1.0
    if row.phase == "reading":
        return min(row.position / max(row.file_size, 1), 1.0) / 2 if row.file_type != "xlsx" else 0.0
    return 0.5 + min(row.done_line / max(row.last_line, 1), 1.0) / 2


def _view(row: ImportRow) -> ContactImport:
    fault = None
    if row.error_code is not None:
        fault = ImportFault(code=row.error_code, message=row.error_message or "", line=row.error_line)
    taken = {name: getattr(row, name) for name in ContactImport.model_fields if name in ImportRow.__slots__}
    return ContactImport(
        **taken,
        mapping=row.field_mapping,
        progress=round(_progress(row), 3),
        total_rows=row.staged_rows,
        error=fault,
        has_error_file=row.error_file_key is not None and row.files_removed_at is None,
        can_rollback=service.can_roll_back(row),
    )


def _expiry(seconds: int) -> datetime:
    return clock.now() + timedelta(seconds=seconds)


@router.post(
    "",
    operation_id="createContactImport",
    summary="Hand a file in",
    status_code=202,
    response_model=StoredImport,
    responses=problems(409),
)
async def create_contact_import(body: NewImport, caller: Manager) -> Response:
    """Hand in a file of contacts, or get a link to upload it to. Nothing is imported before it is started."""
    if body.size is not None and body.size > MAX_SIZES[body.file_type]:
        raise PayloadTooLarge(
            f"The file has {body.size} bytes; at most {MAX_SIZES[body.file_type]} of {body.file_type} are taken. Split it."
        )
    with caller.work() as work:
        row, url = service.create_import(
            work.tx,
            file_name=body.file_name,
            file_type=body.file_type,
            content_type=CONTENT_TYPES[body.file_type],
            content=body.content,
            size=body.size,
            created_by=caller.principal.id,
        )
        upload = upload_of(url, CONTENT_TYPES[body.file_type]) if url is not None else None
        return work.answer(202, StoredImport(**_view(row).model_dump(), upload=upload))


@router.get("", operation_id="listContactImports", summary="List imports", responses=problems())
async def list_contact_imports(
    caller: Manager,
    page: Annotated[PageRequest, paged("created_at")],
    status: Annotated[ImportStatus | None, Query(description="Only imports in this state.")] = None,
) -> Page[ContactImport]:
    """The account's imports."""
    with caller.transaction() as tx:
        rows, total = repository.list_jobs(tx, page.keyset(repository.KINDS), status=status)
    return page_of(page, rows, _view, total)


@router.get("/{import_id}", operation_id="getContactImport", summary="Follow an import", responses=problems(404))
async def get_contact_import(import_id: UUID, caller: Manager) -> ContactImport:
    """One import and how far it is."""
    with caller.transaction() as tx:
        return _view(service.existing(tx, import_id))


@router.get(
    "/{import_id}/preview",
    operation_id="previewContactImport",
    summary="Look at a file",
    responses=problems(404, 409),
)
async def preview_contact_import(
    import_id: UUID,
    caller: Manager,
    encoding: Annotated[
        Literal["utf-8", "utf-16", "windows-1252", "iso-8859-1"] | None, Query(description="As in starting the import.")
    ] = None,
    delimiter: Annotated[Literal[",", ";", "\t", "|"] | None, Query(description="As in starting the import.")] = None,
) -> ImportPreview:
    """The file's columns, what they probably mean, and its first twenty rows."""
    with caller.transaction() as tx:
        found = service.preview(tx, service.existing(tx, import_id), encoding=encoding, delimiter=delimiter)
    return ImportPreview(
        columns=found.layout.header,
        mapping=found.mapping,
        encoding=found.layout.encoding,
        delimiter=found.layout.delimiter,
        rows=found.rows,
    )


@router.post(
    "/{import_id}/start",
    operation_id="startContactImport",
    summary="Start an import",
    status_code=202,
    response_model=ContactImport,
    responses=problems(404, 409),
)
async def start_contact_import(import_id: UUID, body: ImportSettings, caller: Manager) -> Response:
    """Import the file in the background. It is read and checked as a whole before the first contact is written."""
    options = body.model_dump(mode="json", exclude={"mapping"})
    with caller.work() as work:
        row = service.start_import(work.tx, import_id, mapping=body.mapping, options=options)
        caller.audit(work.tx, "contact_import_started", resource_type="contact_import", resource_id=str(import_id))
        return work.answer(202, _view(row))


@router.post(
    "/{import_id}/cancel",
    operation_id="cancelContactImport",
    summary="Cancel an import",
    response_model=ContactImport,
    responses=problems(404, 409),
)
async def cancel_contact_import(import_id: UUID, caller: Manager) -> Response:
    """Stop an import. Contacts that are written by then stay; a rollback takes them back."""
    with caller.work() as work:
        row = service.cancel_import(work.tx, import_id)
        caller.audit(work.tx, "contact_import_cancelled", resource_type="contact_import", resource_id=str(import_id))
        return work.answer(200, _view(row))


@router.post(
    "/{import_id}/rollback",
    operation_id="rollbackContactImport",
    summary="Take an import back",
    status_code=202,
    response_model=ContactImport,
    responses=problems(404, 409),
)
async def rollback_contact_import(import_id: UUID, caller: Manager) -> Response:
    """Delete the contacts that the import added and restore those that it changed, unless they were changed since.

    Contacts that were there leave the list that the import put them on. Where several imports have changed the same contacts,
    take them back in reverse order, each when the one before is `rolled_back`. Who opted out by the file stays on the
    suppression list: an opt-out is never undone by itself. A rollback that `failed` can be asked for again and goes on.
    """
    with caller.work() as work:
        row = service.roll_back_import(work.tx, import_id)
        caller.audit(work.tx, "contact_import_rolled_back", resource_type="contact_import", resource_id=str(import_id))
        return work.answer(202, _view(row))


@router.get(
    "/{import_id}/errors",
    operation_id="getContactImportErrors",
    summary="Get the rows that were left out",
    responses=problems(404),
)
async def get_contact_import_errors(import_id: UUID, caller: Manager) -> Link:
    """A link, good for five minutes, to a CSV file with a line for every row that was left out: which, and why."""
    with caller.transaction() as tx:
        url = service.error_file_link(tx, service.existing(tx, import_id))
    return Link(url=url, expires_at=_expiry(service.LINK_SECONDS))
