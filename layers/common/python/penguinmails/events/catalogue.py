"""The event types that customers can subscribe to: one dataclass each, its fields being the event's `data`.

Each type says which scope a subscriber must hold, so that `manage_webhooks` alone cannot carry contacts out.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from penguinmails.auth.scopes import Scope

API_VERSION = "v1"
"""What webhooks that are made now are sent; each keeps the version that it was made with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events; `type`, `scope` and `description` are the same for every occurrence."""

    type: ClassVar[str]
    scope: ClassVar[Scope]
    description: ClassVar[str]
    schema_version: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactBlock:
    """The contact as events carry it."""

    id: UUID
    email: str
    first_name: str | None = None
    last_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailEvent(Event):
    """Fields that every email event has."""

    scope: ClassVar[Scope] = Scope.READ_ANALYTICS
    email_id: UUID
    campaign_id: UUID | None = None
    to: str
    subject: str
    contact: ContactBlock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSent(EmailEvent):
    """The mail server or provider took the message over."""

    type: ClassVar[str] = "email.sent"
    description: ClassVar[str] = "The mail server or provider accepted the message."
    sent_at: datetime
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailDelivered(EmailEvent):
    """The recipient's server accepted it."""

    type: ClassVar[str] = "email.delivered"
    description: ClassVar[str] = "The recipient's mail server accepted the message."
    delivered_at: datetime
    smtp_response: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailOpened(EmailEvent):
    """The tracking pixel was loaded; may repeat."""

    type: ClassVar[str] = "email.opened"
    description: ClassVar[str] = "The message was opened; may occur several times for one message."
    opened_at: datetime
    user_agent: str | None = None
    ip_address: str | None = None
    location: dict[str, str] | None = None
    is_machine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailClicked(EmailEvent):
    """A link was followed."""

    type: ClassVar[str] = "email.clicked"
    description: ClassVar[str] = "A link in the message was followed."
    url: str
    clicked_at: datetime
    user_agent: str | None = None
    ip_address: str | None = None
    is_machine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailBounced(EmailEvent):
    """Delivery failed for good (hard) or for now (soft)."""

    type: ClassVar[str] = "email.bounced"
    description: ClassVar[str] = "The message bounced, hard or soft."
    bounce_type: str
    bounce_reason: str
    bounced_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSpamReported(EmailEvent):
    """The recipient complained."""

    type: ClassVar[str] = "email.spam_reported"
    description: ClassVar[str] = "The recipient reported the message as spam."
    reported_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailUnsubscribed(EmailEvent):
    """The recipient used the unsubscribe link."""

    type: ClassVar[str] = "email.unsubscribed"
    description: ClassVar[str] = "The recipient used the unsubscribe link of the message."
    unsubscribed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailReplied(EmailEvent):
    """A reply arrived."""

    type: ClassVar[str] = "email.replied"
    scope: ClassVar[Scope] = Scope.READ_INBOX
    description: ClassVar[str] = "A reply to the message arrived."
    replied_at: datetime
    thread_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignEvent(Event):
    """Fields that every campaign event has."""

    scope: ClassVar[Scope] = Scope.MANAGE_CAMPAIGNS
    campaign_id: UUID
    name: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignLaunched(CampaignEvent):
    """First start."""

    type: ClassVar[str] = "campaign.launched"
    description: ClassVar[str] = "The campaign was started for the first time."
    launched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPaused(CampaignEvent):
    """Sends nothing until it is started again."""

    type: ClassVar[str] = "campaign.paused"
    description: ClassVar[str] = (
        "The campaign was paused: by a `user`, because its sender's domain is verified no more (`domain_lost`), or because "
        "the account's own provider takes none of its mails (`provider_refused`; `detail` is what it said)."
    )
    paused_at: datetime
    reason: str = "user"
    detail: str | None = None
    paused_by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignCompleted(CampaignEvent):
    """No recipient is left."""

    type: ClassVar[str] = "campaign.completed"
    description: ClassVar[str] = "The campaign has no recipient left."
    completed_at: datetime
    stats: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactEvent(Event):
    """Fields that every contact event has."""

    scope: ClassVar[Scope] = Scope.MANAGE_CONTACTS
    contact: ContactBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCreated(ContactEvent):
    """A contact was added."""

    type: ClassVar[str] = "contact.created"
    description: ClassVar[str] = "A contact was added."
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUpdated(ContactEvent):
    """Fields of a contact changed."""

    type: ClassVar[str] = "contact.updated"
    description: ClassVar[str] = "Fields of a contact changed."
    changed_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUnsubscribed(ContactEvent):
    """The contact opted out of everything."""

    type: ClassVar[str] = "contact.unsubscribed"
    description: ClassVar[str] = "The contact opted out of all mail."
    reason: str
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyEvent(Event):
    """Fields that every API key event has."""

    scope: ClassVar[Scope] = Scope.MANAGE_WEBHOOKS
    key_id: UUID
    name: str
    masked_key: str
    actor_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyCreated(ApiKeyEvent):
    """A key was created."""

    type: ClassVar[str] = "api_key.created"
    description: ClassVar[str] = "An API key was created."
    permissions: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked(ApiKeyEvent):
    """A key was revoked."""

    type: ClassVar[str] = "api_key.revoked"
    description: ClassVar[str] = "An API key was revoked."
    revoked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent(Event):
    """Fields that every event about a webhook has; other webhooks of the account receive it, the one concerned does not."""

    scope: ClassVar[Scope] = Scope.MANAGE_WEBHOOKS
    webhook_id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFailing(WebhookEvent):
    """Deliveries fail; told again as it comes nearer to being paused."""

    type: ClassVar[str] = "webhook.failing"
    description: ClassVar[str] = (
        "Deliveries to a webhook fail: three in a row, and again at 50, 70 and 90 percent of the way to its being paused."
    )
    consecutive_failures: int
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRecovered(WebhookEvent):
    """A delivery was taken after some had failed."""

    type: ClassVar[str] = "webhook.recovered"
    description: ClassVar[str] = "A webhook that was failing, or on trial, took a delivery."


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPaused(WebhookEvent):
    """Its events are held from now on."""

    type: ClassVar[str] = "webhook.paused"
    description: ClassVar[str] = (
        "A webhook was paused: by a `user`, after too many `failures`, or because it answered 410 (`gone`)."
    )
    reason: str
    paused_by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookResumed(WebhookEvent):
    """Its events are posted again."""

    type: ClassVar[str] = "webhook.resumed"
    description: ClassVar[str] = "A paused webhook was resumed."
    resumed_by: UUID | None = None


EVENT_TYPES: dict[str, type[Event]] = {
    kind.type: kind
    for kind in (
        EmailSent, EmailDelivered, EmailOpened, EmailClicked, EmailBounced, EmailSpamReported, EmailUnsubscribed,
        EmailReplied, CampaignLaunched, CampaignPaused, CampaignCompleted, ContactCreated, ContactUpdated,
        ContactUnsubscribed, ApiKeyCreated, ApiKeyRevoked, WebhookFailing, WebhookRecovered, WebhookPaused,
        WebhookResumed,
    )
}  # fmt: skip


def subject_of(event: Event) -> UUID | None:
    """The contact whom an event is about; the email, where its recipient is no contact; the webhook."""
    contact: Any = getattr(event, "contact", None)
    if isinstance(contact, ContactBlock):
        return contact.id
    if isinstance(event, WebhookEvent):
        return event.webhook_id
    return event.email_id if isinstance(event, EmailEvent) else None
