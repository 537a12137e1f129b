"""Why an event arrived or did not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.db import Tx
from penguinmails.domain.deliveries import PER_TENANT, PER_WEBHOOK
from penguinmails.domain.webhook_filters import compile_filter, view_of
from penguinmails.domain.webhook_matching import contact_of, tags_of
from penguinmails.errors import NotFound
from penguinmails.events.catalogue import EVENT_TYPES
from webhooks import history_repository, service
from webhooks.history_repository import FAN_OUT_MINUTES, EventRow, OutcomeRow
from webhooks.reconcile_repository import Examined
from webhooks.repository import WebhookRow


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why an event was or was not delivered."""

    event_type: str
    outcome: str
    reason: str
    detail: str
    delivery_id: UUID | None = None


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


def refusals(
    tx: Tx, document: Mapping[str, Any] | None, events: Sequence[EventRow] | Sequence[Examined]
) -> list[str | None]:
    """For each event the part of a filter that it does not meet, None when it is wanted. Raises ValidationFailed."""
    wanted = compile_filter(document or {})
    tags = tags_of(tx, [contact_of(event.data) for event in events]) if wanted.needs_tags else {}
    return [
        wanted.refusing_clause(
            view_of(event.type, event.workspace_id, event.data or {}, tags.get(contact_of(event.data), ()))
        )
        for event in events
    ]


def explain(tx: Tx, event_id: UUID, webhook_id: UUID, scopes: frozenset[Scope]) -> Verdict:
    """Why an event was or was not delivered to a webhook. Raises NotFound when neither it nor a delivery of it is kept.

    What a filter makes of an event is told to who may read its data.
    """
    webhook = service.existing(tx, webhook_id)
    found = history_repository.outcome_of(tx, webhook_id, event_id)
    if found is not None:
        outcome, reason, detail = _of_delivery(found, webhook)
        return Verdict(found.event_type, outcome, reason, detail, found.id)
    event = existing_event(tx, event_id)
    return Verdict(event.type, *_of_none(tx, event, webhook, scopes))


def _of_delivery(found: OutcomeRow, webhook: WebhookRow) -> tuple[str, str, str]:
    """Outcome, reason and detail of an event that a delivery was made of."""
    match found.status:
        case "success":
            return "delivered", "accepted", "The endpoint answered 2xx."
        case "sending":
            return "pending", "posting", "It is being posted now."
        case "held" | "queued" | "pending_retry" if not webhook.is_active:
            tried = f", after {_tries(found)}" if found.attempts else "."
            return "held", "paused", f"The webhook is paused and the event waits{tried} Resume it to have it posted."
        case "pending_retry" if not found.is_parked:
            when = found.next_retry_at.isoformat() if found.next_retry_at else "shortly"
            return "pending", "retrying", f"It is tried again at {when}, after {_tries(found)}"
        case "failed" | "dropped":
            return found.status, *_of_the_end(found)
        case _:
            return "held" if found.status == "held" else "pending", *_of_its_turn(found, webhook)


def _tries(found: OutcomeRow) -> str:
    """How often it was posted, and what came of it the last time."""
    tries = "one try." if found.attempts == 1 else f"{found.attempts} tries."
    return f"{tries} The last answer was: {found.last_error}." if found.last_error else tries


def _of_the_end(found: OutcomeRow) -> tuple[str, str]:
    """Reason and detail of an event that was given up."""
    if found.status == "failed" and found.last_status_code == HTTPStatus.GONE:
        reason, detail, then = (
            "refused_for_good", "The endpoint answered 410: nobody will listen there again. So it was not tried again, and the "
            "webhook was switched off.", "Have the webhook post to one that works, resume it, and retry the delivery.",
        )  # fmt: skip
    elif found.status == "failed":
        reason, detail, then = (
            "retries_exhausted", f"It was given up after {_tries(found)}", "Retry the delivery once the endpoint works.",
        )  # fmt: skip
    elif found.was_cancelled:
        reason, detail, then = (
            "replay_cancelled", "It was to be sent by a replay alone, which was cancelled before its turn.",
            "Replay it to have it posted.",
        )  # fmt: skip
    elif found.has_expired:
        reason, detail, then = (
            "expired", "It was given up: it had waited for 30 days, as long as events are kept.", "Replay it to have it posted.",
        )  # fmt: skip
    else:
        reason, detail, then = (
            "given_up_on_resume", "It was given up when the webhook was resumed without it.", "Replay it to have it posted.",
        )  # fmt: skip
    return (
        reason,
        f"{detail} {then if found.is_kept else 'The event is not kept any more, so it cannot be sent again.'}",
    )


def _of_its_turn(found: OutcomeRow, webhook: WebhookRow) -> tuple[str, str]:
    """Reason and detail of an event that could be posted and is not."""
    if found.status == "held":
        return "waiting", "It was held while the webhook was paused. What the resumption decided is done in its turn."
    if found.is_behind:
        return (
            "behind_another",
            "The webhook has its events in order, and an earlier one of the same contact or campaign is still to go.",
        )
    if not found.is_parked:
        return "waiting", "It waits for its turn."
    if webhook.batch_wait_seconds and not found.attempts:
        return "gathering", f"It waits up to {webhook.batch_wait_seconds} s for others to share its post."
    pace = f" and takes up to {webhook.max_per_second} per second" if webhook.max_per_second else ""
    return (
        "capped",
        f"It is in line: a webhook has at most {PER_WEBHOOK} posts under way{pace}, an account {PER_TENANT}. "
        "It goes as soon as those before it have been answered.",
    )


def _of_none(tx: Tx, event: EventRow, webhook: WebhookRow, scopes: frozenset[Scope]) -> tuple[str, str, str]:
    """Outcome, reason and detail of an event that no delivery was made of."""
    if event.type not in webhook.event_types:
        return (
            "not_sent",
            "type_not_subscribed",
            f"The webhook does not subscribe to {event.type}. Add it to event_types to receive such events.",
        )
    if event.subject_id == webhook.id:
        return "not_sent", "about_itself", "It is about this very webhook; the account's other webhooks receive it."
    if event.created_at > clock.now() - timedelta(minutes=FAN_OUT_MINUTES):
        return "pending", "just_raised", "It was raised just now and is about to be matched. Ask again soon."
    if event.created_at < webhook.created_at:
        return "not_sent", "webhook_is_newer", "It happened before the webhook was made."
    return "not_sent", *_of_settings(tx, event, webhook, scopes)


def _of_settings(tx: Tx, event: EventRow, webhook: WebhookRow, scopes: frozenset[Scope]) -> tuple[str, str]:
    """Reason and detail of an event whose webhook does not ask for it, or did not."""
    scope = EVENT_TYPES[event.type].scope
    if webhook.event_filters and scope not in scopes:
        return (
            "scope_needed",
            f"The webhook has a filter. Whether that leaves the event out is told to callers with the scope {scope.value}, "
            "which reading such events takes.",
        )
    (refused_by,) = refusals(tx, webhook.event_filters, [event])
    if refused_by is not None:
        return "filtered", f"The webhook's filter leaves it out: it does not meet {refused_by}."
    return (
        "not_matched_at_the_time",
        "When it happened the webhook did not ask for it: its settings were others then.",
    )
