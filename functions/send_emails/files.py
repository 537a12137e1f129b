"""The files of a mail that is about to leave: those of its request, and those that were uploaded, read from S3."""

from collections.abc import Sequence
from uuid import UUID

from penguinmails.aws import read_object
from penguinmails.domain.files import require_own
from penguinmails.errors import ServiceUnavailable
from penguinmails.mime import Attachment
from penguinmails.smtp import MailRefused
from send_emails.repository import FileRow


def contents(tenant_id: UUID, files: Sequence[FileRow]) -> list[Attachment]:
    """All of a mail's files, which together are no larger than a mail may be.

    Raises MailRefused: for now when S3 is out of reach, for good when a file is gone.
    """
    return [Attachment(file.file_name, file.content_type, _content(tenant_id, file)) for file in files]


def _content(tenant_id: UUID, file: FileRow) -> bytes:
    if file.content is not None:
        return file.content
    content = None
    if file.file_key is not None and file.size is not None:
        try:
            content = read_object(require_own(file.file_key, tenant_id), file.size)
        except ServiceUnavailable:
            raise MailRefused("the store of uploaded files cannot be reached", is_permanent=False) from None
    if content is None:
        raise MailRefused(f"the uploaded file {file.file_name} is not there any more", is_permanent=True)
    return content
