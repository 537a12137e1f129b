"""What becomes of deliveries after an attempt, or when none could be made: decided here, stored a batch at a time."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch_webhooks import health, ordering_repository, recording_repository
from dispatch_webhooks.repository import Claim
from penguinmails.aws import MAX_DELAY_SECONDS
from penguinmails.db import Tx, jsonb
from penguinmails.domain.deliveries import DeliveryRef, messages
from penguinmails.domain.webhook_retries import delay_seconds
from penguinmails.events.outbox import send_after_commit
from penguinmails.logging import count, distribution, logger
from penguinmails.webhook_posts.client import Outcome
from penguinmails.webhook_posts.request import BATCH_HEADER, BATCH_PREFIX

RETRIES_STAND_BACK_SECONDS = 300
"""How much further back a parked retry stands than a parked first attempt."""
_SWEEP_SLACK_SECONDS = 60
_GRACE_SECONDS = 5
"""How long the queue's message of a delivery that was put off is waited for."""
_HEALTHY_SECONDS = 10
_noted_healthy: dict[UUID, float] = {}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A post that was made, and what came of it."""

    claim: Claim
    started_at: datetime
    request_headers: dict[str, str]
    outcome: Outcome
    leads: bool = True
    """Of those that shared a post, one alone counts for the webhook's health."""


@dataclass(frozen=True, slots=True)
class Untried:
    """A claimed delivery that was not posted: it is parked, or put off by some seconds."""

    claim: Claim
    put_off_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    claim: Claim
    status: str
    attempt: Attempt | None = None
    retry_in: int | None = None
    sweep_in: int | None = None
    park_in: int | None = None
    put_off: int | None = None


def record(tx: Tx, attempts: Sequence[Attempt], untried: Sequence[Untried]) -> None:
    """Store what came of a batch of one tenant, and let retries that are due soon come back by the queue."""
    delays: dict[tuple[int, int], int] = {}
    verdicts = [*(_judge(attempt, delays) for attempt in attempts), *map(_give_back, untried)]
    if not verdicts:
        return
    settled = recording_repository.store(tx, _columns(verdicts))
    if len(settled) < len(verdicts):
        logger.warning("outcomes came after the lease", extra={"deliveries": len(verdicts) - len(settled)})
        count("webhook_outcome_after_lease_total", value=len(verdicts) - len(settled))
    ended = {
        (verdict.claim.webhook_id, verdict.claim.order_key)
        for verdict in verdicts
        if verdict.claim.order_key and verdict.status in {"success", "failed"}
    }
    if ended:
        ordering_repository.release(tx, ended)
    _record_health(tx, verdicts)
    _come_back(tx, [verdict for verdict in verdicts if verdict.claim.id in settled])
    _measure(verdicts)


def _judge(attempt: Attempt, delays: dict[tuple[int, int], int]) -> _Verdict:
    """`delays` has those of the batch so far: what shared a post comes back together."""
    claim, outcome = attempt.claim, attempt.outcome
    if outcome.is_success:
        return _Verdict(claim, "success", attempt)
    retry = claim.attempts + 1
    if outcome.is_gone or not claim.retry_enabled or retry > claim.max_retries:
        return _Verdict(claim, "failed", attempt)
    asked = outcome.retry_after if outcome.status_code in {429, 503} else None
    delay = delays.setdefault((id(outcome), retry), delay_seconds(retry, retry_after=asked))
    slack = _SWEEP_SLACK_SECONDS if delay <= MAX_DELAY_SECONDS else 0
    return _Verdict(claim, "pending_retry", attempt, retry_in=delay, sweep_in=delay + slack)


def _give_back(untried: Untried) -> _Verdict:
    claim, put_off = untried.claim, untried.put_off_seconds
    is_retry = claim.attempts > 0
    stands_back = is_retry and not claim.gathers
    return _Verdict(
        claim,
        "pending_retry" if is_retry else "queued",
        retry_in=put_off or 0 if is_retry else None,
        sweep_in=None if put_off is None else put_off + _GRACE_SECONDS,
        park_in=None if put_off is not None else RETRIES_STAND_BACK_SECONDS if stands_back else 0,
        put_off=put_off,
    )


