"""The first phase: rows of the file become rows of the staging table, each valid or with its fault."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from import_contacts import repository
from import_contacts.repository import Job
from import_contacts.values import Reader, RowFault
from penguinmails.db import Tx
from penguinmails.domain.contact_fields import declared_fields
from penguinmails.domain.contact_imports import Rows, inspect_file, local_copy, mapping_faults, open_rows
from penguinmails.ids import uuid7_texts
from penguinmails.tabular.layout import FileFault, Layout

ROWS_PER_SLICE = 20_000
_IDS_AT_ONCE = 1_000
_NO_TEXTS: list[str | None] = [None] * 10


@dataclass(slots=True)
class Source:
    """An open file, and how its rows are read."""

    rows: Rows
    iterator: Iterator[tuple[int, Any]]
    reader: Reader
    position: int
    last_line: int = 0


def start(tx: Tx, job: Job, files: ExitStack, *, afresh: bool = False) -> Source:
    """Open the job's file where it was left, or at its first row. Raises FileFault."""
    path = files.enter_context(local_copy(job.file_key)) if job.file_type == "xlsx" else None
    layout = None if afresh or job.layout is None else Layout(**job.layout)
    position, line = job.position, job.next_line
    if layout is None:
        layout = _inspected(job, path)
        position, line = layout.start, layout.line
        repository.open_staging(tx, job.id)
        repository.begin_reading(tx, job.id, asdict(layout), position=position, line=line)
    rows = open_rows(layout, job.file_key, position, line, path)
    reader = Reader.of(
        layout.header,
        job.field_mapping,
        declared_fields(tx),
        job.options.get("tags", []),
        is_addressed=layout.kind in {"json", "xlsx"},
    )
    return Source(rows, iter(rows), reader, position)


def _inspected(job: Job, path: Path | None) -> Layout:
    layout = inspect_file(
        job.file_type,
        job.file_key,
        encoding=job.options.get("encoding"),
        delimiter=job.options.get("delimiter"),
        path=path,
    )
    faults = mapping_faults(job.field_mapping, layout.header)
    if faults:
        raise FileFault("wrong_mapping", f"{faults[0].field}: {faults[0].message}.")
    return layout


def stage_slice(tx: Tx, job: Job, source: Source) -> None:
    """Copy the next rows into the staging table and move the job's position behind them."""
    staged = repository.stage_rows(tx, _staged(job, source))
    repository.move_reading(
        tx,
        job.id,
        position=source.rows.position,
        next_line=source.rows.line,
        last_line=source.last_line,
        staged=staged,
        ended=staged < ROWS_PER_SLICE,
    )
    source.position = source.rows.position


def _staged(job: Job, source: Source) -> Iterator[tuple[Any, ...]]:
    job_id = str(job.id)
    remaining = ROWS_PER_SLICE
    while remaining:
        batch = list(islice(source.iterator, min(_IDS_AT_ONCE, remaining)))
        ids = uuid7_texts(2 * len(batch))
        for number, (line, cells) in enumerate(batch):
            yield (job_id, line, ids[2 * number], ids[2 * number + 1], False, *_values(source.reader, cells))
            source.last_line = line
        if len(batch) < min(_IDS_AT_ONCE, remaining):
            return
        remaining -= len(batch)


def _values(reader: Reader, cells: Any) -> tuple[Any, ...]:
    email: str | None = None
    try:
        reader.check_width(cells)
        email = reader.email(cells)
        texts = reader.texts(cells)
        return (
            email, *texts, reader.attributes_json(cells), reader.status(cells), reader.tag_names(cells), None, None,
        )  # fmt: skip
    except RowFault as fault:
        return (email, *_NO_TEXTS, None, None, None, fault.target, fault.message)
