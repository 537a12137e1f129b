"""What is posted: the envelope of an event and the headers of an attempt."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from dispatch_webhooks.repository import Claim
from penguinmails.db import Mode
from penguinmails.domain.webhook_signature import signature_headers
from penguinmails.ids import delivery_public_id, event_public_id

USER_AGENT = "PenguinMails-Webhooks/1.0"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One post, ready to be sent."""

    url: str
    headers: dict[str, str]
    body: bytes
    timeout_seconds: int


def build_request(claim: Claim, secret: str, *, tenant_id: UUID, mode: Mode, now: datetime) -> SignedRequest:
    """The signed post of a delivery's attempt."""
    event_id = event_public_id(claim.event_id)
    body = envelope(claim, tenant_id=tenant_id, mode=mode)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-PenguinMails-Event": claim.event_type,
        "X-PenguinMails-Delivery-ID": delivery_public_id(claim.id),
        "X-PenguinMails-Attempt": str(claim.attempts),
        **signature_headers(secret, event_id=event_id, timestamp=int(now.timestamp()), body=body),
    }
    return SignedRequest(claim.endpoint_url, headers, body, claim.timeout_seconds)


def envelope(claim: Claim, *, tenant_id: UUID, mode: Mode) -> bytes:
    """The body: UTF-8 JSON without insignificant white space, the same bytes on every attempt."""
    document: dict[str, Any] = {
        "id": event_public_id(claim.event_id),
        "type": claim.event_type,
        "created_at": claim.event_created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "api_version": claim.api_version,
        "tenant_id": str(tenant_id),
        "workspace_id": None if claim.workspace_id is None else str(claim.workspace_id),
        "test": mode == "test",
        "data": claim.data,
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
