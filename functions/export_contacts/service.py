"""Makes one export's file: reads contacts into parts, one after the other, and makes the file of them."""

import shutil
import tempfile
import time
from contextlib import closing
from datetime import timedelta
from typing import IO, cast
from uuid import UUID

from export_contacts import repository
from export_contacts.parts import PartWriter, read_part
from export_contacts.repository import Job
from penguinmails.aws import ObjectWriter, delete_objects, object_writer
from penguinmails.db import transaction
from penguinmails.domain.contact_exports import MOST_IN_XLSX
from penguinmails.domain.contact_search import Place
from penguinmails.domain.contacts import ContactRow
from penguinmails.domain.files import new_key
from penguinmails.domain.segment_pages import page_in_time, read_segments
from penguinmails.errors import ValidationFailed
from penguinmails.events.outbox import enqueue
from penguinmails.keyset import Keyset
from penguinmails.logging import logger
from penguinmails.queue import Record
from penguinmails.tabular.writers import CsvWriter, JsonWriter, TableWriter, XlsxWriter

PAGE = 2_000
PAGES_PER_PART = 10
BYTES_PER_PART = 64 * 1024 * 1024
MOST_WORKBOOK_BYTES = 2 * 1024**3
"""Half of the function's disk."""
SECONDS_PER_MESSAGE = 300
"""Then the job goes on with a message of its own: well before the function's time limit."""
_SECONDS_TO_READ = timedelta(seconds=5)
"""How long a page is looked for, so that no account is too large for a statement's time."""
_LAST_DELIVERY = 5
_COPIED_BYTES = 1024 * 1024
_INSTEAD_OF_XLSX = "Export as csv or json, or narrow the export by a filter."
_WRITERS: dict[str, type[CsvWriter] | type[JsonWriter]] = {"csv": CsvWriter, "json": JsonWriter}
_CONTENT_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def handle(record: Record) -> None:
    """Work on an export until it is done or the time is up. A message that comes twice makes one file."""
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
    ends_at = time.monotonic() + SECONDS_PER_MESSAGE
    while not job.is_read:
        grown = _add_part(record, job)
        if grown is None:
            # Another worker is at it.
            return
        job = grown
        if job.file_format == "xlsx" and job.processed_contacts > MOST_IN_XLSX:
            raise ValueError(f"There are more than the {MOST_IN_XLSX:,} contacts that fit a sheet. {_INSTEAD_OF_XLSX}")
        # After the last part too: making the file of a large account takes as long as the parts did.
        if time.monotonic() > ends_at:
            with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
                enqueue(tx, "exports", {"job_id": job.id})
            return
    _make_file(record, job)


def _add_part(record: Record, job: Job) -> Job | None:
    """Read the next contacts into a part and record it; None when another worker did. Where nobody is found there is none."""
    key: str | None = None
    contacts, is_read = 0, False
    last = None if job.last_created_at is None or job.last_id is None else (job.last_created_at, job.last_id)
    with tempfile.TemporaryFile() as file:
        part = PartWriter(file, job.selected_fields, as_text=job.file_format != "json")
        for _ in range(PAGES_PER_PART):
            rows, following = _page(record, job, last)
            part.write(rows)
            contacts += len(rows)
            last, is_read = following or last, following is None
            if is_read or part.size >= BYTES_PER_PART:
                break
        if contacts:
            key = new_key(record.tenant_id)
            part.store(key)
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        grown = repository.add_part(tx, job, key=key, contacts=contacts, last=last, is_read=is_read)
    if grown is None and key is not None:
        delete_objects([key])
    return grown


def _page(record: Record, job: Job, after: Place | None) -> tuple[list[ContactRow], Place | None]:
    """The next contacts, and where to go on; None at the end. There may be none although others follow."""
    keyset = Keyset(PAGE, "asc", "created_at", "time", None, after)
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        segment = read_segments(tx, job.filters["definition"])
        page = page_in_time(tx, keyset, segment, of=ContactRow, budget=_SECONDS_TO_READ)
    rows = page.rows[:PAGE]
    return rows, (rows[-1].created_at, rows[-1].id) if len(page.rows) > PAGE else page.stopped_at


def _make_file(record: Record, job: Job) -> None:
    key = new_key(record.tenant_id)
    with object_writer(key, _CONTENT_TYPES[job.file_format]) as stored:
        if job.file_format == "xlsx":
            _write_workbook(job, stored)
        else:
            _write_text(job, stored)
    size = stored.size
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        is_ours = repository.finish(tx, job.id, key=key, size=size)
    delete_objects(job.part_keys if is_ours else [key])


def _write_text(job: Job, stored: ObjectWriter) -> None:
    writer = _WRITERS[job.file_format](cast("IO[bytes]", stored), job.selected_fields)
    for part in job.part_keys:
        _write_part(part, writer)
    writer.close()


def _write_workbook(job: Job, stored: ObjectWriter) -> None:
    """By way of the disk: the directory of an archive tells sizes that spreadsheets want before the content too."""
    with tempfile.TemporaryFile() as file:
        with closing(XlsxWriter(file, job.selected_fields)) as writer:
            for part in job.part_keys:
                _write_part(part, writer)
                if file.tell() > MOST_WORKBOOK_BYTES:
                    raise ValueError(f"The workbook would be too large. {_INSTEAD_OF_XLSX}")
        file.seek(0)
        shutil.copyfileobj(file, stored, _COPIED_BYTES)


def _write_part(part: str, writer: TableWriter) -> None:
    for cells in read_part(part):
        writer.write(cells)


def _fail(record: Record, job_id: UUID, message: str) -> None:
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        parts = repository.fail(tx, job_id, message)
    delete_objects(parts)
