"""Slices of a job are merged on two connections side by side, since the database does one connection's work on one processor.

What they share is taken late in each transaction: the contacts themselves, their history and events are written before the
tenant's counter and its index for searches, which one transaction at a time may extend.
"""

import time
from contextvars import copy_context
from dataclasses import dataclass
from threading import Event
from uuid import UUID

from import_contacts import repository, slices
from import_contacts.merge import JobEnded, merge_slice
from penguinmails.db import Mode, close_connection, transaction

LANES = 2
_SLICES_BEFORE_STATISTICS = (1, 10)


@dataclass(frozen=True, slots=True)
class Task:
    """A job whose slices are merged, for so long (`time.monotonic`)."""

    tenant_id: UUID
    mode: Mode
    job_id: UUID
    ends_at: float


def merge_slices(task: Task, lanes: int) -> None:
    """Merge slices until none is left, or the job or the time is at its end; raises what ended a lane.

    When it returns or raises no lane works any more: each slice is merged as a whole or not at all. The first is merged alone,
    since without the statistics that it leaves the database would walk through all contacts for each row of the others.
    """
    from concurrent.futures import ThreadPoolExecutor

    if not _merge_next(task, 0) or time.monotonic() > task.ends_at:
        return
    stopping = Event()
    with ThreadPoolExecutor(max(lanes - 1, 1), "merge") as threads:
        others = [threads.submit(copy_context().run, _work_apart, task, lane, stopping) for lane in range(1, lanes)]
        _work(task, 0, stopping)
    for other in others:
        other.result()


def _work_apart(task: Task, lane: int, stopping: Event) -> None:
    try:
        _work(task, lane, stopping)
    finally:
        close_connection("imports", lane)
        close_connection("app", lane)


def _work(task: Task, lane: int, stopping: Event) -> None:
    try:
        while _merge_next(task, lane):
            if stopping.is_set() or time.monotonic() > task.ends_at:
                return
    except BaseException:
        stopping.set()
        raise


def _merge_next(task: Task, lane: int) -> bool:
    """One slice in one transaction; False when there is none for this lane."""
    try:
        with transaction(tenant_id=task.tenant_id, mode=task.mode, role="imports", lane=lane) as tx:
            job = repository.join_job(tx, task.job_id)
            if job is None or job.status != "processing" or job.phase != "merging":
                return False
            part = slices.claim(tx, task.job_id)
            if part is None:
                return False
            merged = merge_slice(tx, job, part)
    except JobEnded:
        return False
    if merged in _SLICES_BEFORE_STATISTICS:
        with transaction(tenant_id=task.tenant_id, mode=task.mode, role="imports", lane=lane) as tx:
            slices.refresh_statistics(tx)
    return True
