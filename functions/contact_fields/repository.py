"""SQL of contact fields."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.removals import remove_rows_later
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "created_at", "key": "key"}
KINDS = {"created_at": "time", "key": "text"}
_SELECT: LiteralString = """
SELECT id, key, type, label,
       CASE WHEN is_ready THEN 'ready' WHEN error_message IS NULL THEN 'preparing' ELSE 'failed' END AS status,
       error_message AS error, created_at, updated_at FROM contact_fields"""


@dataclass(frozen=True, slots=True)
class ContactFieldRow:
    """One declared field."""

    id: UUID
    key: str
    type: Literal["text", "number", "date", "boolean"]
    label: str | None
    status: Literal["ready", "preparing", "failed"]
    error: str | None
    created_at: datetime
    updated_at: datetime


def list_fields(tx: Tx, keyset: Keyset) -> tuple[list[ContactFieldRow], int | None]:
    """A page of declared fields."""
    return select_page(tx, _SELECT, Conditions(), keyset, COLUMNS, ContactFieldRow)


def find_field(tx: Tx, field_id: UUID) -> ContactFieldRow | None:
    """One declared field."""
    return tx.one(_SELECT + " WHERE id = %(id)s", {"id": field_id}, ContactFieldRow)


def lock_field(tx: Tx, field_id: UUID) -> ContactFieldRow | None:
    """One declared field, locked until the end of the transaction."""
    return tx.one(_SELECT + " WHERE id = %(id)s FOR UPDATE", {"id": field_id}, ContactFieldRow)


def count_fields(tx: Tx) -> int:
    """How many fields are declared."""
    return tx.one("SELECT count(*) FROM contact_fields", {})


def insert_field(tx: Tx, field_id: UUID, *, key: str, kind: str, label: str | None) -> None:
    """Declare a field that is still to be prepared; raises UniqueViolation when the key is declared."""
    tx.run(
        """
        INSERT INTO contact_fields (id, tenant_id, mode, key, type, label, is_ready)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(key)s, %(type)s, %(label)s, false)
        """,
        {"id": field_id, "tenant_id": tx.tenant_id, "mode": tx.mode, "key": key, "type": kind, "label": label},
    )


def set_label(tx: Tx, field_id: UUID, label: str | None) -> None:
    """Change how people call a field."""
    tx.run("UPDATE contact_fields SET label = %(label)s WHERE id = %(id)s", {"id": field_id, "label": label})


def delete_field(tx: Tx, field_id: UUID) -> None:
    """Forget a declaration; the attributes stay, their searchable values go."""
    tx.run("DELETE FROM contact_fields WHERE id = %(id)s", {"id": field_id})
    remove_rows_later(tx, "contact_field", field_id)
