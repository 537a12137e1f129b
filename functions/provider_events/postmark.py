"""Postmark's reports: https://postmarkapp.com/developer/webhooks/webhooks-overview and /bounce-webhook for bounce types."""

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from penguinmails.domain.mail_reports import Report
from provider_events.parsed import Parsed, moment_of_text, optional_text, our_id, record_of, text_of

USER = "penguinmails"
_NO_SUCH_MAILBOX = {"HardBounce", "BadEmailAddress"}
_TRIED_AGAIN = {"Transient"}
_NO_BOUNCES = {
    "AutoResponder",
    "AddressChange",
    "ChallengeVerification",
    "OpenRelayTest",
    "Subscribe",
    "VirusNotification",
}
_TIMES = {
    "Delivery": "DeliveredAt",
    "Bounce": "BouncedAt",
    "SpamComplaint": "BouncedAt",
    "SubscriptionChange": "ChangedAt",
    "Open": "ReceivedAt",
    "Click": "ReceivedAt",
}


def is_authentic(authorization: str, secret: Mapping[str, Any]) -> bool:
    """Whether the basic credentials (RFC 7617) are those that the customer got for this webhook."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        given = b64decode(encoded.strip(), validate=True)
    except ValueError:
        return False
    expected = f"{USER}:{secret['webhook_password']}".encode()
    return scheme.lower() == "basic" and compare_digest(given, expected)


def parse(body: dict[str, Any], now: datetime) -> Parsed:
    """What a report says."""
    kind = text_of(body.get("RecordType"))
    digest = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    at = moment_of_text(body.get(_TIMES.get(kind, "")), now)
    return Parsed(digest, kind[:50] or "unknown", our_id(body.get("Metadata")), _report(kind, body, at))


def _report(kind: str, body: dict[str, Any], at: datetime) -> Report | None:
    detail = text_of(body.get("Details")) or text_of(body.get("Description"))
    report: Report | None = None
    match kind:
        case "Delivery":
            report = Report(kind="delivered", source="postmark", occurred_at=at, detail=detail)
        case "Bounce":
            report = _bounce(text_of(body.get("Type")), detail, at)
        case "SpamComplaint":
            report = Report(kind="complained", source="postmark", occurred_at=at)
        case "SubscriptionChange":
            # Suppressions after bounces and complaints are reported by themselves.
            is_wish = body.get("SuppressSending") is True and body.get("SuppressionReason") == "ManualSuppression"
            report = Report(kind="unsubscribed", source="postmark", occurred_at=at) if is_wish else None
        case "Open" | "Click":
            report = Report(
                kind="opened" if kind == "Open" else "clicked",
                source="postmark",
                occurred_at=at,
                url=optional_text(body.get("OriginalLink")),
                user_agent=optional_text(body.get("UserAgent")),
                ip_address=optional_text(record_of(body.get("Geo")).get("IP")),
            )
        case _:
            pass
    return report


def _bounce(kind: str, detail: str, at: datetime) -> Report | None:
    if kind in _NO_BOUNCES:
        return None
    if kind == "Unsubscribe":
        return Report(kind="unsubscribed", source="postmark", occurred_at=at)
    if kind in {"SpamComplaint", "SpamNotification"}:
        return Report(kind="complained", source="postmark", occurred_at=at)
    return Report(
        kind="bounced",
        source="postmark",
        occurred_at=at,
        bounce="hard" if kind in _NO_SUCH_MAILBOX else "soft",
        is_final=kind not in _TRIED_AGAIN,
        detail=detail or kind,
    )
