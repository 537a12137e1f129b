"""Removes old files, then says in their jobs that they are gone; a crash between the two only repeats the removal."""

from penguinmails.aws import delete_objects
from penguinmails.db import transaction
from purge_files import repository

BATCH = 400
_FILES = 1_000


def purge() -> int:
    """One batch of each kind; how many jobs lost their files, 0 once nothing is left."""
    with transaction(role="jobs") as tx:
        exports = repository.expired_exports(tx, BATCH)
        imports = repository.old_imports(tx, BATCH)
        accounts = repository.ended_account_exports(tx, 1)
        copies = repository.expired_copies(tx, BATCH)
        keys = [key for job in (*exports, *imports, *accounts, *copies) for key in job.keys]
        for start in range(0, len(keys), _FILES):
            delete_objects(keys[start : start + _FILES])
        repository.mark_exports(tx, [job.id for job in exports])
        repository.mark_imports(tx, [job.id for job in imports])
        repository.mark_account_exports(tx, [job.id for job in accounts])
        repository.mark_copies(tx, [job.id for job in copies])
    return len(exports) + len(imports) + len(accounts) + len(copies)
