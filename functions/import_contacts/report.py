"""The last phase: a file that says of every row that was left out why it was."""

import tempfile
from uuid import UUID

from import_contacts import repository
from import_contacts.repository import Job
from penguinmails.aws import store_object
from penguinmails.db import Tx
from penguinmails.domain.files import new_key
from penguinmails.tabular.writers import CsvWriter

_BATCH = 5_000


def write_report(tx: Tx, job: Job, tenant_id: UUID) -> tuple[str | None, int]:
    """Store the report; its key and how many rows it has, (None, 0) when every row was taken."""
    line = errors = 0
    with tempfile.TemporaryFile() as file:
        writer = CsvWriter(file, ["line", "email", "field", "reason"])
        while faults := repository.faults_after(tx, job.id, line, _BATCH):
            for fault in faults:
                writer.write([fault.line, fault.email, fault.fault_field, fault.fault])
            errors += len(faults)
            line = faults[-1].line
        if not errors:
            return None, 0
        writer.close()
        file.seek(0)
        key = new_key(tenant_id)
        store_object(key, file, "text/csv")
    return key, errors
