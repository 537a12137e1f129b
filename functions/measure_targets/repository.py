"""SQL of the measurement."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Tx


def keep_response_times(tx: Tx, now: datetime) -> None:
    """Measure the windows of five minutes that are over, those of the last half hour again: calls are noted late.

    What was missed for longer is made up for, a day back at most.
    """
    tx.run(
        """
        INSERT INTO response_time_windows (starts_at, calls, p95_ms)
        SELECT date_bin('5 minutes', u.created_at, 'epoch'), count(*),
               percentile_disc(0.95) WITHIN GROUP (ORDER BY u.response_time_ms)
        FROM api_key_usage u
        WHERE u.created_at < date_bin('5 minutes', %(now)s::timestamptz, 'epoch')
          AND u.created_at >= date_bin('5 minutes', greatest(%(now)s::timestamptz - interval '1 day',
                least(%(now)s::timestamptz - interval '30 minutes', (SELECT max(starts_at) FROM response_time_windows))), 'epoch')
        GROUP BY 1
        ON CONFLICT (starts_at) DO UPDATE SET calls = excluded.calls, p95_ms = excluded.p95_ms
        """,
        {"now": now},
    )


def forget_response_times(tx: Tx, now: datetime) -> None:
    """Windows are kept for thirteen months; reports stay."""
    tx.run(
        "DELETE FROM response_time_windows WHERE starts_at < %(now)s::timestamptz - interval '13 months'", {"now": now}
    )


@dataclass(frozen=True, slots=True)
class OldestSecret:
    """Since when the oldest secret of a kind is in use."""

    kind: str
    since: datetime


def oldest_secrets(tx: Tx) -> list[OldestSecret]:
    """One for each kind of which there is any."""
    return tx.all("SELECT kind, since FROM oldest_secrets() WHERE since IS NOT NULL", {}, OldestSecret)


def is_older_than(tx: Tx, moment: datetime) -> bool:
    """Whether the platform was there before a moment."""
    return tx.one("SELECT EXISTS (SELECT FROM tenants WHERE created_at < %(moment)s)", {"moment": moment})


def staff_who_see_figures(tx: Tx) -> list[UUID]:
    """Who may open the figures is sent them; in a transaction of the platform's tenant."""
    return tx.all(
        """
        SELECT s.user_id FROM staff_members s JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
        WHERE s.is_active AND s.role IN ('super_admin', 'admin', 'support', 'finance', 'ops')
          AND u.deleted_at IS NULL AND u.email_verified_at IS NOT NULL
        ORDER BY s.user_id
        """,
        {},
    )
