"""Mailgun's reports: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads.

They are signed (/securing-webhooks): HMAC-SHA256 over timestamp and token, with the account's signing key. The signature
does not cover the content, so a token is good for one report only, and not for long.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from penguinmails.domain.bounces import Bounce, bounce_of
from penguinmails.domain.mail_reports import Kind, Report
from provider_events.parsed import Parsed, moment_of_seconds, optional_text, our_id, record_of, text_of

FRESH_SECONDS = 300
_SUPPRESSED_AFTER_A_BOUNCE = 605
_KINDS: dict[str, Kind] = {
    "delivered": "delivered",
    "failed": "bounced",
    "bounced": "bounced",
    "dropped": "bounced",
    "opened": "opened",
    "clicked": "clicked",
    "unsubscribed": "unsubscribed",
    "complained": "complained",
}


def token_of(body: dict[str, Any]) -> str:
    """What makes a signature unique."""
    return text_of(_signature(body).get("token"))


def is_authentic(body: dict[str, Any], secret: Mapping[str, Any], now: datetime) -> bool:
    """Whether a report was signed with the account's key, less than five minutes ago."""
    signature = _signature(body)
    timestamp, token = text_of(signature.get("timestamp")), text_of(signature.get("token"))
    key = str(secret["signing_key"]).encode()
    expected = hmac.new(key, f"{timestamp}{token}".encode(), sha256).hexdigest()
    given = text_of(signature.get("signature"))
    if not token or not given.isascii() or not hmac.compare_digest(expected, given):
        return False
    return timestamp.isdecimal() and abs(now.timestamp() - float(timestamp[:15])) <= FRESH_SECONDS


def parse(body: dict[str, Any], now: datetime) -> Parsed:
    """What a report says, in its present form or in the flat one of old."""
    data = record_of(body.get("event-data")) or body
    name = text_of(data.get("event"))
    key = text_of(data.get("id"))[:200] or token_of(body)
    email_id = our_id(data.get("user-variables")) or our_id(data)
    at = moment_of_seconds(data.get("timestamp"), now)
    return Parsed(key, name[:50] or "unknown", email_id, _report(name, data, at))


def _report(name: str, data: dict[str, Any], at: datetime) -> Report | None:
    kind = _KINDS.get(name)
    if kind is None:
        return None
    status = record_of(data.get("delivery-status"))
    detail = (
        text_of(status.get("message"))
        or text_of(status.get("description"))
        or text_of(data.get("error"))
        or text_of(data.get("description"))
        or text_of(data.get("reason"))
    )
    bounce, is_final = _bounce(data, status, detail) if kind == "bounced" else (None, True)
    return Report(
        kind=kind,
        source="mailgun",
        occurred_at=at,
        bounce=bounce,
        is_final=is_final,
        detail=detail,
        url=optional_text(data.get("url")),
        user_agent=optional_text(record_of(data.get("client-info")).get("user-agent")),
        ip_address=optional_text(data.get("ip")),
    )


def _bounce(data: dict[str, Any], status: dict[str, Any], detail: str) -> tuple[Bounce, bool]:
    """Hard or soft, and whether Mailgun has given up."""
    if data.get("severity") == "temporary":
        return "soft", False
    code = text_of(status.get("code") or data.get("code"))
    number = int(code) if code.isdecimal() and len(code) == 3 else 0
    if number == _SUPPRESSED_AFTER_A_BOUNCE or number < 500:
        return "hard", True
    if number >= 600:
        return "soft", True
    return bounce_of(number, f"{text_of(status.get('enhanced-code'))} {detail}", "recipient") or "soft", True


def _signature(body: dict[str, Any]) -> dict[str, Any]:
    return record_of(body.get("signature")) or body
