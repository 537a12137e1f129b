"""The rules of sending: who may be written to, how much the plan sends, and what is queued."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from emails import repository
from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain.emails import log_event
from penguinmails.domain.enrolment import leave_after
from penguinmails.domain.templates import Message, find_source, render
from penguinmails.errors import (
    FieldError,
    InvalidStateTransition,
    MissingRequiredField,
    NotFound,
    ValidationFailed,
)

FURTHEST_SCHEDULE = timedelta(days=366)


def check_content(written: Mapping[str, str | None], *, template_id: UUID | None, variables: Mapping[str, Any]) -> None:
    """A message is either written out, or made of a template."""
    given = [name for name, text in written.items() if text is not None]
    if template_id is not None and given:
        raise ValidationFailed.of("template_id", f"stands in for {' and '.join(given)}; leave one or the other out")
    if template_id is None and variables:
        raise ValidationFailed.of("variables", "are for a template; send template_id too")
    if template_id is None and written["subject"] is None:
        raise MissingRequiredField(
            "subject: send it, or template_id.", errors=[FieldError("subject", "Field required", "missing")]
        )


def message_of_template(tx: Tx, template_id: UUID, variables: Mapping[str, Any]) -> Message:
    """A template's message with these values. Raises ValidationFailed for an unknown template or a missing value."""
    source = find_source(tx, template_id)
    if source is None:
        raise ValidationFailed.of("template_id", "names a template that does not exist in this mode", "not_found")
    return render(source, variables)


def check_schedule(scheduled_at: datetime | None) -> None:
    """Refuse a moment that has passed or is too far away."""
    if scheduled_at is None:
        return
    if scheduled_at <= clock.now():
        raise ValidationFailed.of("scheduled_at", "lies in the past; leave it out to send at once", "in_the_past")
    if scheduled_at > clock.now() + FURTHEST_SCHEDULE:
        raise ValidationFailed.of("scheduled_at", "lies more than a year ahead", "too_far_ahead")


def cancel(tx: Tx, email_id: UUID) -> None:
    """Take back an email that no worker has in hand. Raises NotFound, and InvalidStateTransition."""
    month = repository.cancel(tx, email_id)
    if month is None:
        row = repository.find_email(tx, email_id)
        if row is None:
            raise NotFound.of("email", email_id)
        if row.status == "sending":
            raise InvalidStateTransition(
                "The email is being handed over just now. Ask again in a minute what came of it."
            )
        raise InvalidStateTransition(f"The email is {row.status}; only scheduled and queued ones can be cancelled.")
    log_event(tx, [email_id], "cancelled")
    leave_after(tx, email_id, "cancelled")
    if tx.mode == "live":
        repository.give_back_to_limit(tx, month)
