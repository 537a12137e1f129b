"""Files that go with an email: what a request holds of them, and what is shown."""

import base64
import binascii
import mimetypes
import re
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator

from penguinmails.domain.files import MOST_BYTES_OF_A_MAIL
from penguinmails.http.models import RequestModel, ResponseModel, Storable
from penguinmails.http.uploads import Upload

MOST_BYTES_INLINE = 3_000_000
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
_NOT_A_FILE = ("multipart/", "message/")
_REFUSED_BY_MAIL_SERVERS = {
    "ade", "adp", "app", "asp", "bas", "bat", "chm", "cmd", "com", "cpl", "exe", "hta", "inf", "jar", "js", "jse", "lnk",
    "mde", "msc", "msi", "msp", "pif", "ps1", "reg", "scr", "sct", "shb", "vb", "vbe", "vbs", "vxd", "wsc", "wsf", "wsh",
}  # fmt: skip


def _name(name: str) -> str:
    if not all(character.isprintable() for character in name) or not {"/", "\\", '"'}.isdisjoint(name):
        raise ValueError("must be a plain file name: no path, no quotation marks, no control characters")
    if name.strip(". ") == "":
        raise ValueError("must hold more than dots and spaces")
    # Windows drops dots and spaces at the end.
    _, dot, extension = name.rstrip(". ").lower().rpartition(".")
    if dot and extension in _REFUSED_BY_MAIL_SERVERS:
        raise ValueError(f"ends in .{extension}, which mail servers refuse; send a link to the file instead")
    return name


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError("must be base64 text")
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", value), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64 (RFC 4648, section 4) with its padding") from None


def _type(text: str) -> str:
    text = text.lower()
    if not _TYPE.fullmatch(text):
        raise ValueError("must be a media type such as application/pdf, without parameters")
    if text.startswith(_NOT_A_FILE):
        raise ValueError("must be the type of a file; attach mails as application/octet-stream")
    return text


def _guess(file_name: str) -> str:
    guess = mimetypes.guess_type(file_name)[0] or ""
    return guess if _TYPE.fullmatch(guess) and not guess.startswith(_NOT_A_FILE) else "application/octet-stream"


def _size(size: int) -> int:
    if size > MOST_BYTES_OF_A_MAIL:
        raise ValueError(
            f"is {size:,} bytes; {MOST_BYTES_OF_A_MAIL:,} are possible, since mail servers refuse larger mails. "
            "Send a link to the file instead"
        )
    return size


FileName = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable, AfterValidator(_name)]
ContentType = Annotated[str, StringConstraints(max_length=127), AfterValidator(_type)]
Content = Annotated[
    bytes,
    BeforeValidator(_bytes),
    Field(min_length=1),
    WithJsonSchema({"type": "string", "format": "byte", "minLength": 1}),
]


Size = Annotated[
    int,
    Field(ge=1),
    AfterValidator(_size),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_BYTES_OF_A_MAIL}),
]


class Attachment(RequestModel):
    """A file that goes with the message: in the request itself with `file_name` and `content`, or uploaded before."""

    file_name: FileName | None = Field(
        default=None, description="As the recipient sees it; needed with content.", examples=["invoice.pdf"]
    )
    content_type: ContentType | None = Field(
        default=None, description="Media type; guessed from the name when absent.", examples=["application/pdf"]
    )
    content: Content | None = Field(default=None, description="The file in base64.", examples=["JVBERi0xLjcK"])
    upload_id: UUID | None = Field(
        default=None,
        description="In place of all others: the id that `POST /emails/attachments` gave you, once the file is uploaded.",
        examples=[None],
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.content is None) == (self.upload_id is None):
            raise ValueError("send content with file_name, or upload_id")
        if self.upload_id is not None and not (self.file_name is None and self.content_type is None):
            raise ValueError("an upload has its file_name and content_type already; leave both out")
        if self.content is not None and self.file_name is None:
            raise ValueError("send file_name with content")
        self.content_type = self.content_type or _guess(self.file_name or "")
        return self


def check_attachments(files: list[Attachment]) -> list[Attachment]:
    """Refuse more than a request has room for."""
    total = sum(len(file.content or b"") for file in files)
    if total > MOST_BYTES_INLINE:
        raise ValueError(
            f"hold {total:,} bytes together; {MOST_BYTES_INLINE:,} are possible in a request. Upload larger files with "
            "POST /emails/attachments first, and name them by upload_id"
        )
    return files


class NewUpload(RequestModel):
    """A file that is going to be uploaded, to go with messages."""

    file_name: FileName = Field(description="As the recipient sees it.", examples=["report.pdf"])
    content_type: ContentType | None = Field(
        default=None, description="Media type; guessed from the name when absent.", examples=["application/pdf"]
    )
    size: Size = Field(description="Bytes of the file.", examples=[4200000])

    @model_validator(mode="after")
    def _guess_type(self) -> Self:
        self.content_type = self.content_type or _guess(self.file_name)
        return self


class StoredUpload(ResponseModel):
    """A file of messages, and where to upload it to."""

    id: UUID = Field(description="Name it in `attachments` as `upload_id`, in as many messages as you like.")
    file_name: str
    content_type: str
    size: int = Field(description="Bytes.")
    expires_at: datetime = Field(
        description="Until then messages can name it. The file itself stays for as long as one of them waits to be sent."
    )
    upload: Upload


class AttachedFile(ResponseModel):
    """A file that went with a message."""

    file_name: str
    content_type: str
    size: int = Field(description="Bytes.")
