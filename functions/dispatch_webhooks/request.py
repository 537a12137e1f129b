"""What is posted: the envelope of an event and the headers of an attempt."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from dispatch_webhooks.repository import Claim
from dispatch_webhooks.signing import Credentials
from penguinmails.db import Mode
from penguinmails.domain.webhook_signature import signature_headers
from penguinmails.ids import delivery_public_id, event_public_id

USER_AGENT = "PenguinMails-Webhooks/1.0"
MAX_BYTES = 256 * 1024
_TEXT_LIMITS = (100_000, 30_000, 10_000, 3_000, 1_000, 300, 100)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One post, ready to be sent."""

    url: str
    headers: dict[str, str]
    custom_headers: dict[str, str] = field(repr=False)
    body: bytes
    timeout_seconds: int

    def logged_headers(self) -> dict[str, str]:
        """The headers as the log shows them: values of the customer's own are secrets."""
        return {**dict.fromkeys(self.custom_headers, "[redacted]"), **self.headers}


def build_request(
    claim: Claim, credentials: Credentials, *, tenant_id: UUID, mode: Mode, now: datetime
) -> SignedRequest:
    """The signed post of a delivery's attempt."""
    event_id = event_public_id(claim.event_id)
    body = envelope(claim, tenant_id=tenant_id, mode=mode)
    secrets = credentials.secrets_at(now)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-PenguinMails-Event": claim.event_type,
        "X-PenguinMails-Delivery-ID": delivery_public_id(claim.id),
        "X-PenguinMails-Attempt": str(claim.attempts),
        **({} if claim.sequence is None else {"X-PenguinMails-Sequence": str(claim.sequence)}),
        **signature_headers(secrets, event_id=event_id, timestamp=int(now.timestamp()), body=body),
    }
    return SignedRequest(claim.endpoint_url, headers, credentials.headers, body, claim.timeout_seconds)


def envelope(claim: Claim, *, tenant_id: UUID, mode: Mode) -> bytes:
    """The body: UTF-8 JSON without insignificant white space, the same bytes on every attempt, 256 KB at most.

    A larger event loses its longest texts, from the longest on, and says `"truncated":true`.
    """
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
    body = _encode(document)
    return body if len(body) <= MAX_BYTES else _shortened(document)


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _shortened(document: dict[str, Any]) -> bytes:
    """With texts cut to ever less, until the whole fits; without its data when even that is not enough."""
    for most in _TEXT_LIMITS:
        body = _encode({**document, "data": _cut(document["data"], most), "truncated": True})
        if len(body) <= MAX_BYTES:
            return body
    return _encode({**document, "data": None, "truncated": True})


def _cut(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return value[:most]
    if isinstance(value, list):
        return [_cut(element, most) for element in value]
    return {name: _cut(inner, most) for name, inner in value.items()} if isinstance(value, dict) else value
