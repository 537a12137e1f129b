"""From claimed deliveries to the post that carries them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from dispatch_webhooks.repository import Claim
from penguinmails.db import Mode
from penguinmails.ids import event_public_id
from penguinmails.webhook_posts.credentials import Credentials
from penguinmails.webhook_posts.request import Message, SignedRequest, build_batch, build_request


def request_for(
    claims: Sequence[Claim],
    credentials: Credentials,
    *,
    tenant_id: UUID,
    mode: Mode,
    now: datetime,
    traceparent: str,
) -> tuple[SignedRequest, int]:
    """The signed post of the first deliveries of a webhook that go into one, and how many that are."""
    if claims[0].batch_size == 1:
        return build_request(_message(claims[0], tenant_id, mode), credentials, now, traceparent), 1
    return build_batch([_message(claim, tenant_id, mode) for claim in claims], credentials, now, traceparent)


def _message(claim: Claim, tenant_id: UUID, mode: Mode) -> Message:
    return Message(
        delivery_id=claim.id,
        event_id=event_public_id(claim.event_id),
        event_type=claim.event_type,
        created_at=claim.event_created_at,
        api_version=claim.api_version,
        tenant_id=tenant_id,
        workspace_id=claim.workspace_id,
        is_test=mode == "test",
        data=claim.data,
        url=claim.endpoint_url,
        timeout_seconds=claim.timeout_seconds,
        attempt=claim.attempts,
        sequence=claim.sequence,
        is_replay=claim.is_replay,
    )
