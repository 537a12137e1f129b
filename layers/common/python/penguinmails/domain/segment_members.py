"""Whom a segment finds: contacts in pages, and their number."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.segments import Condition
from penguinmails.errors import ServiceUnavailable
from penguinmails.keyset import Conditions, Keyset, count_rows, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "c.created_at"}
SELECT: LiteralString = "SELECT c.id, c.email, c.first_name, c.last_name, c.status, c.created_at FROM contacts c"


@dataclass(frozen=True, slots=True)
class FoundContact:
    """One contact that meets a condition."""

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None
    status: str
    created_at: datetime


def segment_definition(tx: Tx, segment_id: UUID) -> dict[str, Any]:
    """The rules of a segment that something refers to."""
    return tx.one("SELECT definition FROM segments WHERE id = %(id)s", {"id": segment_id})


def page_of_found(tx: Tx, keyset: Keyset, condition: Condition) -> tuple[list[FoundContact], int | None]:
    """A page of the contacts that meet a compiled segment."""
    where = Conditions()
    where.include(*condition)
    return select_page(tx, SELECT, where, keyset, COLUMNS, FoundContact, id_column="c.id")


def count_in_time(tx: Tx, condition: Condition) -> int | None:
    """How many contacts meet a compiled segment; None when counting takes longer than a request should wait for it."""
    try:
        with tx.savepoint():
            tx.run("SET LOCAL statement_timeout = '8s'", {})
            found = count_found(tx, condition)
    except ServiceUnavailable:
        return None
    tx.run("SET LOCAL statement_timeout TO DEFAULT", {})
    return found


def count_found(tx: Tx, condition: Condition) -> int:
    """How many contacts meet a compiled segment."""
    where = Conditions()
    where.include(*condition)
    return count_rows(tx, "FROM contacts c", where)
