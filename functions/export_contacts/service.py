"""Makes one export's file, page by page, and stores it."""

import tempfile
from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any
from uuid import UUID

from export_contacts import repository
from export_contacts.repository import Job
from penguinmails.aws import delete_objects, store_object
from penguinmails.db import transaction
from penguinmails.domain.contact_exports import ATTRIBUTE
from penguinmails.domain.contact_fields import declared_fields
from penguinmails.domain.contacts import ContactRow, page_of_contacts
from penguinmails.domain.files import new_key
from penguinmails.domain.segments import Condition, compile_all
from penguinmails.errors import ValidationFailed
from penguinmails.keyset import Keyset
from penguinmails.logging import logger
from penguinmails.queue import Record
from penguinmails.tabular.writers import CsvWriter, JsonWriter, TableWriter, XlsxWriter

PAGE = 2_000
_LAST_DELIVERY = 5
_WRITERS = {"csv": CsvWriter, "xlsx": XlsxWriter, "json": JsonWriter}
_CONTENT_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def handle(record: Record) -> None:
    """Make the file of an export. A message that comes twice makes it once."""
    job_id = UUID(record.body["job_id"])
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        job = repository.begin(tx, job_id)
    if job is None:
        return
    try:
        _export(record, job)
    except ValidationFailed as refusal:
        _fail(record, job_id, f"The segment cannot be read any more: {refusal.detail}")
    except ValueError as reason:
        _fail(record, job_id, str(reason))
    except Exception:
        if record.receive_count < _LAST_DELIVERY:
            raise
        logger.exception("export given up", extra={"job_id": str(job_id)})
        _fail(
            record, job_id, "Something went wrong on our side. Make a new export; if it fails too, tell support its id."
        )


def _export(record: Record, job: Job) -> None:
    key = new_key(record.tenant_id)
    with tempfile.TemporaryFile() as file:
        _write(record, job, file)
        size = file.tell()
        file.seek(0)
        store_object(key, file, _CONTENT_TYPES[job.file_format])
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        is_ours = repository.finish(tx, job.id, key=key, size=size)
    if not is_ours:
        delete_objects([key])


def _write(record: Record, job: Job, file: IO[bytes]) -> None:
    writer: TableWriter = _WRITERS[job.file_format](file, job.selected_fields)
    as_text = job.file_format != "json"
    after: tuple[datetime, UUID] | None = None
    written = 0
    while True:
        keyset = Keyset(PAGE, "asc", "created_at", "time", None, after)
        with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
            rows = page_of_contacts(tx, keyset, _condition(job, declared_fields(tx)))
            repository.move(tx, job.id, written + len(rows[:PAGE]))
        for row in rows[:PAGE]:
            writer.write(_cells(row, job.selected_fields, as_text=as_text))
        written += len(rows[:PAGE])
        if len(rows) <= PAGE:
            break
        after = (rows[PAGE - 1].created_at, rows[PAGE - 1].id)
    writer.close()
    file.seek(0, 2)


def _condition(job: Job, fields: Any) -> Condition | None:
    rules = job.filters["definition"]
    return compile_all(rules, fields) if rules else None


def _cells(row: ContactRow, fields: Sequence[str], *, as_text: bool) -> list[Any]:
    return [_cell(row, name, as_text=as_text) for name in fields]


def _cell(row: ContactRow, name: str, *, as_text: bool) -> Any:
    if name.startswith(ATTRIBUTE):
        return row.attributes.get(name.removeprefix(ATTRIBUTE))
    value = getattr(row, name)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    return ";".join(value) if name == "tags" and as_text else value


def _fail(record: Record, job_id: UUID, message: str) -> None:
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        repository.fail(tx, job_id, message)
