"""A webhook's health: failing after three failures, warnings, switched off, tried again with single posts.

It is switched off after 100 failures in a row that lasted for an hour at least, so that a burst cannot do it; its owners
are told at 50, 70 and 90 % of the way. Every change is in the audit trail, and an event for the account's other webhooks.
"""

from typing import Any
from uuid import UUID

from dispatch_webhooks import health_repository
from dispatch_webhooks.health_repository import State
from penguinmails import audit
from penguinmails.db import Tx
from penguinmails.domain.deliveries import wake_up
from penguinmails.domain.platform_mail import MailType, tell_owners_and_admins
from penguinmails.events.catalogue import WebhookFailing, WebhookPaused, WebhookRecovered
from penguinmails.events.emit import emit
from penguinmails.events.outbox import send_after_commit
from penguinmails.logging import count

FAILING_FROM = 3
OFF_FROM_FAILURES = 100
OFF_FROM_SECONDS = 3_600
_WARNINGS = (90, 70, 50)


def succeeded(tx: Tx, webhook_id: UUID) -> None:
    """A post was taken."""
    recovery = health_repository.record_success(tx, webhook_id)
    if recovery is None:
        return
    if recovery.was_probing:
        _audit(tx, "webhook_probe_succeeded", webhook_id)
    if recovery.was_failing:
        _audit(tx, "webhook_recovered", webhook_id)
    if recovery.was_failing or recovery.was_probing:
        emit(tx, WebhookRecovered(webhook_id=webhook_id, name=recovery.name))


def failed(tx: Tx, webhook_id: UUID, *, failures: int, had_success: bool, is_gone: bool, gave_up: bool) -> None:
    """So many posts failed since the last success; `gave_up` when one of them had used up its retries."""
    state = health_repository.record_failures(
        tx, webhook_id, failures=failures, had_success=had_success, failing_from=FAILING_FROM
    )
    if state is None or not state.was_active:
        return
    if state.is_failing and not state.was_failing:
        _audit(tx, "webhook_failing", webhook_id, failures=state.consecutive_failures)
        _emit_failing(tx, webhook_id, state, percent=0)
    if state.was_failing and not state.is_failing:
        _audit(tx, "webhook_recovered", webhook_id)
        emit(tx, WebhookRecovered(webhook_id=webhook_id, name=state.name))
    if is_gone:
        _switch_off(tx, webhook_id, state, "gone")
    elif state.is_probing or _progress(state) >= 100:
        _switch_off(tx, webhook_id, state, "failures")
    else:
        _warn(tx, webhook_id, state)
    # Of a receiver that is gone they have just been told that nothing is sent to it any more.
    if gave_up and state.may_be_told and not is_gone:
        health_repository.keep_told(tx, webhook_id)
        _tell(tx, "webhook_exhausted", state, failures=state.consecutive_failures)


def _progress(state: State) -> float:
    """Percent of the way to being switched off: the lesser of number and time."""
    return 100 * min(state.consecutive_failures / OFF_FROM_FAILURES, state.failing_seconds / OFF_FROM_SECONDS)


def _switch_off(tx: Tx, webhook_id: UUID, state: State, reason: str) -> None:
    health_repository.switch_off(tx, webhook_id, reason)
    send_after_commit(tx, "deliveries", [wake_up()])
    count("webhooks_switched_off_total", reason=reason)
    event = "webhook_probe_failed" if state.is_probing else "webhook_switched_off"
    _audit(tx, event, webhook_id, severity="warning", reason=reason, failures=state.consecutive_failures)
    emit(tx, WebhookPaused(webhook_id=webhook_id, name=state.name, reason=reason))
    if not state.is_probing:
        _tell(tx, "webhook_paused", state, failures=state.consecutive_failures)


def _warn(tx: Tx, webhook_id: UUID, state: State) -> None:
    reached = next((percent for percent in _WARNINGS if _progress(state) >= percent), 0)
    if reached <= state.warned_percent:
        return
    health_repository.keep_warned(tx, webhook_id, reached)
    _audit(tx, "webhook_failure_warning", webhook_id, severity="warning", percent=reached)
    _emit_failing(tx, webhook_id, state, percent=reached)
    _tell(tx, "webhook_warning", state, failures=state.consecutive_failures, percent=reached)


def _emit_failing(tx: Tx, webhook_id: UUID, state: State, *, percent: int) -> None:
    emit(
        tx,
        WebhookFailing(
            webhook_id=webhook_id,
            name=state.name,
            consecutive_failures=state.consecutive_failures,
            percent=percent,
        ),
    )


def _audit(tx: Tx, event: str, webhook_id: UUID, *, severity: audit.Severity = "info", **details: Any) -> None:
    audit.record(
        tx,
        event=event,
        actor_type="system",
        resource_type="webhook",
        resource_id=str(webhook_id),
        severity=severity,
        details=details,
    )


def _tell(tx: Tx, mail_type: MailType, state: State, **facts: int) -> None:
    """Write to the owner and the admins; the transaction that notes it decides how often, so no key is shared."""
    variables = {"webhook": state.name, **{name: str(value) for name, value in facts.items()}}
    tell_owners_and_admins(tx, mail_type, variables)
