"""Attempts a batch of deliveries: claim each, post all at once outside any transaction, record each."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch_webhooks import repository
from dispatch_webhooks.client import Outcome, post_all
from dispatch_webhooks.repository import Claim
from dispatch_webhooks.request import SignedRequest, build_request
from penguinmails import clock
from penguinmails.aws import MAX_DELAY_SECONDS
from penguinmails.db import Tx, transaction
from penguinmails.domain.deliveries import DeliveryRef, message
from penguinmails.domain.webhook_retries import delay_seconds
from penguinmails.events.outbox import send_after_commit
from penguinmails.ids import delivery_public_id, event_public_id
from penguinmails.logging import count, duration, seconds
from penguinmails.queue import Record
from penguinmails.tracing import FIELD, traced
from penguinmails.vault import read_secret

FAILING_FROM = 3
_SECRET_LIFE_SECONDS = 300
_SWEEP_SLACK_SECONDS = 60
_secrets: dict[str, tuple[float, str]] = {}


@dataclass(frozen=True, slots=True)
class _Attempt:
    position: int
    record: Record
    claim: Claim
    request: SignedRequest
    started_at: datetime


def handle(records: Sequence[Record]) -> list[Exception | None]:
    """Attempt what is due among the records; per record the error that it should be delivered again for.

    A failed post is not such an error: it is recorded, and its retry is planned in PostgreSQL.
    """
    outcomes: list[Exception | None] = [None] * len(records)
    attempts: list[_Attempt] = []
    for position, record in enumerate(records):
        try:
            attempt = _prepare(position, record)
        except Exception as error:  # the record is reported alone, whatever went wrong with it
            outcomes[position] = error
        else:
            attempts += [attempt] if attempt else []
    for attempt, outcome in zip(attempts, post_all([a.request for a in attempts]), strict=True):
        try:
            _record(attempt, outcome)
        except Exception as error:
            outcomes[attempt.position] = error
    return outcomes


def _prepare(position: int, record: Record) -> _Attempt | None:
    created_at = datetime.fromisoformat(record.body["event_created_at"])
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        claim = repository.claim(tx, UUID(record.body["delivery_id"]), created_at)
        if claim is None:
            repository.end_if_webhook_is_deleted(tx, UUID(record.body["delivery_id"]), created_at)
            return None
        # Inside the transaction, so that a claim whose secret cannot be read is undone and costs no attempt.
        secret = _secret(claim.secret_ref)
    now = clock.now()
    request = build_request(claim, secret, tenant_id=record.tenant_id, mode=record.mode, now=now)
    return _Attempt(position, record, claim, request, now)


def _secret(reference: str) -> str:
    """A webhook's secret, kept in memory for five minutes so that deliveries go on while Vault is away."""
    known = _secrets.get(reference)
    if known is not None and known[0] > time.monotonic():
        return known[1]
    secret = read_secret(reference)
    if secret is None:
        raise LookupError("the webhook has no secret in Vault")
    _secrets[reference] = (time.monotonic() + _SECRET_LIFE_SECONDS, secret.data["secret"])
    return secret.data["secret"]


def _record(attempt: _Attempt, outcome: Outcome) -> None:
    with traced(
        "dispatch_webhooks",
        "client",
        traceparent=attempt.record.body.get(FIELD),
        tenant_id=str(attempt.record.tenant_id),
        delivery_id=delivery_public_id(attempt.claim.id),
        event_id=event_public_id(attempt.claim.event_id),
        attempt=attempt.claim.attempts,
        status_code=outcome.status_code,
        error=outcome.error,
    ) as span:
        # The post is what took the time, and it was over before the record was begun.
        span.started_ns = int(attempt.started_at.timestamp() * 1e9)
        _keep(attempt, outcome)


def _keep(attempt: _Attempt, outcome: Outcome) -> None:
    claim, record = attempt.claim, attempt.record
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        repository.insert_attempt(tx, claim, _log_of(attempt, outcome))
        if outcome.is_success:
            status = "success"
            repository.finish(tx, claim, status)
            repository.record_success(tx, claim.webhook_id)
        else:
            status = _fail(tx, claim, outcome)
    if claim.attempts == 0:
        seconds("webhook_dispatch_lag_seconds", (attempt.started_at - claim.event_created_at).total_seconds())
    count("webhook_deliveries_total", status=status, event=claim.event_type)
    duration("webhook_attempt_duration_ms", outcome.duration_ms, status=status)


def _fail(tx: Tx, claim: Claim, outcome: Outcome) -> str:
    """Plan the next retry, or give up; the new status."""
    is_gone = outcome.status_code == 410
    repository.record_failure(tx, claim.webhook_id, failing_from=FAILING_FROM, pause=is_gone)
    retry = claim.attempts + 1
    if is_gone or not claim.retry_enabled or retry > claim.max_retries:
        repository.finish(tx, claim, "failed")
        return "failed"
    asked = outcome.retry_after if outcome.status_code in {429, 503} else None
    delay = delay_seconds(retry, retry_after=asked)
    by_queue = delay <= MAX_DELAY_SECONDS
    repository.plan_retry(tx, claim, delay_seconds=delay, sweep_slack_seconds=_SWEEP_SLACK_SECONDS if by_queue else 0)
    if by_queue:
        reference = DeliveryRef(claim.id, claim.event_created_at)
        send_after_commit(tx, "deliveries", [message(reference)], delay_seconds=delay)
    return "pending_retry"


def _log_of(attempt: _Attempt, outcome: Outcome) -> dict[str, Any]:
    return {
        "attempted_at": attempt.started_at,
        "duration_ms": outcome.duration_ms,
        "status_code": outcome.status_code,
        "request_headers": attempt.request.headers,
        "response_headers": outcome.headers,
        "response_body": outcome.body,
        "error_message": outcome.error,
    }
