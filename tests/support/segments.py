"""Whom the condition of a definition finds, read all at once: what pages and counts are compared with."""

from typing import Any, Literal

from penguinmails.db import Tx
from penguinmails.domain.segment_pages import FoundContact, read_segment
from penguinmails.keyset import Conditions, Keyset, select_page


def by_condition(tx: Tx, definition: Any, order: Literal["asc", "desc"]) -> list[FoundContact]:
    """Those who meet it, by when they were added; ten thousand at most."""
    where = Conditions()
    where.include(*read_segment(tx, definition).condition)
    everybody = Keyset(10_000, order, "created_at", "time", None, None)
    select = "SELECT c.id, c.email, c.first_name, c.last_name, c.status, c.created_at FROM contacts c"
    columns: dict[str, Any] = {"created_at": "c.created_at"}
    return select_page(tx, select, where, everybody, columns, FoundContact, id_column="c.id")[0]
