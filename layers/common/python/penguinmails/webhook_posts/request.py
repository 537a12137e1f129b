"""What is posted: the envelope of an event and the headers of an attempt."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from penguinmails.domain.webhook_signature import signature_headers
from penguinmails.ids import delivery_public_id, new_uuid7
from penguinmails.webhook_posts.credentials import Credentials

USER_AGENT = "PenguinMails-Webhooks/1.0"
MAX_BYTES = 256 * 1024
BATCH_HEADER = "X-PenguinMails-Batch-ID"
BATCH_PREFIX = "bat_"
_BATCH_HEAD, _BATCH_TAIL = b'{"events":[', b"]}"
_TEXT_LIMITS = (100_000, 30_000, 10_000, 3_000, 1_000, 300, 100)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One post, ready to be sent."""

    url: str
    headers: dict[str, str]
    custom_headers: dict[str, str] = field(repr=False)
    body: bytes
    timeout_seconds: int
    tenant_id: UUID
    """Whose post it is."""

    def logged_headers(self) -> dict[str, str]:
        """The headers as the log shows them: values of the customer's own are secrets."""
        return {**dict.fromkeys(self.custom_headers, "[redacted]"), **self.headers}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event on its way to a webhook, and the attempt that is to be made."""

    delivery_id: UUID
    event_id: str
    """As receivers know it, `evt_...`."""
    event_type: str
    created_at: datetime
    api_version: str
    tenant_id: UUID
    workspace_id: UUID | None
    is_test: bool
    data: Any
    url: str
    timeout_seconds: int
    attempt: int = 0
    sequence: int | None = None
    is_replay: bool = False


def build_request(message: Message, credentials: Credentials, now: datetime, traceparent: str) -> SignedRequest:
    """The signed post of an attempt that is made now; `traceparent` lets the receiver join its own trace to ours."""
    body = envelope(message)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-PenguinMails-Event": message.event_type,
        "X-PenguinMails-Delivery-ID": delivery_public_id(message.delivery_id),
        "X-PenguinMails-Attempt": str(message.attempt),
        **({} if message.sequence is None else {"X-PenguinMails-Sequence": str(message.sequence)}),
        **({"X-PenguinMails-Replay": "true"} if message.is_replay else {}),
        "traceparent": traceparent,
        **signature_headers(
            credentials.secrets_at(now), event_id=message.event_id, timestamp=int(now.timestamp()), body=body
        ),
    }
    return SignedRequest(message.url, headers, credentials.headers, body, message.timeout_seconds, message.tenant_id)


def build_batch(
    messages: Sequence[Message], credentials: Credentials, now: datetime, traceparent: str
) -> tuple[SignedRequest, int]:
    """The signed post of the first messages to a webhook that fit into one, and how many that are: one at least."""
    parts: list[bytes] = []
    room = MAX_BYTES - len(_BATCH_HEAD) - len(_BATCH_TAIL)
    for message in messages:
        part = _part(message)
        room -= len(part) + bool(parts)
        if parts and room < 0:
            break
        parts.append(part)
    body = _BATCH_HEAD + b",".join(parts) + _BATCH_TAIL
    batch_id = f"{BATCH_PREFIX}{new_uuid7().hex}"
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-PenguinMails-Event": "batch",
        BATCH_HEADER: batch_id,
        "X-PenguinMails-Batch-Size": str(len(parts)),
        "traceparent": traceparent,
        **signature_headers(credentials.secrets_at(now), event_id=batch_id, timestamp=int(now.timestamp()), body=body),
    }
    first = messages[0]
    request = SignedRequest(first.url, headers, credentials.headers, body, first.timeout_seconds, first.tenant_id)
    return request, len(parts)


def _part(message: Message) -> bytes:
    """An event as it is posted alone, and what the headers say there."""
    said = b',"delivery":' + _encode(
        {
            "id": delivery_public_id(message.delivery_id),
            "attempt": message.attempt,
            "sequence": message.sequence,
            "replay": message.is_replay,
        }
    )
    room = MAX_BYTES - len(_BATCH_HEAD) - len(_BATCH_TAIL) - len(said) - len(b"}")
    return envelope(message, most=room)[: -len(b"}")] + said + b"}"


def envelope(message: Message, *, most: int = MAX_BYTES) -> bytes:
    """The body: UTF-8 JSON without insignificant white space, the same bytes on every attempt, `most` bytes at most.

    A larger event loses its longest texts, from the longest on, and says `"truncated":true`.
    """
    document: dict[str, Any] = {
        "id": message.event_id,
        "type": message.event_type,
        "created_at": message.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "api_version": message.api_version,
        "tenant_id": str(message.tenant_id),
        "workspace_id": None if message.workspace_id is None else str(message.workspace_id),
        "test": message.is_test,
        "data": message.data,
    }
    body = _encode(document)
    return body if len(body) <= most else _shortened(document, most)


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _shortened(document: dict[str, Any], most_bytes: int) -> bytes:
    """With texts cut to ever less, until the whole fits; without its data when even that is not enough."""
    for most in _TEXT_LIMITS:
        body = _encode({**document, "data": _cut(document["data"], most), "truncated": True})
        if len(body) <= most_bytes:
            return body
    return _encode({**document, "data": None, "truncated": True})


def _cut(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return value[:most]
    if isinstance(value, list):
        return [_cut(element, most) for element in value]
    return {name: _cut(inner, most) for name, inner in value.items()} if isinstance(value, dict) else value
