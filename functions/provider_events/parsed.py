"""A provider's report in the platform's words, whoever it came from."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from penguinmails.domain.mail_reports import Report
from penguinmails.providers.account import EMAIL_ID

_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Parsed:
    """`key` is the same when the provider repeats itself. Without `report` there is nothing to be done."""

    key: str
    type: str
    email_id: UUID | None
    report: Report | None


def record_of(value: Any) -> dict[str, Any]:
    """An object of a document; empty when something else stands there."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def text_of(value: Any) -> str:
    """A text of a document, in one line and no longer than may be kept; empty when something else stands there."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    return "".join(c if c.isprintable() else " " for c in str(value))[:_LONGEST]


def optional_text(value: Any) -> str | None:
    """A text, or None in place of an empty one."""
    return text_of(value) or None


def our_id(variables: Any) -> UUID | None:
    """The id of our mail among what the provider keeps for us."""
    try:
        return UUID(text_of(record_of(variables).get(EMAIL_ID)))
    except ValueError:
        return None


def moment_of_text(value: Any, now: datetime) -> datetime:
    """A time in ISO 8601, never in the future; now when it is none."""
    try:
        found = datetime.fromisoformat(text_of(value))
    except ValueError:
        return now
    return min(found if found.tzinfo else found.replace(tzinfo=UTC), now)


def moment_of_seconds(value: Any, now: datetime) -> datetime:
    """Seconds since 1970 as a time, never in the future; now when it is none."""
    try:
        return min(datetime.fromtimestamp(float(text_of(value)), UTC), now)
    except (ValueError, OverflowError, OSError):
        return now
