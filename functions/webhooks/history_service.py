"""Why an event arrived or did not, and whether everything did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.db import Tx
from penguinmails.domain.webhook_filters import compile_filter, view_of
from penguinmails.domain.webhook_matching import contact_of, tags_of
from penguinmails.errors import InvalidTimeRange, NotFound
from penguinmails.events.catalogue import EVENT_TYPES
from webhooks import history_repository, service
from webhooks.history_repository import FAN_OUT_MINUTES, CountsRow, EventRow, GapRow, OutcomeRow
from webhooks.repository import WebhookRow

MOST_GAPS = 1_000
MOST_EXAMINED = 5_000
"""Events without a delivery that one request looks at."""
LONGEST_SPAN = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why an event was or was not delivered."""

    outcome: str
    reason: str
    detail: str
    delivery_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the events of a span of time."""

    counts: CountsRow
    missing: int
    gaps: list[GapRow]
    more_gaps: bool


def existing_event(tx: Tx, event_id: UUID) -> EventRow:
    """A stored event, or NotFound; they are kept for 30 days at least."""
    row = history_repository.find_event(tx, event_id)
    if row is None:
        raise NotFound.of("event", event_id)
    return row


def visible_data(event: EventRow, scopes: frozenset[Scope]) -> Any:
    """What an event says, for who may read such data."""
    kind = EVENT_TYPES.get(event.type)
    return event.data if kind is not None and kind.scope in scopes else None


def refusals(tx: Tx, document: Mapping[str, Any] | None, events: Sequence[EventRow]) -> list[str | None]:
    """For each event the part of a filter that it does not meet, None when it is wanted. Raises ValidationFailed."""
    wanted = compile_filter(document or {})
    tags = tags_of(tx, [contact_of(event.data) for event in events]) if wanted.needs_tags else {}
    return [
        wanted.refusing_clause(
            view_of(event.type, event.workspace_id, event.data or {}, tags.get(contact_of(event.data), ()))
        )
        for event in events
    ]


def explain(tx: Tx, event: EventRow, webhook_id: UUID) -> Verdict:
    """Why an event was or was not delivered to a webhook."""
    webhook = service.existing(tx, webhook_id)
    found = history_repository.outcome_of(tx, webhook_id, event)
    return _of_delivery(found) if found is not None else _of_none(tx, event, webhook)


def _tries(count: int) -> str:
    return "one try" if count == 1 else f"{count} tries"


def _of_delivery(found: OutcomeRow) -> Verdict:
    last = f" The last answer was: {found.last_error}." if found.last_error else ""
    match found.status:
        case "success":
            return Verdict("delivered", "accepted", "The endpoint answered 2xx.", found.id)
        case "pending_retry":
            when = found.next_retry_at.isoformat() if found.next_retry_at else "shortly"
            return Verdict(
                "pending", "retrying", f"It is tried again at {when}, after {_tries(found.attempts)}.{last}", found.id
            )
        case "held":
            return Verdict(
                "held", "paused", "The webhook is paused and the event waits. Resume it to have it posted.", found.id
            )
        case "failed":
            detail = (
                f"It was given up after {_tries(found.attempts)}.{last} Retry the delivery once the endpoint works."
            )
            return Verdict("failed", "retries_exhausted", detail, found.id)
        case "dropped":
            reason, detail = (
                ("held_too_long", "It was given up: the webhook had been paused for 30 days.")
                if found.was_held_too_long
                else ("given_up_on_resume", "It was given up when the webhook was resumed without it.")
            )
            return Verdict("dropped", reason, f"{detail} Replay it to have it posted.", found.id)
        case _:
            reason, detail = _of_its_turn(found)
            return Verdict("pending", reason, detail, found.id)


def _of_its_turn(found: OutcomeRow) -> tuple[str, str]:
    if found.is_behind:
        return (
            "behind_another",
            "The webhook has its events in order, and an earlier one of the same contact or campaign is still to go.",
        )
    return "waiting", "It waits for its turn, or is being posted now."


def _of_none(tx: Tx, event: EventRow, webhook: WebhookRow) -> Verdict:
    if event.type not in webhook.event_types:
        return Verdict(
            "not_sent",
            "type_not_subscribed",
            f"The webhook does not subscribe to {event.type}. Add it to event_types to receive such events.",
        )
    if event.subject_id == webhook.id:
        return Verdict(
            "not_sent", "about_itself", "It is about this very webhook; the account's other webhooks receive it."
        )
    if event.created_at > clock.now() - timedelta(minutes=FAN_OUT_MINUTES):
        return Verdict("pending", "just_raised", "It was raised just now and is about to be matched. Ask again soon.")
    if event.created_at < webhook.created_at:
        return Verdict("not_sent", "webhook_is_newer", "It happened before the webhook was made.")
    (refused_by,) = refusals(tx, webhook.event_filters, [event])
    if refused_by is not None:
        return Verdict("not_sent", "filtered", f"The webhook's filter leaves it out: it does not meet {refused_by}.")
    return Verdict(
        "not_sent",
        "not_matched_at_the_time",
        "When it happened the webhook did not ask for it: its settings were others then.",
    )


def reconcile(tx: Tx, webhook: WebhookRow, start: datetime, end: datetime) -> Account:
    """What became of the events from `start` to before `end`. Raises InvalidTimeRange."""
    if not start < end:
        raise InvalidTimeRange.of("to", "must be later than from")
    if end - start > LONGEST_SPAN:
        raise InvalidTimeRange.of("to", f"must be at most {LONGEST_SPAN.days} days after from; ask for several spans")
    given_up = history_repository.undelivered(tx, webhook.id, start, end, MOST_GAPS + 1)
    since = max(start, webhook.created_at)
    unsent = history_repository.without_delivery(tx, webhook.id, since, end, webhook.event_types, MOST_EXAMINED)
    refused = refusals(tx, webhook.event_filters, unsent)
    missing = [event for event, clause in zip(unsent, refused, strict=True) if clause is None]
    gaps = [*given_up, *(GapRow(event.id, event.type, event.created_at, "missing") for event in missing)]
    gaps.sort(key=lambda gap: (gap.created_at, gap.event_id))
    return Account(
        counts=history_repository.counts_between(tx, webhook.id, start, end),
        missing=len(missing),
        gaps=gaps[:MOST_GAPS],
        more_gaps=len(gaps) > MOST_GAPS or len(unsent) == MOST_EXAMINED,
    )
