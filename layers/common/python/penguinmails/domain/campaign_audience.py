"""Whom a campaign is for: its list, its segment, or all contacts of its workspace."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.contact_fields import declared_fields
from penguinmails.domain.segment_members import FoundContact, page_of_found, segment_definition
from penguinmails.domain.segments import Condition, compile_segment
from penguinmails.keyset import Keyset

LOOKED_AT = 100_000
_PATIENCE_SECONDS = 5.0
Place = tuple[datetime, UUID]
"""Where a contact stands in the order in which they were added."""
_UP_TO: LiteralString = "(c.created_at, c.id) <= (%(scan_time)s, %(scan_id)s)"
_ON_LIST: LiteralString = """EXISTS (SELECT 1 FROM contact_lists l
    WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id AND l.list_id = %(audience_list)s::uuid)"""
_IN_WORKSPACE: LiteralString = """EXISTS (SELECT 1 FROM contact_workspaces l
    WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
      AND l.workspace_id = %(audience_workspace)s::uuid)"""
_IN_NONE: LiteralString = """NOT EXISTS (SELECT 1 FROM contact_workspaces l
    WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id)"""


@dataclass(frozen=True, slots=True)
class _PlaceRow:
    created_at: datetime
    id: UUID


def audience(tx: Tx, *, list_id: UUID | None, segment_id: UUID | None, workspace_id: UUID) -> Condition:
    """The condition over contacts that says who belongs. Contacts of no workspace belong to the default one."""
    if list_id is not None:
        segment_id = tx.one("SELECT segment_id FROM lists WHERE id = %(id)s", {"id": list_id})
        if segment_id is None:
            return Condition(_ON_LIST, {"audience_list": list_id})
    if segment_id is not None:
        return compile_segment(segment_definition(tx, segment_id), declared_fields(tx))
    params = {"audience_workspace": workspace_id}
    if tx.one("SELECT is_default FROM workspaces WHERE id = %(id)s", {"id": workspace_id}):
        return Condition(_IN_WORKSPACE + " OR " + _IN_NONE, params)
    return Condition(_IN_WORKSPACE, params)


def members(
    tx: Tx, condition: Condition, *, after: Place | None, limit: int
) -> tuple[list[FoundContact], Place | None]:
    """Up to `limit` of an audience in the order in which they were added, and from where to go on; None at the end.

    Where few belong, none may be found while others follow: no more than `LOOKED_AT` contacts are looked at, so that no
    account is too large for a statement's time.
    """
    last = _place_ahead(tx, after)
    part = condition if last is None else _up_to(condition, last)
    rows, _ = page_of_found(tx, Keyset(limit, "asc", "created_at", "time", None, after), part)
    if len(rows) > limit:
        return rows[:limit], (rows[limit - 1].created_at, rows[limit - 1].id)
    return rows, last


def _up_to(condition: Condition, last: Place) -> Condition:
    return Condition(
        "(" + condition.sql + ") AND " + _UP_TO, {**condition.params, "scan_time": last[0], "scan_id": last[1]}
    )


def is_empty(tx: Tx, condition: Condition) -> bool:
    """Whether an audience is known to hold nobody; after some seconds without anybody it is taken for one that does."""
    until = time.monotonic() + _PATIENCE_SECONDS
    place: Place | None = None
    while time.monotonic() < until:
        found, place = members(tx, condition, after=place, limit=1)
        if found:
            return False
        if place is None:
            return True
    return False


def _place_ahead(tx: Tx, after: Place | None) -> Place | None:
    """Where the last of the contacts stands that are looked at next; None when they are all that is left."""
    scan_time, scan_id = after or (None, None)
    found = tx.all(
        """
        SELECT created_at, id FROM contacts
        WHERE (created_at, id) > (coalesce(%(scan_time)s::timestamptz, '-infinity'),
                                  coalesce(%(scan_id)s::uuid, '00000000-0000-0000-0000-000000000000'))
        ORDER BY created_at, id OFFSET %(before)s LIMIT 1
        """,
        {"before": LOOKED_AT - 1, "scan_time": scan_time, "scan_id": scan_id},
        _PlaceRow,
    )
    return (found[0].created_at, found[0].id) if found else None
