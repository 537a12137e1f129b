"""The rules of closing an account and of exporting it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from account import repository
from account.repository import ExportRow
from penguinmails import clock
from penguinmails.aws import download_link
from penguinmails.db import Tx, UniqueViolation
from penguinmails.domain.files import require_own
from penguinmails.domain.key_changes import Announcement, announce_tenant_change
from penguinmails.domain.platform_mail import queue_mail
from penguinmails.errors import Conflict, InvalidStateTransition, NotFound, ValidationFailed
from penguinmails.ids import new_uuid7

DAYS_TO_THINK_AGAIN = 30
LINK_SECONDS = 3600


def close(tx: Tx, *, account_name: str, asked_by: UUID) -> Announcement:
    """Suspend the account until it is erased; what is to be confirmed after the commit.

    Raises ValidationFailed for another name, InvalidStateTransition when the account closes already.
    """
    row = repository.lock_tenant(tx)
    if row.closes_at is not None:
        raise InvalidStateTransition(
            f"The account closes on {row.closes_at:%Y-%m-%d %H:%M} UTC already. DELETE /api/v1/account/closing keeps it."
        )
    if account_name != row.name:
        raise ValidationFailed.of("account_name", "is not the account's name; GET /api/v1/account/closing says it")
    announcement = announce_tenant_change(tx, _tenant(tx))
    closes_at = clock.now() + timedelta(days=DAYS_TO_THINK_AGAIN)
    repository.set_closing(tx, closes_at=closes_at, asked_by=asked_by)
    for owner in repository.owners(tx):
        queue_mail(
            tx,
            user_id=owner,
            mail_type="account_closing",
            dedupe_key=f"account_closing:{owner}:{closes_at.isoformat()}",
            variables={"closes_at": f"{closes_at:%Y-%m-%d %H:%M}"},
        )
    return announcement


def keep(tx: Tx) -> Announcement:
    """Take the closing back; what is to be confirmed after the commit. Raises InvalidStateTransition."""
    row = repository.lock_tenant(tx)
    if row.closes_at is None:
        raise InvalidStateTransition("The account is not about to be closed, so there is nothing to take back.")
    announcement = announce_tenant_change(tx, _tenant(tx))
    repository.set_kept(tx)
    return announcement


def start_export(tx: Tx, *, asked_by: UUID) -> ExportRow:
    """Add a job, which the worker takes up within two minutes. Raises Conflict while another one runs."""
    job_id = new_uuid7()
    try:
        with tx.savepoint():
            repository.insert_export(tx, job_id, asked_by)
    except UniqueViolation:
        raise Conflict(
            "An export of the account is being made already. GET /api/v1/account/exports follows it."
        ) from None
    return existing(tx, job_id)


def existing(tx: Tx, job_id: UUID) -> ExportRow:
    """An export. Raises NotFound."""
    found = repository.find_export(tx, job_id)
    if found is None:
        raise NotFound.of("export", job_id)
    return found


@dataclass(frozen=True, slots=True)
class FileLink:
    """One file of an export, and where it can be fetched for a while."""

    name: str
    row_count: int
    file_size: int
    url: str


def files(tx: Tx, job_id: UUID) -> tuple[list[FileLink], datetime]:
    """Links to the files, and when they stop working. Raises NotFound, InvalidStateTransition when there are no files."""
    job = existing(tx, job_id)
    expired = job.expires_at is not None and job.expires_at < clock.now()
    if job.status != "completed" or expired:
        state = "expired" if expired else job.status
        raise InvalidStateTransition(
            f"The export is {state}; only a completed one has files. Make a new one if need be."
        )
    links = [
        FileLink(part.name, part.row_count, part.file_size, _link(require_own(part.file_key, _tenant(tx)), part.name))
        for part in repository.parts(tx, job_id)
    ]
    return links, clock.now() + timedelta(seconds=LINK_SECONDS)


def _link(key: str, name: str) -> str:
    return download_link(key, file_name=name.replace("/", "-"), seconds=LINK_SECONDS)


def _tenant(tx: Tx) -> UUID:
    if tx.tenant_id is None:
        raise RuntimeError("an account's routes work for a tenant")
    return tx.tenant_id
