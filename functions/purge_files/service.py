"""Removes old files, then says in their jobs that they are gone; a crash between the two only repeats the removal."""

from penguinmails.aws import delete_objects, renew_object
from penguinmails.db import Tx, transaction
from purge_files import repository

BATCH = 400
_UPLOADS = 100


def purge() -> int:
    """One batch of each kind; how many jobs lost their files or uploads were looked at, 0 once nothing is left."""
    with transaction(role="jobs") as tx:
        exports = repository.expired_exports(tx, BATCH)
        imports = repository.old_imports(tx, BATCH)
        accounts = repository.ended_account_exports(tx, 1)
        copies = repository.expired_copies(tx, BATCH)
        keys = [key for job in (*exports, *imports, *accounts, *copies) for key in job.keys]
        delete_objects(keys)
        repository.mark_exports(tx, [job.id for job in exports])
        repository.mark_imports(tx, [job.id for job in imports])
        repository.mark_account_exports(tx, [job.id for job in accounts])
        repository.mark_copies(tx, [job.id for job in copies])
    return len(exports) + len(imports) + len(accounts) + len(copies) + _uploads()


def _uploads() -> int:
    """Files of mails: those that a mail still waits for stay, and are renewed before the bucket's own rule takes them."""
    with transaction(role="jobs") as tx:
        return _look_at_uploads(tx)


def _look_at_uploads(tx: Tx) -> int:
    found = repository.expired_uploads(tx, _UPLOADS)
    ended, needed = [u for u in found if not u.is_needed], [u for u in found if u.is_needed]
    delete_objects([upload.file_key for upload in ended])
    repository.forget_uploads(tx, [upload.id for upload in ended])
    renewed = [upload for upload in needed if upload.is_old]
    for upload in renewed:
        renew_object(upload.file_key, upload.content_type)
    repository.keep_uploads(tx, [upload.id for upload in needed], [upload.id for upload in renewed])
    return len(found)
