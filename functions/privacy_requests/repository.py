"""SQL of privacy requests as their owners see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "created_at"}
KINDS = {"created_at": "time"}
_SELECT: LiteralString = """
SELECT id, type, status, email, reference, found, file_key, file_size, error_message, created_at, completed_at, expires_at
FROM privacy_requests"""


@dataclass(frozen=True, slots=True)
class PrivacyRequestRow:
    """One request."""

    id: UUID
    type: Literal["access", "erasure"]
    status: Literal["pending", "processing", "completed", "failed", "expired"]
    email: str | None
    reference: str | None
    found: dict[str, int]
    file_key: str | None
    file_size: int | None
    error_message: str | None
    created_at: datetime
    completed_at: datetime | None
    expires_at: datetime | None


def list_requests(tx: Tx, keyset: Keyset, *, email: str | None) -> tuple[list[PrivacyRequestRow], int | None]:
    """A page of requests."""
    where = Conditions()
    where.add_given("email = %(email)s", email=email)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, PrivacyRequestRow)


def find_request(tx: Tx, request_id: UUID) -> PrivacyRequestRow | None:
    """One request."""
    return tx.one(_SELECT + " WHERE id = %(id)s", {"id": request_id}, PrivacyRequestRow)


def insert_request(tx: Tx, request_id: UUID, values: dict[str, Any]) -> None:
    """Add a request."""
    tx.run(
        """
        INSERT INTO privacy_requests (id, tenant_id, mode, type, email, reference, created_by)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(type)s, %(email)s, %(reference)s, %(created_by)s)
        """,
        {"id": request_id, "tenant_id": tx.tenant_id, "mode": tx.mode, **values},
    )
