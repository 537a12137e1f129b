"""What filters ask of stored events that the events do not carry: the tags of their contacts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class _Tagged:
    contact_id: str
    names: list[str]


def contact_of(data: Any) -> str | None:
    """The id of the contact whom an event's data name."""
    contact = cast("dict[str, Any]", data).get("contact") if isinstance(data, dict) else None
    return cast("dict[str, Any]", contact).get("id") if isinstance(contact, dict) else None


def tags_of(tx: Tx, contacts: Iterable[str | None]) -> dict[str | None, list[str]]:
    """The tags that contacts have now, by contact id."""
    wanted = sorted({contact for contact in contacts if contact is not None})
    if not wanted:
        return {}
    rows = tx.all(
        """
        SELECT l.contact_id::text AS contact_id, array_agg(t.name) AS names FROM contact_tags l
        JOIN tags t ON t.tenant_id = l.tenant_id AND t.mode = l.mode AND t.id = l.tag_id
        WHERE l.contact_id = ANY(%(ids)s::uuid[]) GROUP BY l.contact_id
        """,
        {"ids": wanted},
        _Tagged,
    )
    return {row.contact_id: row.names for row in rows}
