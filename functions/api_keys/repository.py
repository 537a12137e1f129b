"""SQL of API keys."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Mode, Tx
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "k.created_at", "name": "k.name"}
KINDS = {"created_at": "time", "name": "text"}

_SELECT: LiteralString = """
SELECT k.id, k.name, k.mode, k.key_prefix, k.key_last4, k.lookup_digest, k.vault_version, k.generation, k.permissions,
       CASE WHEN k.status = 'active' AND k.expires_at <= now() THEN 'expired' ELSE k.status END AS status,
       k.allowed_cidrs::text[] AS allowed_cidrs, k.monthly_quota, k.expires_at, k.created_by, k.created_at,
       k.last_used_at, k.revoked_at,
       coalesce(u.requests, 0)::bigint AS requests, coalesce(u.errors, 0)::bigint AS errors
FROM api_keys k
LEFT JOIN LATERAL (
  SELECT sum(d.requests) AS requests, sum(d.errors) AS errors
  FROM api_key_usage_daily d WHERE d.tenant_id = k.tenant_id AND d.api_key_id = k.id
) u ON true"""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key with its lifetime counts."""

    id: UUID
    name: str
    mode: Mode
    key_prefix: str
    key_last4: str
    lookup_digest: bytes
    vault_version: int
    generation: int
    permissions: list[str]
    status: str
    allowed_cidrs: list[str]
    monthly_quota: int | None
    expires_at: datetime | None
    created_by: UUID
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    requests: int
    errors: int


@dataclass(frozen=True, slots=True)
class DayRow:
    """Usage of one day."""

    date: date
    requests: int
    errors: int


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """Usage of one endpoint."""

    endpoint: str
    count: int
    avg_response_time_ms: float


@dataclass(frozen=True, slots=True)
class CountryRow:
    """Usage from one country."""

    country: str
    requests: int
    errors: int


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """Usage from one network."""

    network: str
    country: str
    requests: int
    errors: int


def list_keys(tx: Tx, keyset: Keyset, *, status: str | None, search: str | None) -> tuple[list[KeyRow], int | None]:
    """A page of the tenant's keys; `search` is a part of the name."""
    where = Conditions()
    where.add_given(
        "CASE WHEN k.status = 'active' AND k.expires_at <= now() THEN 'expired' ELSE k.status END = %(status)s",
        status=status,
    )
    where.add_given("strpos(lower(k.name), lower(%(search)s)) > 0", search=search)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, KeyRow, id_column="k.id", count_from=" FROM api_keys k")


def find_key(tx: Tx, key_id: UUID) -> KeyRow | None:
    """One key, or None when the tenant has no such key."""
    return tx.one(_SELECT + " WHERE k.id = %(id)s", {"id": key_id}, KeyRow)


def count_active(tx: Tx) -> int:
    """Keys that are neither revoked nor expired."""
    return tx.one(
        "SELECT count(*) FROM api_keys WHERE status = 'active' AND (expires_at IS NULL OR expires_at > now())", {}
    )


def tenant_rate_limit(tx: Tx) -> int:
    """Requests per minute that the tenant's plan or override gives each key."""
    return tx.one("SELECT api_rate_limit FROM tenant_limits WHERE tenant_id = %(id)s", {"id": tx.tenant_id})


def subscription_status(tx: Tx) -> str:
    """Status of the tenant's subscription."""
    return tx.one("SELECT subscription_status FROM tenant_limits WHERE tenant_id = %(id)s", {"id": tx.tenant_id})


def insert_key(tx: Tx, values: dict[str, Any]) -> datetime:
    """Store a new key; the moment of its creation."""
    return tx.one(
        """
        INSERT INTO api_keys (id, tenant_id, name, mode, key_prefix, key_last4, lookup_digest, digest_version,
                              vault_version, permissions, allowed_cidrs, monthly_quota, expires_at, created_by)
        VALUES (%(id)s, %(tenant_id)s, %(name)s, %(mode)s, %(key_prefix)s, %(key_last4)s, %(lookup_digest)s,
                %(digest_version)s, %(vault_version)s, %(permissions)s, %(allowed_cidrs)s::cidr[], %(monthly_quota)s,
                %(expires_at)s, %(created_by)s)
        RETURNING created_at
        """,
        values,
    )


def change_key(tx: Tx, key_id: UUID, values: dict[str, Any]) -> None:
    """Set all changeable fields of a key."""
    tx.run(
        """
        UPDATE api_keys
        SET name = %(name)s, permissions = %(permissions)s, allowed_cidrs = %(allowed_cidrs)s::cidr[],
            monthly_quota = %(monthly_quota)s, expires_at = %(expires_at)s
        WHERE id = %(id)s
        """,
        {"id": key_id, **values},
    )


