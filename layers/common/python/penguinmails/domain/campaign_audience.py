"""Whom a campaign is for: its list, its segment, or all contacts of its workspace."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.contact_fields import declared_fields
from penguinmails.domain.segment_members import FoundContact, page_of_found, segment_definition
from penguinmails.domain.segments import Condition, compile_segment
from penguinmails.keyset import Keyset

_ON_LIST: LiteralString = """EXISTS (SELECT 1 FROM contact_lists l
    WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id AND l.list_id = %(audience_list)s::uuid)"""
_IN_WORKSPACE: LiteralString = """EXISTS (SELECT 1 FROM contact_workspaces l
    WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id
      AND l.workspace_id = %(audience_workspace)s::uuid)"""
_IN_NONE: LiteralString = """NOT EXISTS (SELECT 1 FROM contact_workspaces l
    WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id)"""


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
    tx: Tx, condition: Condition, *, after: tuple[datetime, UUID] | None, limit: int
) -> tuple[list[FoundContact], bool]:
    """Up to `limit` of an audience in the order in which they were added, and whether others follow."""
    rows, _ = page_of_found(tx, Keyset(limit, "asc", "created_at", "time", None, after), condition)
    return rows[:limit], len(rows) > limit
