"""Files that go with an email: what a request holds of them, and what is shown."""

import base64
import binascii
import mimetypes
import re
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator

from penguinmails.http.models import RequestModel, ResponseModel, Storable

MOST_BYTES = 3_000_000
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


FileName = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable, AfterValidator(_name)]
ContentType = Annotated[str, StringConstraints(max_length=127), AfterValidator(_type)]
Content = Annotated[
    bytes,
    BeforeValidator(_bytes),
    Field(min_length=1),
    WithJsonSchema({"type": "string", "format": "byte", "minLength": 1}),
]


class Attachment(RequestModel):
    """A file that goes with the message."""

    file_name: FileName = Field(description="As the recipient sees it.", examples=["invoice.pdf"])
    content_type: ContentType | None = Field(
        default=None, description="Media type; guessed from the name when absent.", examples=["application/pdf"]
    )
    content: Content = Field(description="The file in base64.", examples=["JVBERi0xLjcK"])

    @model_validator(mode="after")
    def _guess_type(self) -> Self:
        if self.content_type is None:
            guess = mimetypes.guess_type(self.file_name)[0] or ""
            is_a_file = _TYPE.fullmatch(guess) and not guess.startswith(_NOT_A_FILE)
            self.content_type = guess if is_a_file else "application/octet-stream"
        return self


def check_attachments(files: list[Attachment]) -> list[Attachment]:
    """Refuse more than mail servers commonly take."""
    total = sum(len(file.content) for file in files)
    if total > MOST_BYTES:
        raise ValueError(f"hold {total:,} bytes together; {MOST_BYTES:,} are possible. Send links to larger files")
    return files


class AttachedFile(ResponseModel):
    """A file that went with a message."""

    file_name: str
    content_type: str
    size: int = Field(description="Bytes.")


def columns(files: Sequence[Attachment]) -> dict[str, list[Any]]:
    """Files as the columns of a statement."""
    return {
        "names": [file.file_name for file in files],
        "types": [file.content_type for file in files],
        "contents": [file.content for file in files],
    }
