"""The rules of imports: a job goes from pending to processing to its end, and from a written end back."""

import base64
import binascii
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from contact_imports import repository
from contact_imports.repository import ImportRow
from penguinmails.aws import download_link, object_size, store_object, upload_link
from penguinmails.db import Tx
from penguinmails.domain.contact_fields import declared_fields
from penguinmails.domain.contact_imports import guess_mapping, inspect_file, local_copy, mapping_faults, open_rows
from penguinmails.domain.files import UPLOAD_SECONDS, new_key, require_own
from penguinmails.errors import FieldError, InvalidStateTransition, NotFound, ValidationFailed
from penguinmails.events.outbox import enqueue
from penguinmails.ids import new_uuid7
from penguinmails.tabular.layout import FileFault, Layout

LINK_SECONDS = 300
PREVIEW_ROWS = 20
_PREVIEW_CELL = 200


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file looks like."""

    layout: Layout
    mapping: dict[str, str | None]
    rows: list[dict[str, Any]]


def create_import(
    tx: Tx,
    *,
    file_name: str,
    file_type: str,
    content_type: str,
    content: str | None,
    size: int | None,
    created_by: UUID,
) -> tuple[ImportRow, str | None]:
    """Add a job; and the link to upload its file to, unless the content came with it. Raises ValidationFailed."""
    if tx.tenant_id is None:
        raise RuntimeError("an import belongs to a tenant")
    body = None if content is None else _bytes(content, file_type)
    if body == b"":
        raise ValidationFailed("The file is empty.", errors=[FieldError("content", "is empty", "empty")])
    job_id, key = new_uuid7(), new_key(tx.tenant_id)
    file_size = len(body) if body is not None else size or 0
    values = {"file_name": file_name, "file_type": file_type, "file_size": file_size, "file_key": key}
    repository.insert_job(tx, job_id, {**values, "created_by": created_by})
    if body is not None:
        store_object(key, body, content_type)
        return existing(tx, job_id), None
    return existing(tx, job_id), upload_link(key, content_type=content_type, size=file_size, seconds=UPLOAD_SECONDS)


def _bytes(content: str, file_type: str) -> bytes:
    if file_type != "xlsx":
        return content.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise ValidationFailed.of("content", "must be base64 for xlsx") from None


def existing(tx: Tx, job_id: UUID) -> ImportRow:
    """A job. Raises NotFound."""
    found = repository.find_job(tx, job_id)
    if found is None:
        raise NotFound.of("import", job_id)
    return found


def preview(tx: Tx, job: ImportRow, *, encoding: str | None, delimiter: str | None) -> Preview:
    """Columns, their probable meaning and the first rows. Raises ValidationFailed when the file cannot be read."""
    _require_file(tx, job)
    with _readable(job) as path:
        layout = inspect_file(job.file_type, job.file_key, encoding=encoding, delimiter=delimiter, path=path)
        rows = open_rows(layout, job.file_key, layout.start, layout.line, path)
        shown = [dict(zip(layout.header, map(_shown, cells), strict=False)) for _, cells in islice(rows, PREVIEW_ROWS)]
    return Preview(layout, guess_mapping(layout.header, declared_fields(tx)), shown)


def _shown(cell: Any) -> Any:
    """A cell as an answer can carry it: twenty rows of the largest cells would be larger than a function may answer."""
    if isinstance(cell, list):
        return [_shown(one) for one in cast("list[Any]", cell)[:20] if not isinstance(one, list | dict)]
    if isinstance(cell, dict):
        return "{…}"
    if not isinstance(cell, str):
        return cell
    text = cell.encode(errors="replace").decode()
    return text if len(text) <= _PREVIEW_CELL else text[:_PREVIEW_CELL] + "…"


def start_import(tx: Tx, job_id: UUID, *, mapping: dict[str, str | None] | None, options: dict[str, Any]) -> ImportRow:
    """Hand a pending job to the worker. Raises InvalidStateTransition, ValidationFailed."""
    job = _held(tx, job_id)
    if job.status != "pending":
        raise InvalidStateTransition(f"The import is {job.status}; only a pending one is started.")
    list_id = options.get("list_id")
    if list_id is not None and not repository.is_static_list(tx, list_id):
        raise ValidationFailed.of("list_id", "names no static list", "not_found")
    _require_file(tx, job)
    with _readable(job) as path:
        layout = inspect_file(
            job.file_type, job.file_key, encoding=options.get("encoding"), delimiter=options.get("delimiter"), path=path
        )
    chosen = guess_mapping(layout.header, declared_fields(tx)) if mapping is None else mapping
    faults = mapping_faults(chosen, layout.header)
    if faults:
        raise ValidationFailed(f"{faults[0].field}: {faults[0].message}", errors=faults)
    repository.start_job(tx, job_id, mapping=chosen, options=options)
    enqueue(tx, "imports", {"job_id": job_id})
    return existing(tx, job_id)


def cancel_import(tx: Tx, job_id: UUID) -> ImportRow:
    """Stop a job before its next slice. What is merged stays and can be taken back. Raises InvalidStateTransition."""
    job = _held(tx, job_id)
    if job.status not in {"pending", "processing"}:
        raise InvalidStateTransition(f"The import is {job.status}; only a pending or running one is cancelled.")
    repository.set_status(tx, job_id, "cancelled")
    if job.status == "processing":
        enqueue(tx, "imports", {"job_id": job_id})
    return existing(tx, job_id)


def can_roll_back(job: ImportRow) -> bool:
    """Whether a job has ended, has written something, and is not so old that what was before is forgotten."""
    return (
        job.files_removed_at is None
        and job.status in {"completed", "cancelled", "failed"}
        and job.created_count + job.updated_count + job.listed_count > 0
    )


def roll_back_import(tx: Tx, job_id: UUID) -> ImportRow:
    """Take a job back. Raises InvalidStateTransition."""
    job = _held(tx, job_id)
    if not can_roll_back(job):
        raise InvalidStateTransition(
            f"The import is {job.status} and has changed "
            f"{job.created_count + job.updated_count + job.listed_count} contacts; "
            "only one that has ended and changed something is taken back."
        )
    if repository.is_later_one_rolling_back(tx, job_id):
        raise InvalidStateTransition(
            "An import that was started later is being taken back. Wait until it has ended: contacts that both have changed are "
            "restored in reverse order."
        )
    repository.begin_rollback(tx, job_id)
    enqueue(tx, "imports", {"job_id": job_id})
    return existing(tx, job_id)


def error_file_link(tx: Tx, job: ImportRow) -> str:
    """A link to the file that says of every row left out why. Raises NotFound when there is none."""
    if job.error_file_key is None or job.files_removed_at is not None or tx.tenant_id is None:
        raise NotFound(
            "The import has no file of errors: every row was taken, it has not ended, or it is over 30 days old."
        )
    key = require_own(job.error_file_key, tx.tenant_id)
    return download_link(key, file_name="import-errors.csv", seconds=LINK_SECONDS)


def _held(tx: Tx, job_id: UUID) -> ImportRow:
    found = repository.lock_job(tx, job_id)
    if found is None:
        raise NotFound.of("import", job_id)
    return found


def _require_file(tx: Tx, job: ImportRow) -> None:
    if tx.tenant_id is None:
        raise RuntimeError("an import belongs to a tenant")
    size = object_size(require_own(job.file_key, tx.tenant_id))
    if size is None:
        raise InvalidStateTransition(
            "The file is not there yet. Upload it to the link that creating the import gave you."
        )
    if size != job.file_size:
        raise InvalidStateTransition(
            f"The file has {size} bytes where {job.file_size} were announced. Create the import again with its size."
        )


@contextmanager
def _readable(job: ImportRow) -> Generator[Path | None]:
    """A workbook on disk, None for what is streamed; says as a field error what is wrong with the file."""
    try:
        if job.file_type == "xlsx":
            with local_copy(job.file_key) as path:
                yield path
        else:
            yield None
    except FileFault as fault:
        raise ValidationFailed(fault.message, errors=[FieldError("file", fault.message, fault.code)]) from None
