"""Whom a campaign is for: its list, its segment, or all contacts of its workspace."""

import time
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.contact_search import Place
from penguinmails.domain.segment_pages import (
    FoundContact,
    Segment,
    list_definition,
    page_in_time,
    read_segment,
    segment_definition,
)
from penguinmails.domain.segments import Condition
from penguinmails.keyset import Keyset

PATIENCE = timedelta(seconds=2)
"""How long the next contacts are looked for at once: no account is too large for a statement's time."""
_START_PATIENCE_SECONDS = 5.0
_IN_WORKSPACE_OR_NONE: LiteralString = """EXISTS (SELECT 1 FROM contact_workspaces l
    WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
      AND l.workspace_id = %(audience_workspace)s::uuid)
  OR NOT EXISTS (SELECT 1 FROM contact_workspaces l
    JOIN workspaces w ON w.tenant_id = l.tenant_id AND w.id = l.workspace_id
    WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id)"""


def audience(tx: Tx, *, list_id: UUID | None, segment_id: UUID | None, workspace_id: UUID) -> Segment:
    """Who belongs. Contacts of no workspace belong to the default one."""
    if list_id is not None:
        return read_segment(tx, list_definition(tx, list_id))
    if segment_id is not None:
        return read_segment(tx, segment_definition(tx, segment_id))
    if tx.one("SELECT is_default FROM workspaces WHERE id = %(id)s", {"id": workspace_id}):
        return Segment(Condition(_IN_WORKSPACE_OR_NONE, {"audience_workspace": workspace_id}), None)
    return read_segment(tx, {"field": "workspace", "operator": "has", "value": str(workspace_id)})


def members(tx: Tx, of: Segment, *, after: Place | None, limit: int) -> tuple[list[FoundContact], Place | None]:
    """Up to `limit` of an audience in the order in which they were added, and from where to go on; None at the end.

    Where few belong, none may be found in time while others follow.
    """
    page = page_in_time(tx, Keyset(limit, "asc", "created_at", "time", None, after), of, budget=PATIENCE)
    if len(page.rows) > limit:
        return page.rows[:limit], (page.rows[limit - 1].created_at, page.rows[limit - 1].id)
    return page.rows, page.stopped_at


def is_empty(tx: Tx, of: Segment) -> bool:
    """Whether an audience is known to hold nobody; after some seconds without anybody it is taken for one that does."""
    until = time.monotonic() + _START_PATIENCE_SECONDS
    place: Place | None = None
    while time.monotonic() < until:
        found, place = members(tx, of, after=place, limit=1)
        if found:
            return False
        if place is None:
            return True
    return False
