"""One part of one export per step: read in the order of the table's key, stored, and only then counted as done.

A crash before the last leaves a file that nobody knows of, which the bucket's rule removes; the part is made again.
"""

import gzip
import json
import tempfile
from typing import IO, Any

from export_account import repository
from export_account.repository import Job
from export_account.tables import BELONGING_TO, OF_A_MODE, OF_THE_ACCOUNT, SECRET_COLUMNS
from penguinmails.aws import store_object
from penguinmails.db import Mode, transaction
from penguinmails.domain.files import new_key
from penguinmails.logging import logger

ROWS_PER_PART = 50_000
_BYTES_PER_PART = 64 * 1024 * 1024
_PAGE = 1_000
_TRIES = 5
_PLACES: list[tuple[str, Mode, str]] = [
    *(("account", "live", table) for table in OF_THE_ACCOUNT),
    *(("live", "live", table) for table in OF_A_MODE),
    *(("test", "test", table) for table in OF_A_MODE),
]


def export() -> int:
    """Make one part of one export; 0 when none is open."""
    with transaction(role="jobs") as tx:
        job = repository.take(tx)
    if job is None:
        return 0
    try:
        _next_part(job)
    except Exception:
        if job.attempts < _TRIES:
            raise
        logger.exception("account export given up", extra={"export_id": str(job.id)})
        with transaction(role="jobs") as tx:
            repository.fail(
                tx, job, "Something went wrong on our side. Make a new export; if it fails too, tell support its id."
            )
    return 1


def _next_part(job: Job) -> None:
    place, number, after = (job.position.get(name) for name in ("place", "number", "after"))
    place, number = place or 0, number or 1
    folder, mode, table = _PLACES[place]
    with tempfile.TemporaryFile() as file:
        rows, last, is_through = _write(file, job, mode, table, after)
        size = file.tell()
        file.seek(0)
        key = new_key(job.tenant_id)
        if rows:
            store_object(key, file, "application/gzip")
    position = (
        {"place": place + 1, "number": 1, "after": None}
        if is_through
        else {"place": place, "number": number + 1, "after": last}
    )
    with transaction(tenant_id=job.tenant_id, mode=mode) as tx:
        if not repository.is_open(tx, job):
            return
        if rows:
            name = f"{folder}/{table}-{number:04}.jsonl.gz"
            repository.add_part(tx, job, {"name": name, "file_key": key, "file_size": size, "row_count": rows})
        repository.move(tx, job, position, rows)
        if is_through and place + 1 == len(_PLACES):
            repository.finish(tx, job)


def _write(
    file: IO[bytes], job: Job, mode: Mode, table: str, after: dict[str, Any] | None
) -> tuple[int, dict[str, Any] | None, bool]:
    """Write the rows of one part; how many, the key of the last, and whether the table is through."""
    read = written = size = 0
    owner = BELONGING_TO.get(table)
    with gzip.GzipFile(fileobj=file, mode="wb") as packed:
        while read < ROWS_PER_PART and size < _BYTES_PER_PART:
            batch = min(_PAGE, ROWS_PER_PART - read)
            with transaction(tenant_id=job.tenant_id, mode=mode) as tx:
                rows = repository.rows_after(tx, table, after, batch)
                deleted = repository.deleted(tx) if owner else set[str]()
            for row in rows:
                if owner and row.content[owner] in deleted:
                    continue
                shown = {name: value for name, value in row.content.items() if name not in SECRET_COLUMNS}
                size += packed.write(json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
                written += 1
            read += len(rows)
            after = rows[-1].key if rows else after
            if len(rows) < batch:
                return written, after, True
    return written, after, False
