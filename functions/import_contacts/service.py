"""The phases of an import: read and check the whole file, then merge it slice by slice, then say what was left out."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import UUID

from import_contacts import merge, repository, slices
from import_contacts.lanes import LANES, Task, merge_slices
from import_contacts.reading import Source, stage_slice, start
from import_contacts.repository import Job
from import_contacts.undo import undo_slice
from penguinmails.db import Tx, transaction
from penguinmails.domain.contact_room import room
from penguinmails.errors import QuotaExceeded
from penguinmails.events.outbox import enqueue
from penguinmails.logging import logger
from penguinmails.queue import Record
from penguinmails.tabular.layout import FileFault

SECONDS_PER_MESSAGE = 200
"""Then the job goes on with a message of its own: well before the function's time limit."""
_LAST_DELIVERY = 5


@dataclass(slots=True)
class Run:
    """One message's work on a job."""

    record: Record
    job_id: UUID
    files: ExitStack
    source: Source | None = None
    slices_left: int = 0
    ends_at: float = field(default_factory=lambda: time.monotonic() + SECONDS_PER_MESSAGE)


def handle(record: Record) -> None:
    """Work on a job until it is done or the time is up. A message that comes twice does no harm."""
    job_id = UUID(record.body["job_id"])
    with ExitStack() as files:
        run = Run(record, job_id, files)
        try:
            while _step(run):
                pass
        except FileFault as fault:
            _fail(record, job_id, code=fault.code, message=fault.message, line=fault.line)
        except QuotaExceeded as refusal:
            _fail(record, job_id, code="quota_exceeded", message=refusal.detail, line=None, may_have_written=True)
        except Exception:
            if record.receive_count < _LAST_DELIVERY:
                raise
            logger.exception("import given up", extra={"job_id": str(job_id)})
            _give_up(record, job_id)


def _step(run: Run) -> bool:
    """One slice in one transaction; False when there is nothing left for this message to do."""
    with transaction(tenant_id=run.record.tenant_id, mode=run.record.mode, role="imports") as tx:
        job = repository.hold_job(tx, run.job_id)
        if job is None:
            return False
        if job.status == "rolling_back":
            goes_on = undo_slice(tx, job)
        elif job.status == "processing":
            goes_on = _PHASES[job.phase](tx, run, job)
        else:
            repository.close_staging(tx, job.id)
            return False
        if goes_on and not run.slices_left and time.monotonic() > run.ends_at:
            enqueue(tx, "imports", {"job_id": job.id})
            return False
    return _merged(run) if run.slices_left else goes_on


def _merged(run: Run) -> bool:
    """Merge slices, after the transaction that has held the job as a whole; False when the time is up."""
    tenant_id, mode = run.record.tenant_id, run.record.mode
    merge_slices(Task(tenant_id, mode, run.job_id, run.ends_at), min(max(run.slices_left - 1, 1), LANES))
    run.slices_left = 0
    if time.monotonic() <= run.ends_at:
        return True
    with transaction(tenant_id=tenant_id, mode=mode, role="imports") as tx:
        enqueue(tx, "imports", {"job_id": run.job_id})
    return False


def _read(tx: Tx, run: Run, job: Job) -> bool:
    if run.source is None or run.source.position != job.position or job.layout is None:
        run.source = start(tx, job, run.files)
    stage_slice(tx, job, run.source)
    return True


def _check(tx: Tx, run: Run, job: Job) -> bool:
    if repository.count_staged(tx, job.id) != job.staged_rows:
        # The database has crashed since: unlogged rows do not survive that. Nothing is merged yet, so read again.
        repository.empty_staging(tx, job.id)
        run.source = start(tx, job, run.files, afresh=True)
        return True
    if job.staged_rows == 0:
        raise FileFault("empty", "The file has a header but no rows.")
    repository.prepare_staging(tx, job.id)
    _require_room(tx, repository.count_new(tx, job.id))
    repository.set_phase(tx, job.id, "merging")
    return True


def _require_room(tx: Tx, new: int) -> None:
    found = room(tx)
    if found.allowed is None or found.present + new <= found.allowed:
        return
    free = max(found.allowed - found.present, 0)
    raise QuotaExceeded(
        f"{new} contacts of the file are new, and the plan has room for {free}: it holds {found.allowed}, and there are "
        f"{found.present}. Nothing was imported. Delete contacts, shorten the file or choose a larger plan, then import it again."
    )


def _merge(tx: Tx, run: Run, job: Job) -> bool:
    if not repository.is_staged(tx, job.id, job.last_line):
        raise FileFault(
            "interrupted", "The database was restarted while the file was merged. What is merged stays; start it again."
        )
    left = slices.count_left(tx, job.id)
    run.slices_left = slices.cut(tx, job, merge.ROWS_PER_SLICE) if left is None else left
    if not run.slices_left:
        repository.set_phase(tx, job.id, "reporting")
    return True


def _report(tx: Tx, run: Run, job: Job) -> bool:
    from import_contacts.report import write_report

    key, errors = write_report(tx, job, run.record.tenant_id)
    repository.finish(tx, job.id, error_file_key=key, errors=errors)
    repository.close_staging(tx, job.id)
    return False


def _done(_tx: Tx, _run: Run, _job: Job) -> bool:
    return False


_PHASES: dict[str, Callable[[Tx, Run, Job], bool]] = {
    "reading": _read, "checking": _check, "merging": _merge, "reporting": _report, "done": _done,
}  # fmt: skip


def _give_up(record: Record, job_id: UUID) -> None:
    with transaction(tenant_id=record.tenant_id, mode=record.mode, role="imports") as tx:
        progress = repository.progress_of(tx, job_id)
    if progress.status == "rolling_back":
        message = (
            f"Something went wrong on our side while the import was taken back. {progress.rolled_back} contacts are taken"
            " back, the others are as the import left them. Take the import back once more, which goes on from there; if"
            " that fails too, tell support its id."
        )
        _fail(record, job_id, code="rollback_failed", message=message, line=None)
        return
    message = "Something went wrong on our side. Start the import again; if it fails again, tell support its id."
    _fail(record, job_id, code="internal", message=message, line=None)


def _fail(
    record: Record, job_id: UUID, *, code: str, message: str, line: int | None, may_have_written: bool = False
) -> None:
    with transaction(tenant_id=record.tenant_id, mode=record.mode, role="imports") as tx:
        written = repository.progress_of(tx, job_id)
        if may_have_written and written.created + written.updated:
            message = (
                f"{message} That room was there when the merge began and was taken meanwhile. {written.created} contacts"
                f" were added and {written.updated} changed before. Take the import back, or make room and import the"
                " file again, which goes on where this ended."
            )
        repository.fail(tx, job_id, code=code, message=message, line=line)
        repository.close_staging(tx, job_id)
