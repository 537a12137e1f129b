"""SQL of the erasure. What it may remove, the database checks itself: only what belongs to a closed account."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from penguinmails.db import Tx, jsonb


@dataclass(frozen=True, slots=True)
class Due:
    """An account whose time has come."""

    id: UUID
    status: str


@dataclass(frozen=True, slots=True)
class TenantTable:
    """A table, and those whose rows point at its rows."""

    name: str
    referenced_by: list[str]


def next_due(tx: Tx) -> Due | None:
    """One account that is to be erased."""
    return tx.one(
        "SELECT id, status FROM tenants WHERE closes_at <= now() AND erased_at IS NULL ORDER BY closes_at LIMIT 1",
        {},
        Due,
    )


def hold(tx: Tx, tenant_id: UUID) -> Due | None:
    """The account, locked; None when its owner has kept it, it is erased, or another worker is at it."""
    return tx.one(
        """
        SELECT id, status FROM tenants WHERE id = %(id)s AND closes_at <= now() AND erased_at IS NULL
        FOR UPDATE SKIP LOCKED
        """,
        {"id": tenant_id},
        Due,
    )


def set_closed(tx: Tx, tenant_id: UUID) -> None:
    """From now on nobody signs in, and there is no way back."""
    tx.run("UPDATE tenants SET status = 'canceled' WHERE id = %(id)s", {"id": tenant_id})


def tables(tx: Tx) -> list[TenantTable]:
    """All tables that hold rows of tenants."""
    return tx.all("SELECT name, referenced_by FROM tables_of_tenants()", {}, TenantTable)


def erase_batch(tx: Tx, table: str, batch: int) -> int:
    """Remove some rows of the transaction's tenant and mode; how many."""
    return tx.one("SELECT erase_rows_of_tenant(%(table)s, %(batch)s)", {"table": table, "batch": batch})


def key_digests(tx: Tx, tenant_id: UUID) -> list[bytes]:
    """Under what Redis knows the account's API keys."""
    return tx.all("SELECT lookup_digest FROM api_keys WHERE tenant_id = %(id)s", {"id": tenant_id})


def close_staging(tx: Tx, tenant_id: UUID) -> None:
    """Drop what imports that have not ended have read."""
    tx.all(
        "SELECT import_staging.close(id) FROM import_jobs WHERE tenant_id = %(id)s AND completed_at IS NULL",
        {"id": tenant_id},
    )


def set_erased(tx: Tx, tenant_id: UUID, removed: dict[str, Any]) -> None:
    """Keep the confirmation, and blank what named the account."""
    tx.all("SELECT blank_erased_tenant()", {})
    tx.run(
        "UPDATE tenants SET erased_at = clock_timestamp(), erased = %(removed)s, deleted_at = clock_timestamp() "
        "WHERE id = %(id)s",
        {"id": tenant_id, "removed": jsonb(removed)},
    )


def add_removed(tx: Tx, tenant_id: UUID, what: str, number: int) -> None:
    """Count what was removed; the account's settings hold the count until the confirmation is written."""
    tx.run(
        """
        UPDATE tenants SET settings = jsonb_set(
          jsonb_set(settings, '{erased}', coalesce(settings -> 'erased', '{}')), ARRAY['erased', %(what)s],
          to_jsonb(coalesce((settings -> 'erased' ->> %(what)s)::bigint, 0) + %(number)s))
        WHERE id = %(id)s
        """,
        {"id": tenant_id, "what": what, "number": number},
    )


def removed(tx: Tx, tenant_id: UUID) -> dict[str, Any]:
    """What was removed so far."""
    return tx.one(
        "SELECT coalesce(settings -> 'erased', '{}') AS removed FROM tenants WHERE id = %(id)s", {"id": tenant_id}
    )
