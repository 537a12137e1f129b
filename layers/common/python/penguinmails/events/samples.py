"""One realistic event of each type: what the catalogue shows and what a test post sends.

Ids have the form of real ones, so that a receiver that expects UUIDs can be tried with them.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from penguinmails.events.catalogue import EVENT_TYPES, ContactBlock, Event

SAMPLE_MOMENT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
SAMPLE_EVENT_ID = UUID("0190a3c4-7d2e-7c31-8a11-5b1d5a3c0e01")

_ADA = ContactBlock(
    id=UUID("0190a3c4-7d2e-4c31-8a11-5b1d5a3c0e04"), email="ada@example.com", first_name="Ada", last_name="Lovelace"
)
_CAMPAIGN_ID = UUID("0190a3c4-7d2e-4c31-8a11-5b1d5a3c0e03")
_MAIL: dict[str, Any] = {
    "email_id": UUID("0190a3c4-7d2e-7c31-8a11-5b1d5a3c0e02"),
    "campaign_id": _CAMPAIGN_ID,
    "to": "ada@example.com",
    "subject": "A question about your roadmap",
    "contact": _ADA,
}
_CAMPAIGN: dict[str, Any] = {"campaign_id": _CAMPAIGN_ID, "name": "Spring outreach"}
_KEY: dict[str, Any] = {
    "key_id": UUID("0190a3c4-7d2e-4c31-8a11-5b1d5a3c0e05"),
    "name": "CRM sync",
    "masked_key": "pm_live_...x7Qz",
    "actor_id": UUID("0190a3c4-7d2e-4c31-8a11-5b1d5a3c0e06"),
}
_WEBHOOK: dict[str, Any] = {"webhook_id": UUID("0190a3c4-7d2e-4c31-8a11-5b1d5a3c0e09"), "name": "CRM sync"}
_BROWSER: dict[str, Any] = {"user_agent": "Mozilla/5.0 (X11; Linux x86_64)", "ip_address": "203.0.113.7"}
_PLACE = {"city": "London", "region": "England", "country": "GB"}
_AT = SAMPLE_MOMENT

_FIELDS: dict[str, dict[str, Any]] = {
    "email.sent": {**_MAIL, "sent_at": _AT, "provider": "smtp"},
    "email.delivered": {**_MAIL, "delivered_at": _AT, "smtp_response": "250 2.0.0 OK"},
    "email.opened": {**_MAIL, **_BROWSER, "opened_at": _AT, "location": _PLACE},
    "email.clicked": {**_MAIL, **_BROWSER, "clicked_at": _AT, "url": "https://example.com/pricing"},
    "email.bounced": {
        **_MAIL, "bounced_at": _AT, "bounce_type": "hard", "bounce_reason": "550 5.1.1 No such user here",
    },
    "email.spam_reported": {**_MAIL, "reported_at": _AT},
    "email.unsubscribed": {**_MAIL, "unsubscribed_at": _AT},
    "email.replied": {**_MAIL, "replied_at": _AT, "thread_id": UUID("0190a3c4-7d2e-4c31-8a11-5b1d5a3c0e07")},
    "campaign.launched": {**_CAMPAIGN, "status": "active", "launched_at": _AT},
    "campaign.paused": {**_CAMPAIGN, "status": "paused", "paused_at": _AT, "reason": "user", "paused_by": _KEY["actor_id"]},
    "campaign.completed": {
        **_CAMPAIGN, "status": "completed", "completed_at": _AT, "stats": {"sent": 480, "opened": 211, "replied": 19},
    },
    "contact.created": {"contact": _ADA, "source": "api"},
    "contact.updated": {"contact": _ADA, "changed_fields": ["first_name", "last_name"]},
    "contact.unsubscribed": {"contact": _ADA, "reason": "user_request", "method": "link"},
    "api_key.created": {**_KEY, "permissions": ["send_email", "read_analytics"]},
    "api_key.revoked": {**_KEY, "revoked_at": _AT},
    "webhook.failing": {**_WEBHOOK, "consecutive_failures": 3, "percent": 0},
    "webhook.recovered": _WEBHOOK,
    "webhook.paused": {**_WEBHOOK, "reason": "failures"},
    "webhook.resumed": {**_WEBHOOK, "resumed_by": _KEY["actor_id"]},
}  # fmt: skip


def sample_of(event_type: str) -> Event:
    """An event of this type. Raises KeyError for a type that is not in the catalogue."""
    return EVENT_TYPES[event_type](**_FIELDS[event_type])
