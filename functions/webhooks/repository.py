"""SQL of webhooks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "created_at", "name": "name"}
KINDS = {"created_at": "time", "name": "text"}

_SELECT: LiteralString = """
SELECT id, name, description, endpoint_url, secret_ref, secret_last3, event_types, api_version, is_active, is_failing,
       consecutive_failures, retry_enabled, max_retries, timeout_seconds, last_success_at, last_failure_at, created_by,
       created_at, updated_at, paused_reason, is_probing, event_filters, secret_version, previous_secret_until,
       custom_header_names, max_per_second, ordering, batch_size, batch_wait_seconds
FROM webhooks"""


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """One webhook."""

    id: UUID
    name: str
    description: str | None
    endpoint_url: str
    secret_ref: str
    secret_last3: str
    event_types: list[str]
    api_version: str
    is_active: bool
    is_failing: bool
    consecutive_failures: int
    retry_enabled: bool
    max_retries: int
    timeout_seconds: int
    last_success_at: datetime | None
    last_failure_at: datetime | None
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    paused_reason: str | None
    is_probing: bool
    event_filters: dict[str, Any] | None
    secret_version: int
    previous_secret_until: datetime | None
    custom_header_names: list[str]
    max_per_second: int | None
    ordering: str
    batch_size: int
    batch_wait_seconds: int


def list_webhooks(
    tx: Tx, keyset: Keyset, *, event_type: str | None, is_active: bool | None, search: str | None
) -> tuple[list[WebhookRow], int | None]:
    """A page of webhooks; `search` is a part of name or URL. A tenant has a hundred at most."""
    where = Conditions()
    where.add("deleted_at IS NULL")
    where.add_given("%(event_type)s = ANY(event_types)", event_type=event_type)
    where.add_given("is_active = %(is_active)s", is_active=is_active)
    where.add_given("strpos(lower(name || ' ' || endpoint_url), lower(%(search)s)) > 0", search=search)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, WebhookRow)


def find_webhook(tx: Tx, webhook_id: UUID, *, lock: bool = False) -> WebhookRow | None:
    """One webhook that was not deleted."""
    statement: LiteralString = _SELECT + " WHERE id = %(id)s AND deleted_at IS NULL" + (" FOR UPDATE" if lock else "")
    return tx.one(statement, {"id": webhook_id}, WebhookRow)


def count_and_limit(tx: Tx) -> tuple[int, int]:
    """How many webhooks there are in this mode, and may be; creations of one tenant wait for each other."""
    tx.run(
        "SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || %(tenant)s::text, 0))", {"tenant": tx.tenant_id}
    )
    present: int = tx.one("SELECT count(*) FROM webhooks WHERE deleted_at IS NULL", {})
    allowed: int = tx.one("SELECT max_webhooks FROM tenant_limits WHERE tenant_id = %(id)s", {"id": tx.tenant_id})
    return present, allowed


def insert_webhook(tx: Tx, values: dict[str, Any]) -> None:
    """Add a webhook."""
    tx.run(
        """
        INSERT INTO webhooks (id, tenant_id, mode, name, description, endpoint_url, secret_ref, secret_last3,
                              event_types, event_filters, is_active, retry_enabled, max_retries, timeout_seconds,
                              max_per_second, ordering, batch_size, batch_wait_seconds, custom_header_names, api_version,
                              created_by)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(name)s, %(description)s, %(endpoint_url)s, %(secret_ref)s,
                %(secret_last3)s, %(event_types)s, %(event_filters)s, %(is_active)s, %(retry_enabled)s, %(max_retries)s,
                %(timeout_seconds)s, %(max_per_second)s, %(ordering)s, %(batch_size)s, %(batch_wait_seconds)s,
                %(custom_header_names)s, %(api_version)s, %(created_by)s)
        """,
        {"tenant_id": tx.tenant_id, "mode": tx.mode, **_stored(values)},
    )


def update_webhook(tx: Tx, webhook_id: UUID, values: dict[str, Any]) -> None:
    """Write all changeable fields; `pause_webhook` and `resume_webhook` do the rest."""
    tx.run(
        """
        UPDATE webhooks
        SET name = %(name)s, description = %(description)s, endpoint_url = %(endpoint_url)s,
            event_types = %(event_types)s, event_filters = %(event_filters)s, retry_enabled = %(retry_enabled)s,
            max_retries = %(max_retries)s, timeout_seconds = %(timeout_seconds)s,
            max_per_second = %(max_per_second)s, ordering = %(ordering)s, batch_size = %(batch_size)s,
            batch_wait_seconds = %(batch_wait_seconds)s, updated_at = clock_timestamp()
        WHERE id = %(id)s
        """,
        {"id": webhook_id, **_stored(values)},
    )


def keep_secret(tx: Tx, webhook_id: UUID, *, version: int, last3: str, previous_until: datetime | None) -> None:
    """Sign with another version of the record from now on."""
    tx.run(
        """
        UPDATE webhooks
        SET secret_version = %(version)s, secret_last3 = %(last3)s, previous_secret_until = %(previous_until)s,
            secret_changed_at = clock_timestamp(), updated_at = clock_timestamp()
        WHERE id = %(id)s
        """,
        {"id": webhook_id, "version": version, "last3": last3, "previous_until": previous_until},
    )


def keep_headers(tx: Tx, webhook_id: UUID, *, version: int, names: list[str]) -> None:
    """Send the headers of another version of the record from now on."""
    tx.run(
        """
        UPDATE webhooks SET secret_version = %(version)s, custom_header_names = %(names)s, updated_at = clock_timestamp()
        WHERE id = %(id)s
        """,
        {"id": webhook_id, "version": version, "names": names},
    )


def missing(tx: Tx, *, workspaces: list[UUID], campaigns: list[UUID]) -> set[UUID]:
    """Those of the ids that are not the account's."""
    found: list[UUID] = tx.all(
        """
        SELECT id FROM workspaces WHERE id = ANY(%(workspaces)s::uuid[])
        UNION ALL SELECT id FROM campaigns WHERE id = ANY(%(campaigns)s::uuid[])
        """,
        {"workspaces": workspaces, "campaigns": campaigns},
    )
    return {*workspaces, *campaigns} - set(found)


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    filters = values["event_filters"]
    return {**values, "event_filters": jsonb(filters) if filters else None}


def pause_webhook(tx: Tx, webhook_id: UUID) -> None:
    """Post nothing more; how its endpoint does, and whether a trial is pending, stays as it is."""
    tx.run(
        "UPDATE webhooks SET is_active = false, updated_at = clock_timestamp() WHERE id = %(id)s", {"id": webhook_id}
    )


def resume_webhook(tx: Tx, webhook_id: UUID) -> None:
    """Start with a clean record, and with one post alone if it had been switched off and no post was taken since."""
    tx.run(
        """
        UPDATE webhooks
        SET is_active = true, updated_at = clock_timestamp(), is_probing = is_probing OR paused_reason IS NOT NULL,
            paused_reason = NULL, warned_percent = 0, failing_since = NULL, is_failing = false, consecutive_failures = 0
        WHERE id = %(id)s
        """,
        {"id": webhook_id},
    )


def delete_webhook(tx: Tx, webhook_id: UUID) -> None:
    """Take a webhook out of service; its log stays until its partitions are dropped."""
    tx.run(
        "UPDATE webhooks SET deleted_at = clock_timestamp(), is_active = false WHERE id = %(id)s", {"id": webhook_id}
    )
