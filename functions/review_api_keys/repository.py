"""SQL of the review of API keys."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class Concern:
    """A key that somebody should look at; `facts` is what the mail says of it, all as text."""

    id: UUID
    tenant_id: UUID
    name: str
    key_prefix: str
    key_last4: str
    created_by: UUID
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Recordable:
    """A key whose record in Vault is behind; `facts` is what the record shall say, all as text."""

    id: UUID
    tenant_id: UUID
    is_record_removed: bool
    facts: dict[str, str]


def failing_keys(tx: Tx, batch: int) -> list[Concern]:
    """Keys with over 20 % errors among at least 100 requests, or over 50 refusals, in five minutes; told once an hour."""
    return tx.all(
        """
        SELECT k.id, k.tenant_id, k.name, k.key_prefix, k.key_last4, k.created_by,
               jsonb_build_object('requests', u.requests::text, 'errors', u.errors::text,
                                  'limited', u.limited::text) AS facts
        FROM (
          SELECT tenant_id, api_key_id, count(*) AS requests, count(*) FILTER (WHERE status_code >= 400) AS errors,
                 count(*) FILTER (WHERE status_code = 429) AS limited
          FROM api_key_usage WHERE created_at > now() - interval '5 minutes'
          GROUP BY tenant_id, api_key_id
        ) u
        JOIN api_keys k ON k.tenant_id = u.tenant_id AND k.id = u.api_key_id
        WHERE (u.requests >= 100 AND u.errors * 5 > u.requests OR u.limited > 50)
          AND k.status = 'active' AND coalesce(k.alerted_at < now() - interval '1 hour', true)
        LIMIT %(batch)s
        """,
        {"batch": batch},
        Concern,
    )


def old_keys(tx: Tx, batch: int) -> list[Concern]:
    """Keys whose secret is 90 days old, told once and then every 30 days."""
    return tx.all(
        """
        SELECT id, tenant_id, name, key_prefix, key_last4, created_by,
               jsonb_build_object('since', to_char(coalesce(regenerated_at, created_at) AT TIME ZONE 'UTC',
                                                   'YYYY-MM-DD')) AS facts
        FROM api_keys
        WHERE status = 'active' AND coalesce(regenerated_at, created_at) < now() - interval '90 days'
          AND (expires_at IS NULL OR expires_at > now())
          AND coalesce(greatest(age_reminded_at, regenerated_at) < now() - interval '30 days', true)
        LIMIT %(batch)s
        """,
        {"batch": batch},
        Concern,
    )


def expiring_keys(tx: Tx, batch: int) -> list[Concern]:
    """Keys that expire within seven days, told once per expiry."""
    return tx.all(
        """
        SELECT id, tenant_id, name, key_prefix, key_last4, created_by,
               jsonb_build_object('expires_at', to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')) AS facts
        FROM api_keys
        WHERE status = 'active' AND expires_at BETWEEN now() AND now() + interval '7 days'
          AND coalesce(expiry_reminded_at < expires_at - interval '7 days', true)
        LIMIT %(batch)s
        """,
        {"batch": batch},
        Concern,
    )


def mark_alerted(tx: Tx, concern: Concern) -> datetime | None:
    """Note the alert; None when another run was first."""
    return tx.one(
        """
        UPDATE api_keys SET alerted_at = clock_timestamp()
        WHERE id = %(id)s AND coalesce(alerted_at < now() - interval '1 hour', true)
        RETURNING alerted_at
        """,
        {"id": concern.id},
    )


def mark_age_reminded(tx: Tx, concern: Concern) -> datetime | None:
    """Note the reminder; None when another run was first."""
    return tx.one(
        """
        UPDATE api_keys SET age_reminded_at = clock_timestamp()
        WHERE id = %(id)s AND coalesce(age_reminded_at < now() - interval '30 days', true)
        RETURNING age_reminded_at
        """,
        {"id": concern.id},
    )


def mark_expiry_reminded(tx: Tx, concern: Concern) -> datetime | None:
    """Note the warning; None when another run was first."""
    return tx.one(
        """
        UPDATE api_keys SET expiry_reminded_at = clock_timestamp()
        WHERE id = %(id)s AND coalesce(expiry_reminded_at < expires_at - interval '7 days', true)
        RETURNING expiry_reminded_at
        """,
        {"id": concern.id},
    )


def recipient_of(tx: Tx, created_by: UUID) -> UUID | None:
    """The key's maker, else the owner who has been there longest."""
    return tx.one(
        """
        SELECT id FROM users
        WHERE deleted_at IS NULL AND (id = %(created_by)s OR role = 'owner')
        ORDER BY (id = %(created_by)s) DESC, created_at LIMIT 1
        """,
        {"created_by": created_by},
    )


def keys_to_record(tx: Tx, batch: int) -> list[Recordable]:
    """Keys that were revoked since they were recorded, or used and not recorded for a day."""
    return tx.all(
        """
        SELECT k.id, k.tenant_id, k.is_record_removed,
               jsonb_build_object(
                 'status', k.status, 'last_used', coalesce(k.last_used_at::text, 'never'),
                 'request_count', coalesce(sum(u.requests), 0)::text, 'error_count', coalesce(sum(u.errors), 0)::text
               ) AS facts
        FROM (
          SELECT * FROM api_keys
          WHERE revoked_at > coalesce(recorded_at, '-infinity')
             OR (status = 'active' AND last_used_at > coalesce(recorded_at, '-infinity')
                 AND coalesce(recorded_at, created_at) < now() - interval '1 day')
          LIMIT %(batch)s
        ) k
        LEFT JOIN api_key_usage_daily u ON u.tenant_id = k.tenant_id AND u.api_key_id = k.id
        GROUP BY k.id, k.tenant_id, k.is_record_removed, k.status, k.last_used_at
        """,
        {"batch": batch},
        Recordable,
    )


def mark_recorded(tx: Tx, key: Recordable) -> None:
    """Note that the record in Vault says what this row says."""
    tx.run("UPDATE api_keys SET recorded_at = clock_timestamp() WHERE id = %(id)s", {"id": key.id})
