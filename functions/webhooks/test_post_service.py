"""Posts that are made once because somebody asked for them: signed and guarded as any, counted nowhere."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails import clock, ratelimit
from penguinmails.db import Tx
from penguinmails.errors import Conflict
from penguinmails.ids import delivery_public_id, new_uuid4, new_uuid7, test_event_public_id
from penguinmails.tracing import FIELD as TRACEPARENT
from penguinmails.tracing import begin, carried, record
from penguinmails.webhook_posts.client import Outcome, post, run
from penguinmails.webhook_posts.credentials import credentials_of
from penguinmails.webhook_posts.request import Message, SignedRequest, build_batch, build_request
from webhooks import test_post_repository
from webhooks.repository import WebhookRow

PER_MINUTE = 30
LONGEST_SECONDS = 15
"""Somebody waits for the answer, and API Gateway does so for 29 s."""


@dataclass(frozen=True, slots=True)
class MadePost:
    """A post that was made."""

    message: Message
    request: SignedRequest
    outcome: Outcome


def take_turn(tenant_id: UUID) -> None:
    """Raises RateLimitExceeded when the account has just made many test posts: no endpoint is to be flooded by them."""
    admitted, state = ratelimit.take(f"webhook_tests:{tenant_id}", limit=PER_MINUTE, burst=PER_MINUTE)
    if not admitted:
        raise ratelimit.refuse(state, "An account's test posts have a limit of their own, which")


def message_of(
    webhook: WebhookRow, event_type: str, data: Mapping[str, Any], *, tenant_id: UUID, workspace_id: UUID | None
) -> Message:
    """The message of a test: of this moment, with an id that no event has."""
    now = clock.now()
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    return Message(
        delivery_id=new_uuid7(),
        event_id=test_event_public_id(now),
        event_type=event_type,
        created_at=now,
        api_version=webhook.api_version,
        tenant_id=tenant_id,
        workspace_id=workspace_id,
        is_test=True,
        data=data,
        url=webhook.endpoint_url,
        timeout_seconds=min(webhook.timeout_seconds, LONGEST_SECONDS),
    )


def post_now(webhook: WebhookRow, message: Message) -> MadePost:
    """Make the post and wait for the answer. Never inside a transaction: the endpoint may take its time.

    Raises Conflict when the webhook has no secret any more, VaultUnavailable when the secret store does not answer.
    """
    try:
        credentials = credentials_of(webhook.secret_ref, webhook.secret_version)
    except LookupError:
        raise Conflict(
            "The webhook's secret is gone from the secret store. Delete the webhook and add it anew."
        ) from None
    span = begin("test post", "client", traceparent=carried().get(TRACEPARENT))
    if webhook.batch_size > 1:
        request, _ = build_batch([message], credentials, clock.now(), span.traceparent)
    else:
        request = build_request(message, credentials, clock.now(), span.traceparent)
    # The client has an event loop of its own, and this thread is inside the web framework's.
    with ThreadPoolExecutor(1, "test-post") as thread:
        outcome = thread.submit(lambda: run(post(request))).result()
    record(
        span,
        failed=not outcome.is_success,
        delivery_id=delivery_public_id(message.delivery_id),
        status_code=outcome.status_code,
        error=outcome.error,
    )
    return MadePost(message, request, outcome)


def log(tx: Tx, webhook: WebhookRow, made: MadePost, started_at: datetime, *, event_id: UUID | None) -> None:
    """Show the post in the delivery log; `event_id` is that of the event whose data were posted."""
    test_post_repository.insert_test(
        tx,
        webhook.id,
        delivery_id=made.message.delivery_id,
        event_id=event_id or new_uuid4(),
        event_type=made.message.event_type,
        created_at=made.message.created_at,
        started_at=started_at,
        request_headers=made.request.logged_headers(),
        outcome=made.outcome,
    )
