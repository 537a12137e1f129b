"""Forms as bodies of requests: application/x-www-form-urlencoded, and multipart/form-data (RFC 7578)."""

import re
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qsl

from penguinmails.errors import ValidationFailed

_MOST_PARTS = 1_000
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,70}")


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form, under the field's name."""

    field_name: str
    file_name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """Fields by name, of which the first counts, and files in their order."""

    fields: dict[str, str]
    files: list[FormFile]


def read_form(content_type: str, body: bytes) -> Form:
    """What a form holds. Raises ValidationFailed for a body that is none."""
    stated = Message()
    stated["Content-Type"] = content_type if content_type.isprintable() else ""
    try:
        if stated.get_content_type() == "multipart/form-data":
            return _multipart(body, str(stated.get_boundary("")))
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_PARTS)
    except ValueError as fault:
        raise ValidationFailed.of("body", f"the form cannot be read: {fault}", "malformed_form") from None
    return Form(dict(reversed(pairs)), [])


def _multipart(body: bytes, boundary: str) -> Form:
    if not _BOUNDARY.fullmatch(boundary):
        raise ValueError("its content type names no boundary")
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("ascii"))
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise ValueError("its last part is not closed")
    if len(parts) > _MOST_PARTS:
        raise ValueError(f"it has more than {_MOST_PARTS} parts")
    form = Form({}, [])
    for part in parts[1:-1]:
        _add(form, part)
    return form


def _add(form: Form, part: bytes) -> None:
    head, found, content = part.partition(b"\r\n\r\n")
    stated = Message()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() in {"content-disposition", "content-type"} and name not in stated:
            stated[name.strip()] = "".join(c for c in value.strip() if c.isprintable())
    name = stated.get_param("name", header="content-disposition")
    if not found or not isinstance(name, str):
        raise ValueError("a part of it has no name")
    file_name = stated.get_filename()
    if file_name is None:
        form.fields.setdefault(name, content.decode("utf-8", "replace"))
    else:
        form.files.append(FormFile(name, file_name, stated.get_content_type(), content))
