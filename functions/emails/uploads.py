"""The rules of uploaded files: what is announced, and what must be there before a mail may name it."""

from collections.abc import Sequence
from uuid import UUID

from emails import repository
from emails.repository import UploadRow
from penguinmails.aws import object_size, upload_link
from penguinmails.db import Tx
from penguinmails.domain.email_queue import DraftFile
from penguinmails.domain.files import MOST_BYTES_OF_A_MAIL, UPLOAD_SECONDS, new_key, require_own
from penguinmails.errors import FieldError, InvalidStateTransition, ValidationFailed
from penguinmails.ids import new_uuid7

_POSTMARK_BYTES = 10_000_000
"""https://postmarkapp.com/support/article/1056-what-are-the-attachment-and-email-size-limits"""


def create_upload(tx: Tx, *, file_name: str, content_type: str, size: int, created_by: UUID) -> tuple[UploadRow, str]:
    """Announce a file; and the link to upload it to."""
    if tx.tenant_id is None:
        raise RuntimeError("a file belongs to a tenant")
    upload_id, key = new_uuid7(), new_key(tx.tenant_id)
    values = {"file_name": file_name, "content_type": content_type, "size": size, "created_by": created_by}
    repository.insert_upload(tx, upload_id, {"file_key": key, **values})
    (row,) = repository.find_uploads(tx, [upload_id])
    return row, upload_link(key, content_type=content_type, size=size, seconds=UPLOAD_SECONDS)


def files_of_mail(tx: Tx, named: Sequence[DraftFile | UUID]) -> list[DraftFile]:
    """A mail's files, with what is known of the uploaded ones.

    Raises ValidationFailed for one that mails may not name and for too much together, InvalidStateTransition for one that
    is not uploaded.
    """
    ids = {file for file in named if isinstance(file, UUID)}
    rows = {row.id: row for row in repository.find_uploads(tx, list(ids))} if ids else {}
    _check_known(named, rows)
    files = [file if isinstance(file, DraftFile) else _draft(rows[file]) for file in named]
    total = sum(map(_size, files))
    if total > MOST_BYTES_OF_A_MAIL:
        raise ValidationFailed.of(
            "attachments",
            f"hold {total:,} bytes together; {MOST_BYTES_OF_A_MAIL:,} are possible, since mail servers refuse larger mails. "
            "Send links to larger files",
            "too_large",
        )
    _check_uploaded(tx, named, rows)
    return files


def check_provider(provider: str | None, files: Sequence[DraftFile], *bodies: str | None) -> None:
    """Refuse what Postmark would: it counts files as base64 has them. Raises ValidationFailed."""
    if provider != "postmark":
        return
    total = sum(-(-_size(file) // 3) * 4 for file in files) + sum(len((body or "").encode()) for body in bodies)
    if files and total > _POSTMARK_BYTES:
        raise ValidationFailed.of(
            "attachments",
            f"make a message of {total:,} bytes with its bodies, as files are a third larger in base64; Postmark takes "
            f"{_POSTMARK_BYTES:,}. Send links to larger files, or choose another provider",
            "too_large",
        )


def _draft(row: UploadRow) -> DraftFile:
    return DraftFile(file_name=row.file_name, content_type=row.content_type, upload_id=row.id, size=row.size)


def _size(file: DraftFile) -> int:
    return len(file.content) if file.content is not None else file.size or 0


def _check_known(named: Sequence[DraftFile | UUID], rows: dict[UUID, UploadRow]) -> None:
    faults: list[FieldError] = []
    for position, file in enumerate(named):
        if isinstance(file, DraftFile):
            continue
        field = f"attachments.{position}.upload_id"
        if file not in rows:
            message = (
                "names no upload of this account and mode. Uploads can be named for seven days; upload the file again"
            )
            faults.append(FieldError(field, message, "not_found"))
        elif rows[file].is_expired:
            message = f"names an upload that has expired ({rows[file].file_name}); upload the file again"
            faults.append(FieldError(field, message, "expired"))
    if faults:
        raise ValidationFailed("; ".join(f"{fault.field}: {fault.message}" for fault in faults), errors=faults)


def _check_uploaded(tx: Tx, named: Sequence[DraftFile | UUID], rows: dict[UUID, UploadRow]) -> None:
    if tx.tenant_id is None:
        raise RuntimeError("a file belongs to a tenant")
    unseen = [row for row in rows.values() if not row.is_there]
    if not unseen:
        return
    sizes = {row.id: object_size(require_own(row.file_key, tx.tenant_id)) for row in unseen}
    faults = [
        FieldError(f"attachments.{position}.upload_id", _missing(rows[file], sizes[file]), "not_uploaded")
        for position, file in enumerate(named)
        if isinstance(file, UUID) and file in sizes and sizes[file] != rows[file].size
    ]
    if faults:
        raise InvalidStateTransition("; ".join(f"{fault.field}: {fault.message}" for fault in faults), errors=faults)
    repository.mark_uploaded(tx, [row.id for row in unseen])


def _missing(row: UploadRow, size: int | None) -> str:
    if size is None:
        return f"{row.file_name} is not there yet. Upload it to the link that announcing it gave you, then send again"
    return f"{row.file_name} has {size:,} bytes where {row.size:,} were announced. Announce it again with its size"
