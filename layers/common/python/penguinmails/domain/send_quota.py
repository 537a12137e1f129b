"""The plan's quota of emails per calendar month (UTC)."""

from penguinmails.db import Tx


def monthly_limit(tx: Tx) -> int | None:
    """Emails that the tenant may send in a calendar month; None is unlimited."""
    return tx.one("SELECT max_emails_per_month FROM tenant_limits WHERE tenant_id = %(id)s", {"id": tx.tenant_id})


def sent_this_month(tx: Tx) -> int:
    """Emails that count for the present month."""
    return tx.one(
        """
        SELECT coalesce(max(value), 0) FROM usage_counters
        WHERE metric = 'emails' AND period_start = date_trunc('month', now() AT TIME ZONE 'UTC')::date
        """,
        {},
    )


def count_towards_limit(tx: Tx, number: int, limit: int | None) -> bool:
    """Count emails of this calendar month (UTC); False, and nothing counted, when the limit would be passed."""
    counted = tx.one(
        """
        INSERT INTO usage_counters AS u (tenant_id, metric, period_start, value)
        SELECT %(tenant_id)s, 'emails', date_trunc('month', now() AT TIME ZONE 'UTC')::date, %(number)s
        WHERE %(limit)s::bigint IS NULL OR %(number)s <= %(limit)s::bigint
        ON CONFLICT (tenant_id, metric, period_start) DO UPDATE SET value = u.value + excluded.value
        WHERE %(limit)s::bigint IS NULL OR u.value + excluded.value <= %(limit)s::bigint
        RETURNING value
        """,
        {"tenant_id": tx.tenant_id, "number": number, "limit": limit},
    )
    return counted is not None
