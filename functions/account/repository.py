"""SQL of the account: its closing and its exports."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "created_at"}
KINDS = {"created_at": "time"}
_SELECT: LiteralString = """
SELECT id, status, row_count, error_message, created_at, completed_at, expires_at FROM account_exports"""


@dataclass(frozen=True, slots=True)
class TenantRow:
    """What closing asks about."""

    name: str
    closes_at: datetime | None


@dataclass(frozen=True, slots=True)
class SenderRow:
    """Who stands behind commercial mail."""

    company_name: str
    postal_address: str | None


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One export of everything."""

    id: UUID
    status: Literal["pending", "processing", "completed", "failed", "expired"]
    row_count: int
    error_message: str | None
    created_at: datetime
    completed_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class PartRow:
    """One file of an export."""

    name: str
    file_key: str
    file_size: int
    row_count: int


def find_sender(tx: Tx) -> SenderRow:
    """Who stands behind commercial mail."""
    return tx.all(
        """
        SELECT coalesce(settings ->> 'company_name', name) AS company_name, settings ->> 'postal_address' AS postal_address
        FROM tenants WHERE id = current_tenant_id()
        """,
        {},
        SenderRow,
    )[0]


def set_sender(tx: Tx, *, company_name: str | None, postal_address: str) -> None:
    """Say who stands behind commercial mail."""
    tx.run(
        """
        UPDATE tenants SET settings = settings - 'company_name' || jsonb_strip_nulls(jsonb_build_object(
          'company_name', %(company_name)s::text, 'postal_address', %(postal_address)s::text))
        WHERE id = current_tenant_id()
        """,
        {"company_name": company_name, "postal_address": postal_address},
    )


def find_tenant(tx: Tx) -> TenantRow:
    """The account."""
    return tx.all("SELECT name, closes_at FROM tenants WHERE id = current_tenant_id()", {}, TenantRow)[0]


def lock_tenant(tx: Tx) -> TenantRow:
    """The account, locked until the end of the transaction."""
    return tx.all("SELECT name, closes_at FROM tenants WHERE id = current_tenant_id() FOR UPDATE", {}, TenantRow)[0]


def set_closing(tx: Tx, *, closes_at: datetime, asked_by: UUID) -> None:
    """Suspend the account until it is erased."""
    tx.run(
        """
        UPDATE tenants SET status_before_closing = status, status = 'suspended', status_reason = 'closed by its owner',
                           closes_at = %(closes_at)s, closing_requested_by = %(asked_by)s
        WHERE id = current_tenant_id()
        """,
        {"closes_at": closes_at, "asked_by": asked_by},
    )


def set_kept(tx: Tx) -> None:
    """Give the account the state that it had before."""
    tx.run(
        """
        UPDATE tenants SET status = status_before_closing, status_before_closing = NULL, status_reason = NULL,
                           closes_at = NULL, closing_requested_by = NULL
        WHERE id = current_tenant_id()
        """,
        {},
    )


def owners(tx: Tx) -> list[UUID]:
    """The people who own the account."""
    return tx.all("SELECT id FROM users WHERE role = 'owner' AND deleted_at IS NULL", {})


def insert_export(tx: Tx, job_id: UUID, created_by: UUID) -> None:
    """Add a job; raises UniqueViolation while another one runs."""
    tx.run(
        "INSERT INTO account_exports (id, tenant_id, created_by) VALUES (%(id)s, %(tenant_id)s, %(created_by)s)",
        {"id": job_id, "tenant_id": tx.tenant_id, "created_by": created_by},
    )


def list_exports(tx: Tx, keyset: Keyset) -> tuple[list[ExportRow], int | None]:
    """A page of exports."""
    return select_page(tx, _SELECT, Conditions(), keyset, COLUMNS, ExportRow)


def find_export(tx: Tx, job_id: UUID) -> ExportRow | None:
    """One export."""
    return tx.one(_SELECT + " WHERE id = %(id)s", {"id": job_id}, ExportRow)


def parts(tx: Tx, job_id: UUID) -> list[PartRow]:
    """The files of an export, in their order."""
    return tx.all(
        """
        SELECT name, file_key, file_size, row_count FROM account_export_parts
        WHERE export_id = %(id)s ORDER BY number
        """,
        {"id": job_id},
        PartRow,
    )
