"""Removes old files, then says in their jobs that they are gone; a crash between the two only repeats the removal."""

from penguinmails.aws import delete_objects
from penguinmails.db import transaction
from purge_files import repository

BATCH = 400


def purge() -> int:
    """One batch of each kind; how many jobs lost their files, 0 once nothing is left."""
    with transaction(role="jobs") as tx:
        exports = repository.expired_exports(tx, BATCH)
        imports = repository.old_imports(tx, BATCH)
        delete_objects([key for job in (*exports, *imports) for key in job.keys])
        repository.mark_exports(tx, [job.id for job in exports])
        repository.mark_imports(tx, [job.id for job in imports])
    return len(exports) + len(imports)
