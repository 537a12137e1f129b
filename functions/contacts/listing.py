"""SQL of pages of contacts: one statement per order in which they can be read without reading the rest."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.contacts import SELECT, SELECT_COLUMNS, ContactRow
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "c.created_at", "updated_at": "c.updated_at", "email": "c.email"}
KINDS = {"created_at": "time", "updated_at": "time", "email": "text"}
LINK_COLUMNS: dict[str, LiteralString] = {"created_at": "l.contact_created_at"}
_HIGHEST = "\U0010ffff"
# Lower-cased by the database, which lower-cased the names; ranges and not LIKE, which cannot use an index under row security.
_STARTS_WITH: LiteralString = """
(   (c.email >= lower(%(prefix)s) AND c.email < lower(%(prefix)s) || %(highest)s)
 OR (c.first_name_lower >= lower(%(prefix)s) AND c.first_name_lower < lower(%(prefix)s) || %(highest)s)
 OR (c.last_name_lower >= lower(%(prefix)s) AND c.last_name_lower < lower(%(prefix)s) || %(highest)s))
"""


# The links carry when their contact was added, so that an index has one tag's contacts in the order of the page.
_FROM_TAG: LiteralString = """
FROM contact_tags l JOIN contacts c ON c.tenant_id = l.tenant_id AND c.mode = l.mode AND c.id = l.contact_id"""
_OF_TAG: LiteralString = SELECT_COLUMNS + _FROM_TAG
_FROM_LIST: LiteralString = """
FROM contact_lists l JOIN contacts c ON c.tenant_id = l.tenant_id AND c.mode = l.mode AND c.id = l.contact_id"""
_OF_LIST: LiteralString = SELECT_COLUMNS + _FROM_LIST
_FROM_WORKSPACE: LiteralString = """
FROM contact_workspaces l JOIN contacts c ON c.tenant_id = l.tenant_id AND c.mode = l.mode AND c.id = l.contact_id"""
_OF_WORKSPACE: LiteralString = SELECT_COLUMNS + _FROM_WORKSPACE


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFilter:
    """What a list is narrowed to; None leaves a filter out."""

    status: str | None = None
    email: str | None = None
    external_id: str | None = None
    search: str | None = None
    tag: str | None = None
    workspace: str | None = None
    list_id: UUID | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None


def list_contacts(tx: Tx, keyset: Keyset, wanted: ContactFilter) -> tuple[list[ContactRow], int | None]:
    """A page of contacts. `search` is the beginning of the address or of a name, in any case."""
    where = Conditions()
    where.add_given("c.status = %(status)s", status=wanted.status)
    where.add_given("c.email = %(email)s", email=wanted.email)
    where.add_given("c.external_id = %(external_id)s", external_id=wanted.external_id)
    where.add_given("c.created_at > %(created_after)s", created_after=wanted.created_after)
    where.add_given("c.created_at < %(created_before)s", created_before=wanted.created_before)
    where.add_given("c.updated_at > %(updated_after)s", updated_after=wanted.updated_after)
    where.add_given("c.updated_at < %(updated_before)s", updated_before=wanted.updated_before)
    if wanted.search is not None:
        where.add(_STARTS_WITH, prefix=wanted.search, highest=_HIGHEST)
    link = _link_in_order(keyset, wanted)
    if link != "list":
        where.add_given(
            """
            EXISTS (SELECT 1 FROM contact_lists cl
                    WHERE cl.tenant_id = c.tenant_id AND cl.mode = c.mode AND cl.contact_id = c.id
                      AND cl.list_id = %(list_id)s)
            """,
            list_id=wanted.list_id,
        )
    if link != "tag":
        where.add_given(
            """
            EXISTS (SELECT 1 FROM contact_tags ct
                    JOIN tags t ON t.tenant_id = ct.tenant_id AND t.mode = ct.mode AND t.id = ct.tag_id
                    WHERE ct.tenant_id = c.tenant_id AND ct.mode = c.mode AND ct.contact_id = c.id
                      AND t.name = %(tag)s)
            """,
            tag=wanted.tag,
        )
    if link != "workspace":
        where.add_given(
            """
            EXISTS (SELECT 1 FROM contact_workspaces cw
                    JOIN workspaces w ON w.tenant_id = cw.tenant_id AND w.id = cw.workspace_id
                    WHERE cw.tenant_id = c.tenant_id AND cw.mode = c.mode AND cw.contact_id = c.id
                      AND w.slug = %(workspace)s)
            """,
            workspace=wanted.workspace,
        )
    if link == "list":
        return _page_of_list(tx, keyset, where, wanted.list_id)
    if link == "tag":
        return _page_of_tag(tx, keyset, where, wanted.tag)
    if link == "workspace":
        return _page_of_workspace(tx, keyset, where, wanted.workspace)
    return select_page(tx, SELECT, where, keyset, COLUMNS, ContactRow, id_column="c.id", count_from=" FROM contacts c")


def _link_in_order(keyset: Keyset, wanted: ContactFilter) -> Literal["list", "tag", "workspace"] | None:
    """The filter whose links are walked, when they have the order of the page."""
    if keyset.sort_by != "created_at":
        return None
    if wanted.list_id is not None:
        return "list"
    if wanted.tag is not None:
        return "tag"
    return None if wanted.workspace is None else "workspace"


def _page_of_list(
    tx: Tx, keyset: Keyset, where: Conditions, list_id: UUID | None
) -> tuple[list[ContactRow], int | None]:
    where.add("l.list_id = %(list_id)s", list_id=list_id)
    return select_page(
        tx, _OF_LIST, where, keyset, LINK_COLUMNS, ContactRow, id_column="l.contact_id", count_from=_FROM_LIST
    )


def _page_of_tag(tx: Tx, keyset: Keyset, where: Conditions, tag: str | None) -> tuple[list[ContactRow], int | None]:
    where.add("l.tag_id = (SELECT id FROM tags WHERE name = %(tag)s)", tag=tag)
    return select_page(
        tx, _OF_TAG, where, keyset, LINK_COLUMNS, ContactRow, id_column="l.contact_id", count_from=_FROM_TAG
    )


def _page_of_workspace(
    tx: Tx, keyset: Keyset, where: Conditions, slug: str | None
) -> tuple[list[ContactRow], int | None]:
    where.add("l.workspace_id = (SELECT id FROM workspaces WHERE slug = %(workspace)s)", workspace=slug)
    return select_page(
        tx, _OF_WORKSPACE, where, keyset, LINK_COLUMNS, ContactRow, id_column="l.contact_id", count_from=_FROM_WORKSPACE
    )