def _columns(verdicts: Sequence[_Verdict]) -> dict[str, list[Any]]:
    attempts = [verdict.attempt for verdict in verdicts]
    return {
        "ids": [verdict.claim.id for verdict in verdicts],
        "moments": [verdict.claim.event_created_at for verdict in verdicts],
        "attempts": [verdict.claim.attempts for verdict in verdicts],
        "statuses": [verdict.status for verdict in verdicts],
        "tried": [attempt is not None for attempt in attempts],
        "retry_in": [verdict.retry_in for verdict in verdicts],
        "sweep_in": [verdict.sweep_in for verdict in verdicts],
        "park_in": [verdict.park_in for verdict in verdicts],
        "attempted_at": [a and a.started_at for a in attempts],
        "durations": [a and a.outcome.duration_ms for a in attempts],
        "status_codes": [a and a.outcome.status_code for a in attempts],
        "request_headers": [a and jsonb(a.request_headers) for a in attempts],
        "response_headers": [a and jsonb(a.outcome.headers) for a in attempts],
        "bodies": [a and a.outcome.body for a in attempts],
        "errors": [a and a.outcome.error for a in attempts],
        "timings": [a and jsonb(a.outcome.timing.document()) for a in attempts],
        "batch_ids": [a and _batch_of(a) for a in attempts],
        "webhook_ids": [verdict.claim.webhook_id for verdict in verdicts],
        "replays": [verdict.claim.is_replay for verdict in verdicts],
    }


def _batch_of(attempt: Attempt) -> UUID | None:
    """The post that several deliveries shared."""
    name = attempt.request_headers.get(BATCH_HEADER)
    return UUID(name.removeprefix(BATCH_PREFIX)) if name else None


def _record_health(tx: Tx, verdicts: Sequence[_Verdict]) -> None:
    by_webhook: dict[UUID, list[_Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.attempt is not None:
            by_webhook[verdict.claim.webhook_id].append(verdict)
    # In one order for all workers, or two of them could wait for each other.
    for webhook_id in sorted(by_webhook):
        found = by_webhook[webhook_id]
        failures = 0
        for verdict in found:
            failures = 0 if verdict.status == "success" else failures + _counts(verdict)
        if failures:
            _noted_healthy.pop(webhook_id, None)
            health.failed(
                tx,
                webhook_id,
                failures=failures,
                had_success=any(verdict.status == "success" for verdict in found),
                is_gone=any(verdict.attempt is not None and verdict.attempt.outcome.is_gone for verdict in found),
                gave_up=any(verdict.status == "failed" for verdict in found),
            )
        elif found[-1].claim.is_troubled or _noted_healthy.get(webhook_id, 0) < time.monotonic():
            _noted_healthy[webhook_id] = time.monotonic() + _HEALTHY_SECONDS
            health.succeeded(tx, webhook_id)


def _counts(verdict: _Verdict) -> bool:
    return verdict.attempt is not None and verdict.attempt.leads


def _come_back(tx: Tx, verdicts: Sequence[_Verdict]) -> None:
    """By the queue's delay; delays are whole seconds, so that those of one second share a message.

    A second later than due, where the queue can: nothing is posted early, and what comes early waits for the sweep.
    """
    by_delay: dict[int, list[DeliveryRef]] = defaultdict(list)
    for verdict in verdicts:
        delay = verdict.retry_in if verdict.attempt is not None else verdict.put_off
        if delay is not None and delay <= MAX_DELAY_SECONDS:
            by_delay[min(delay + 1, MAX_DELAY_SECONDS)].append(
                DeliveryRef(verdict.claim.id, verdict.claim.event_created_at)
            )
    found = [(message, delay) for delay, references in by_delay.items() for message in messages(references)]
    send_after_commit(tx, "deliveries", [message for message, _ in found], delays=[delay for _, delay in found])


def _measure(verdicts: Sequence[_Verdict]) -> None:
    tried = [(verdict, verdict.attempt) for verdict in verdicts if verdict.attempt is not None]
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    for verdict, attempt in tried:
        took[verdict.status, verdict.claim.event_type].append(float(attempt.outcome.duration_ms))
    for (status, event), durations in took.items():
        count("webhook_deliveries_total", len(durations), status=status, event=event)
        distribution("webhook_attempt_duration_ms", durations, unit="ms", status=status, event=event)
    lags = [
        (attempt.started_at - verdict.claim.event_created_at).total_seconds()
        for verdict, attempt in tried
        if verdict.claim.attempts == 0
    ]
    distribution("webhook_dispatch_lag_seconds", lags, unit="s")
    parked = sum(verdict.park_in is not None for verdict in verdicts)
    if parked:
        count("webhook_deliveries_parked_total", parked)
