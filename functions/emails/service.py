"""The rules of sending: who may be written to, how much the plan sends, and what is queued."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from emails import repository
from emails.repository import NewRow
from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain import send_quota, simulated
from penguinmails.domain.emails import log_event, message, suppressed
from penguinmails.domain.enrolment import leave_after
from penguinmails.domain.plain_text import plain_text
from penguinmails.domain.provider_accounts import stored_account
from penguinmails.domain.sender_identity import require_postal_address
from penguinmails.domain.templates import Message, find_source, render
from penguinmails.errors import (
    FieldError,
    InvalidStateTransition,
    MissingRequiredField,
    NotFound,
    QuotaExceeded,
    RecipientSuppressed,
    ValidationFailed,
)
from penguinmails.events.outbox import send_after_commit
from penguinmails.ids import new_uuid7
from penguinmails.settings import get_settings

FURTHEST_SCHEDULE = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message without its recipients."""

    sender: str | None
    subject: str
    html: str | None
    text: str | None
    email_type: str
    reply_to: str | None
    provider: str | None
    tags: Sequence[str]
    headers: dict[str, str]
    metadata: dict[str, str]
    track_opens: bool
    track_clicks: bool
    files: dict[str, list[Any]] | None
    scheduled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Queued:
    """What was stored: one row per recipient, in their order."""

    rows: list[NewRow]
    created_at: datetime


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


def sender_of(tx: Tx, provider: str | None) -> str | None:
    """Whom a provider's account sends as by default. Raises ValidationFailed when there is no such account."""
    if provider in {None, "smtp"} or tx.mode == "test":
        return None
    account = stored_account(tx, str(provider))
    if account is None:
        raise ValidationFailed.of("provider", f"is {provider}, which is not set up; an admin can do that", "not_set_up")
    return account.settings["default_sender"]


def cancel(tx: Tx, email_id: UUID) -> None:
    """Take back an email that no worker has begun to send. Raises NotFound, and InvalidStateTransition."""
    month = repository.cancel(tx, email_id)
    if month is None:
        row = repository.find_email(tx, email_id)
        if row is None:
            raise NotFound.of("email", email_id)
        raise InvalidStateTransition(f"The email is {row.status}; only scheduled and queued ones can be cancelled.")
    log_event(tx, [email_id], "cancelled")
    leave_after(tx, email_id, "cancelled")
    if tx.mode == "live":
        repository.give_back_to_limit(tx, month)


def queue_one(tx: Tx, draft: Draft, address: str, *, api_key_id: UUID | None) -> Queued:
    """Queue a message to one recipient. Raises RecipientSuppressed, and QuotaExceeded at the plan's limit."""
    _check_simulated(tx, [address])
    if suppressed(tx, [address]):
        raise RecipientSuppressed(
            f"{address} is suppressed: it opted out, complained or does not exist. Nothing was sent; remove it from your list."
        )
    return _queue(tx, draft, [NewRow(new_uuid7(), address, "queued")], api_key_id)


def queue_many(tx: Tx, draft: Draft, addresses: Sequence[str], *, api_key_id: UUID | None) -> Queued:
    """Queue a message to each recipient; a suppressed one is stored as such. Raises QuotaExceeded, then none is queued."""
    _check_simulated(tx, addresses)
    refused = suppressed(tx, addresses)
    rows = [NewRow(new_uuid7(), address, "suppressed" if address in refused else "queued") for address in addresses]
    return _queue(tx, draft, rows, api_key_id)


def _check_simulated(tx: Tx, addresses: Sequence[str]) -> None:
    """Addresses of the simulator are for test mode, and only those that act something out."""
    for address in filter(simulated.is_simulated, addresses):
        if tx.mode != "test":
            raise ValidationFailed.of(
                "to", f"{address} is for API keys of test mode; use one of those", "test_mode_only"
            )
        if simulated.behaviour(address) is None:
            known = ", ".join(f"{name}@" for name in simulated.BEHAVIOURS)
            raise ValidationFailed.of(
                "to", f"{address} acts out nothing; the simulator knows {known}", "unknown_behaviour"
            )


def _queue(tx: Tx, draft: Draft, rows: list[NewRow], api_key_id: UUID | None) -> Queued:
    content_key, created_at = new_uuid7(), clock.now()
    text = draft.text if draft.text is not None else plain_text(draft.html or "")
    if draft.scheduled_at is not None:
        rows = [replace(row, status="scheduled") if row.status == "queued" else row for row in rows]
    if draft.email_type != "transactional":
        require_postal_address(tx)
    content = {"html": draft.html, "text": text, "headers": draft.headers}
    following = {"track_opens": draft.track_opens, "track_clicks": draft.track_clicks}
    repository.insert_content(tx, content_key, {**content, **following})
    if draft.files is not None:
        repository.insert_files(tx, content_key, draft.files)
    shared = {
        "api_key_id": api_key_id,
        "from_email": draft.sender or get_settings().mail_from,
        "reply_to": draft.reply_to,
        "subject": draft.subject,
        "email_type": draft.email_type,
        "wanted_provider": draft.provider,
        "content_key": content_key,
        "metadata": draft.metadata,
        "created_at": created_at,
        "scheduled_at": draft.scheduled_at,
    }
    repository.insert_emails(tx, rows, shared)
    if draft.tags:
        repository.insert_tags(tx, [row.id for row in rows], draft.tags)
    for status in ("queued", "scheduled", "suppressed"):
        log_event(tx, [row.id for row in rows if row.status == status], status)
    queued = [row for row in rows if row.status == "queued"]
    # Last, because the counter's row is locked from here to the commit and all of the tenant's requests need it.
    _count(tx, sum(row.status != "suppressed" for row in rows))
    send_after_commit(tx, "emails", [message(row.id, 0) for row in queued])
    return Queued(rows, created_at)


def _count(tx: Tx, number: int) -> None:
    """Test messages reach nobody and count for nothing."""
    if tx.mode == "test" or number == 0:
        return
    limit = send_quota.monthly_limit(tx)
    if not send_quota.count_towards_limit(tx, number, limit):
        raise QuotaExceeded(
            f"The plan sends {limit} emails per calendar month (UTC), and {number} more would pass that. Nothing was sent; "
            "choose a larger plan, or wait for the next month."
        )
