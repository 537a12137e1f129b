"""A streaming import of a million contacts: rows per second from file to merged contacts, and the memory it takes.

Through the real worker: the file lies in the AWS emulator, rows go by COPY into the staging table and are merged under the
tenant's policy, with history for a rollback, events and their queue messages. `python -m bench.import_contacts [rows]`.
"""

import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.platform import machine, platform, quiet
from contact_imports.service import create_import, start_import
from import_contacts import service
from import_contacts.app import handler
from local.stack import BUCKET
from penguinmails import aws
from penguinmails.db import transaction
from penguinmails.ids import new_uuid4
from tests.support.queues import sqs_event
from tests.support.tenants import TestTenant, make_tenant

ROWS = 1_000_000
MOST_MEGABYTES = 512
LEAST_PER_SECOND = 10_000


def lines(rows: int) -> Iterator[bytes]:
    """A file as people have it: ten columns, some cells empty, some quoted."""
    yield b"E-Mail,First Name,Last Name,Company,Job Title,Phone,City,Country,External ID,Notes\r\n"
    for n in range(rows):
        company = f'"Company {n % 5000}, Inc."' if n % 3 else ""
        yield (
            f"person.{n}@company-{n % 5000}.com,First{n % 700},Last{n % 9000},{company},Engineer,"
            f"+1 555 {n % 10_000:04},Springfield,US,crm-{n},met at fair {n % 12}\r\n"
        ).encode()


def main() -> None:
    """Measure and print; ends with 1 when a budget is not met."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with platform("ImportContactsFunction"), TemporaryDirectory() as folder:
        _make_queues_and_bucket()
        tenant = make_tenant()
        job_id = _hand_in(tenant, rows, Path(folder) / "people.csv")
        before = _memory()
        phases = _time_phases()
        seconds = _run(tenant, job_id)
        peak = _memory()
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            contacts = tx.one("SELECT count(*) FROM contacts", {})
    print(machine())
    print(f"{rows:,} rows in {seconds:.1f} s: {rows / seconds:,.0f} rows/s, {contacts:,} contacts")
    for name, spent in phases.items():
        print(f"  {name:<10} {spent:6.1f} s")
    print(f"memory of the worker: {peak:.0f} MB at most ({before:.0f} MB before it began)")
    if contacts != rows or peak >= MOST_MEGABYTES or rows / seconds < LEAST_PER_SECOND:
        sys.exit(f"wanted {rows:,} contacts, under {MOST_MEGABYTES} MB, at least {LEAST_PER_SECOND:,} rows/s")


def _make_queues_and_bucket() -> None:
    sqs = aws.client("sqs")
    for name in ("EventsQueue", "ImportsQueue"):
        sqs.create_queue(QueueName=name)
    where = {"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]}
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)


def _hand_in(tenant: TestTenant, rows: int, file: Path) -> str:
    with file.open("wb") as out:
        out.writelines(lines(rows))
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        job, _ = create_import(
            tx,
            file_name="people.csv",
            file_type="csv",
            content_type="text/csv",
            content=None,
            size=file.stat().st_size,
            created_by=new_uuid4(),
        )
    with file.open("rb") as body:
        aws.store_object(job.file_key, body, "text/csv")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        start_import(tx, job.id, mapping=None, options={"duplicates": "update"})
    return str(job.id)


def _time_phases() -> dict[str, float]:
    """Seconds per phase, filled while the worker runs."""
    spent: dict[str, float] = {}

    def timed(name: str, phase: Any) -> Any:
        def run(*arguments: Any) -> Any:
            started = time.perf_counter()
            try:
                return phase(*arguments)
            finally:
                spent[name] = spent.get(name, 0.0) + time.perf_counter() - started

        return run

    phases = service._PHASES
    phases.update({name: timed(name, phase) for name, phase in phases.items()})
    service.merge_slices = timed("merging", service.merge_slices)
    return spent


def _run(tenant: TestTenant, job_id: str) -> float:
    message = {"tenant_id": tenant.id, "mode": "live", "job_id": job_id}
    started = time.perf_counter()
    status = "processing"
    with quiet():
        while status == "processing":
            answer = handler(sqs_event(message), None)
            assert answer["batchItemFailures"] == []
            with transaction(tenant_id=tenant.id, mode="live") as tx:
                status = tx.one("SELECT status FROM import_jobs WHERE id = %(id)s", {"id": job_id})
    assert status == "completed", status
    return time.perf_counter() - started


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
