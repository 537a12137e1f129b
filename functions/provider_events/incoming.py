"""What mails that come in have in common, whoever hands them over: names, references, files, and whether a program wrote them."""

import mimetypes
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256

from penguinmails.domain.mail_addresses import as_kept
from penguinmails.mime import Attachment

MOST_FILES = 100
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_MOST_REFERENCES = 50
_LONGEST_TEXT = 500_000
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_ANSWERING_PROGRAMS = {"x-autoreply", "x-autorespond", "x-auto-response-suppress"}


def message_id_of(headers: Mapping[str, str], *otherwise: object) -> str:
    """The Message-ID with its angle brackets; for a mail without one, a name made of what else tells it from others."""
    named = _MESSAGE_ID.search(headers.get("message-id", ""))
    if named is not None:
        return named[0]
    key = "\n".join(str(part) for part in otherwise)
    return f"<{sha256(key.encode('utf-8', 'replace')).hexdigest()}@unnamed.invalid>"


def references_of(headers: Mapping[str, str]) -> list[str]:
    """The Message-IDs that a mail answers, the nearest first (RFC 5322, section 3.6.4)."""
    nearest = _MESSAGE_ID.findall(headers.get("in-reply-to", ""))
    others = _MESSAGE_ID.findall(headers.get("references", ""))
    return list(dict.fromkeys(nearest + others[::-1]))[:_MOST_REFERENCES]


def is_automatic(headers: Mapping[str, str]) -> bool:
    """Whether a program wrote the mail: RFC 3834, and what older programs set."""
    submitted = headers.get("auto-submitted", "no").strip().lower()
    return (
        not submitted.startswith("no")
        or not _ANSWERING_PROGRAMS.isdisjoint(headers)
        or "auto_reply" in headers.get("precedence", "").lower()
    )


def plus_of(address: str) -> str:
    """What stands between the first plus and the @ of an address (RFC 5233); empty when nothing does."""
    return address.partition("@")[0].partition("+")[2]


def sender_of(address: str) -> str | None:
    """An address as it is kept; None for what is none, so that it can be nobody's answer."""
    found = address.strip().lower()
    return as_kept(found) if "@" in found and len(found) <= 255 else None


def storable(text: str) -> str:
    """A text of several lines as the database takes it, no longer than is kept."""
    return text.replace("\x00", "")[:_LONGEST_TEXT].encode("utf-8", "replace").decode()


def moment_of_header(text: str, now: datetime) -> datetime:
    """A Date header (RFC 5322) as a time, never in the future; now when it is none."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return now
    return min(found, now) if found.tzinfo else now


def file_of(name: str | None, content_type: str, content: bytes) -> Attachment:
    """A file as it is kept: under a name without folders, of a type that is one."""
    kind = content_type.strip().lower()
    if not _CONTENT_TYPE.fullmatch(kind):
        kind = "application/octet-stream"
    plain = re.split(r"[/\\]", name or "")[-1]
    plain = "".join(c for c in plain if c.isprintable()).strip(" .")
    if not plain:
        plain = "attachment" + (mimetypes.guess_extension(kind) or "")
    return Attachment(plain[-255:], kind, content)
