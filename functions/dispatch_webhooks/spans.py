"""The span of each attempt, in the trace of what it is made for."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from dispatch_webhooks.repository import Claim
from penguinmails import tracing
from penguinmails.ids import delivery_public_id, event_public_id
from penguinmails.webhook_posts.client import Outcome


def of_attempt(claim: Claim, traces: Mapping[UUID, Any], *, started_ns: int | None = None) -> tracing.Span:
    """A span that begins now, or began when the post did that several share; `traces` has what messages carried."""
    # A retry by hand belongs to who asked for it; what came by a sweep to what raised the event.
    span = tracing.begin("dispatch_webhooks", "client", traceparent=traces.get(claim.id) or claim.traceparent)
    span.started_ns = started_ns or span.started_ns
    return span


def record_attempt(span: tracing.Span, claim: Claim, outcome: Outcome, *, tenant_id: UUID) -> None:
    """Write the line of a span, which ends now."""
    tracing.record(
        span,
        failed=not outcome.is_success,
        tenant_id=str(tenant_id),
        delivery_id=delivery_public_id(claim.id),
        event_id=event_public_id(claim.event_id),
        attempt=claim.attempts,
        status_code=outcome.status_code,
        error=outcome.error,
    )
