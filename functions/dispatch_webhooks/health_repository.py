"""SQL of a webhook's health."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a webhook was before a success."""

    name: str
    was_failing: bool
    was_probing: bool


@dataclass(frozen=True, slots=True)
class State:
    """A webhook after failures were counted; its row stays locked until the transaction ends."""

    name: str
    was_active: bool
    was_failing: bool
    is_failing: bool
    is_probing: bool
    consecutive_failures: int
    failing_seconds: float
    warned_percent: int
    told_at: datetime | None
    may_be_told: bool
    """Whether its owners have not been told of a given-up delivery for 24 hours."""


def record_success(tx: Tx, webhook_id: UUID) -> Recovery | None:
    """Clear the failures; None when a healthy webhook was noted as such within ten seconds, so that its row is not fought for."""
    return tx.one(
        """
        UPDATE webhooks w
        SET consecutive_failures = 0, is_failing = false, failing_since = NULL, warned_percent = 0, is_probing = false,
            last_success_at = clock_timestamp()
        FROM (SELECT id, name, is_failing, is_probing FROM webhooks WHERE id = %(id)s FOR UPDATE) b
        WHERE w.id = b.id
          AND (w.consecutive_failures > 0 OR w.is_probing OR w.last_success_at IS NULL
               OR w.last_success_at < clock_timestamp() - interval '10 seconds')
        RETURNING b.name, b.is_failing AS was_failing, b.is_probing AS was_probing
        """,
        {"id": webhook_id},
        Recovery,
    )


def record_failures(tx: Tx, webhook_id: UUID, *, failures: int, had_success: bool, failing_from: int) -> State | None:
    """Count failures after the last success; from `failing_from` in a row on the webhook is failing."""
    return tx.one(
        """
        UPDATE webhooks w
        SET consecutive_failures = n.failures, last_failure_at = clock_timestamp(), failing_since = n.since,
            is_failing = n.failures >= %(failing_from)s,
            warned_percent = CASE WHEN %(had_success)s THEN 0 ELSE w.warned_percent END,
            is_probing = w.is_probing AND NOT %(had_success)s,
            last_success_at = CASE WHEN %(had_success)s THEN clock_timestamp() ELSE w.last_success_at END
        FROM (
          SELECT id, is_failing,
                 CASE WHEN %(had_success)s THEN 0 ELSE consecutive_failures END + %(failures)s AS failures,
                 CASE WHEN %(had_success)s THEN clock_timestamp() ELSE coalesce(failing_since, clock_timestamp()) END AS since
          FROM webhooks WHERE id = %(id)s FOR UPDATE
        ) n
        WHERE w.id = n.id
        RETURNING w.name, w.is_active AS was_active, n.is_failing AS was_failing, w.is_failing, w.is_probing,
                  w.consecutive_failures, extract(epoch FROM clock_timestamp() - n.since)::float8 AS failing_seconds,
                  w.warned_percent, w.exhaustion_told_at AS told_at,
                  w.exhaustion_told_at IS NULL
                    OR w.exhaustion_told_at < clock_timestamp() - interval '24 hours' AS may_be_told
        """,
        {"id": webhook_id, "failures": failures, "had_success": had_success, "failing_from": failing_from},
        State,
    )


def switch_off(tx: Tx, webhook_id: UUID, reason: str) -> None:
    """Post nothing more. What waits is held a piece at a time, by whoever comes upon it: it may be more than one statement."""
    tx.run(
        "UPDATE webhooks SET is_active = false, is_probing = false, paused_reason = %(reason)s WHERE id = %(id)s",
        {"id": webhook_id, "reason": reason},
    )


def keep_warned(tx: Tx, webhook_id: UUID, percent: int) -> None:
    """Note what its owners were told."""
    tx.run("UPDATE webhooks SET warned_percent = %(percent)s WHERE id = %(id)s", {"id": webhook_id, "percent": percent})


def keep_told(tx: Tx, webhook_id: UUID) -> None:
    """Note that its owners were told of a delivery that was given up."""
    tx.run("UPDATE webhooks SET exhaustion_told_at = clock_timestamp() WHERE id = %(id)s", {"id": webhook_id})