def replace_secret(tx: Tx, key_id: UUID, values: dict[str, Any]) -> None:
    """Give a key its new secret's digest, mask and Vault version."""
    tx.run(
        """
        UPDATE api_keys
        SET key_prefix = %(key_prefix)s, key_last4 = %(key_last4)s, lookup_digest = %(lookup_digest)s,
            digest_version = %(digest_version)s, vault_version = %(vault_version)s, regenerated_at = clock_timestamp()
        WHERE id = %(id)s
        """,
        {"id": key_id, **values},
    )


def revoke_key(tx: Tx, key_id: UUID, revoked_by: UUID) -> datetime:
    """Mark a key as revoked; the moment of it."""
    return tx.one(
        """
        UPDATE api_keys SET status = 'revoked', revoked_at = clock_timestamp(), revoked_by = %(revoked_by)s
        WHERE id = %(id)s RETURNING revoked_at
        """,
        {"id": key_id, "revoked_by": revoked_by},
    )


def usage_by_day(tx: Tx, key_id: UUID | None) -> list[DayRow]:
    """The last 30 days that had requests, of one key or of all."""
    return tx.all(
        """
        SELECT day AS date, sum(requests)::bigint AS requests, sum(errors)::bigint AS errors
        FROM api_key_usage_daily
        WHERE day > (now() AT TIME ZONE 'UTC')::date - 30 AND (%(key_id)s::uuid IS NULL OR api_key_id = %(key_id)s)
        GROUP BY day ORDER BY day
        """,
        {"key_id": key_id},
        DayRow,
    )


def top_endpoints(tx: Tx, key_id: UUID | None) -> list[EndpointRow]:
    """The ten most used endpoints of the last 30 days, of one key or of all."""
    return tx.all(
        """
        SELECT method || ' ' || endpoint AS endpoint, sum(requests)::bigint AS count,
               round(sum(total_ms)::numeric / greatest(sum(requests), 1), 1)::float8 AS avg_response_time_ms
        FROM api_key_usage_daily
        WHERE day > (now() AT TIME ZONE 'UTC')::date - 30 AND (%(key_id)s::uuid IS NULL OR api_key_id = %(key_id)s)
        GROUP BY method, endpoint ORDER BY count DESC, endpoint LIMIT 10
        """,
        {"key_id": key_id},
        EndpointRow,
    )


def usage_by_country(tx: Tx, key_id: UUID | None) -> list[CountryRow]:
    """Where the requests of the last 30 days came from, of one key or of all; unknown countries are empty."""
    return tx.all(
        """
        SELECT country, sum(requests)::bigint AS requests, sum(errors)::bigint AS errors
        FROM api_key_usage_sources
        WHERE day > (now() AT TIME ZONE 'UTC')::date - 30 AND (%(key_id)s::uuid IS NULL OR api_key_id = %(key_id)s)
        GROUP BY country ORDER BY requests DESC, country
        """,
        {"key_id": key_id},
        CountryRow,
    )


def top_networks(tx: Tx, key_id: UUID | None) -> list[NetworkRow]:
    """The ten networks with most requests in the last 30 days, of one key or of all."""
    return tx.all(
        """
        SELECT network::text AS network, max(country) AS country, sum(requests)::bigint AS requests,
               sum(errors)::bigint AS errors
        FROM api_key_usage_sources
        WHERE day > (now() AT TIME ZONE 'UTC')::date - 30 AND (%(key_id)s::uuid IS NULL OR api_key_id = %(key_id)s)
        GROUP BY network ORDER BY requests DESC, network LIMIT 10
        """,
        {"key_id": key_id},
        NetworkRow,
    )


def active_keys(tx: Tx) -> list[KeyRow]:
    """Every key that is not revoked."""
    return tx.all(_SELECT + " WHERE k.status = 'active'", {}, KeyRow)


def revoke_all(tx: Tx, revoked_by: UUID) -> datetime:
    """Mark every active key as revoked, and its record in Vault as to be removed; the moment of it."""
    return tx.one(
        """
        WITH revoked AS (
          UPDATE api_keys
          SET status = 'revoked', revoked_at = now(), revoked_by = %(revoked_by)s, is_record_removed = true
          WHERE status = 'active'
        )
        SELECT now()
        """,
        {"revoked_by": revoked_by},
    )


def revoked_lately(tx: Tx) -> list[KeyRow]:
    """Keys that were revoked within the last hour."""
    return tx.all(
        _SELECT + " WHERE k.status = 'revoked' AND k.revoked_at > clock_timestamp() - interval '1 hour'", {}, KeyRow
    )
