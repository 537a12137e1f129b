"""Pages of contacts: each combination of filters is read in the way that reads little more than it returns."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from contacts.search import beginning
from contacts.search_rows import Found, page_of_search
from penguinmails.db import Tx
from penguinmails.domain.contact_search import find_link
from penguinmails.domain.contact_words import Clause, Search, linked
from penguinmails.domain.contacts import SELECT, SELECT_COLUMNS, ContactRow
from penguinmails.errors import ValidationFailed
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "c.created_at", "updated_at": "c.updated_at", "email": "c.email"}
KINDS = {"created_at": "time", "updated_at": "time", "email": "text"}
LINK_COLUMNS: dict[str, LiteralString] = {"created_at": "l.contact_created_at"}
_TYPE_OF_LIST: LiteralString = "SELECT type::text FROM lists WHERE id = %(id)s"
_HIGHEST = "\U0010ffff"
# Of one contact that is found by its address or id; compared in the database, which lower-cased the names.
_STARTS_WITH: LiteralString = """
(   (c.email >= lower(%(prefix)s) AND c.email < lower(%(prefix)s) || %(highest)s)
 OR (c.first_name_lower >= lower(%(prefix)s) AND c.first_name_lower < lower(%(prefix)s) || %(highest)s)
 OR (c.last_name_lower >= lower(%(prefix)s) AND c.last_name_lower < lower(%(prefix)s) || %(highest)s))
"""
_ON_LIST: LiteralString = """
EXISTS (SELECT 1 FROM contact_lists cl
        WHERE cl.tenant_id = c.tenant_id AND cl.mode = c.mode AND cl.contact_id = c.id AND cl.list_id = %(list_id)s)
"""
_TAGGED: LiteralString = """
EXISTS (SELECT 1 FROM contact_tags ct
        JOIN tags t ON t.tenant_id = ct.tenant_id AND t.mode = ct.mode AND t.id = ct.tag_id
        WHERE ct.tenant_id = c.tenant_id AND ct.mode = c.mode AND ct.contact_id = c.id AND t.name = %(tag)s)
"""
_IN_WORKSPACE: LiteralString = """
EXISTS (SELECT 1 FROM contact_workspaces cw JOIN workspaces w ON w.tenant_id = cw.tenant_id AND w.id = cw.workspace_id
        WHERE cw.tenant_id = c.tenant_id AND cw.mode = c.mode AND cw.contact_id = c.id AND w.slug = %(workspace)s)
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

    @property
    def is_of_one(self) -> bool:
        """Whether at most one contact can meet it."""
        return self.email is not None or self.external_id is not None

    def given(self, *names: str) -> list[str]:
        """Those of the filters that were asked for."""
        return [name for name in names if getattr(self, name) is not None]


def list_contacts(tx: Tx, keyset: Keyset, wanted: ContactFilter) -> Found:
    """A page of contacts. `search` is the beginning of the address or of a name, in any case.

    Raises ValidationFailed for a filter that cannot be combined with the order, and for a dynamic list.
    """
    if wanted.list_id is not None:
        kind = tx.one(_TYPE_OF_LIST, {"id": wanted.list_id})
        if kind == "dynamic":
            raise ValidationFailed.of(
                "list_id",
                "is of a dynamic list; GET /api/v1/lists/{list_id}/contacts has those whom it finds",
                "dynamic",
            )
        if kind is None:
            # Its links may still be there when it was deleted.
            return Found([], None if keyset.offset is None else 0)
    links = wanted.given("list_id", "tag", "workspace")
    if not wanted.is_of_one:
        _require_order(keyset, wanted)
        if len(links) > 1 or wanted.given("status", "search"):
            return page_of_search(tx, keyset, _as_search(tx, wanted))
        if links:
            return Found(*_page_of_links(tx, keyset, wanted))
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
    where.add_given(_ON_LIST, list_id=wanted.list_id)
    where.add_given(_TAGGED, tag=wanted.tag)
    where.add_given(_IN_WORKSPACE, workspace=wanted.workspace)
    return Found(
        *select_page(tx, SELECT, where, keyset, COLUMNS, ContactRow, id_column="c.id", count_from=" FROM contacts c")
    )


def _require_order(keyset: Keyset, wanted: ContactFilter) -> None:
    """Other orders would mean to read all contacts until some that meet the filter come by."""
    if keyset.sort_by != "created_at":
        others = wanted.given("status", "search", "tag", "workspace", "list_id", "created_after", "created_before")
        if others:
            raise ValidationFailed.of(
                "sort_by", f"must be created_at, or left out, together with {', '.join(others)}", "not_combinable"
            )
    if keyset.sort_by != "updated_at" and wanted.given("updated_after", "updated_before"):
        raise ValidationFailed.of(
            "sort_by", "must be updated_at together with updated_after or updated_before", "not_combinable"
        )


def _as_search(tx: Tx, wanted: ContactFilter) -> Search:
    clauses: list[Clause] = []
    if wanted.status is not None:
        clauses.append(Clause((("s", wanted.status, False),)))
    if wanted.search is not None:
        clauses.append(beginning(wanted.search, with_company=False))
    if wanted.list_id is not None:
        clauses.append(linked("list", str(wanted.list_id)))
    clauses += [
        linked(kind, find_link(tx, kind, name))
        for kind, name in (("tag", wanted.tag), ("workspace", wanted.workspace))
        if name is not None
    ]
    search = Search(tuple(clauses), before_at=wanted.created_before)
    after = wanted.created_after
    return search if after is None else search.added_from(after + timedelta(microseconds=1))


def _page_of_links(tx: Tx, keyset: Keyset, wanted: ContactFilter) -> tuple[list[ContactRow], int | None]:
    """Contacts of one tag, list or workspace, by the links, which have the order of the page."""
    where = Conditions()
    where.add_given("l.contact_created_at > %(created_after)s", created_after=wanted.created_after)
    where.add_given("l.contact_created_at < %(created_before)s", created_before=wanted.created_before)
    if wanted.list_id is not None:
        return _page_of_list(tx, keyset, where, wanted.list_id)
    if wanted.tag is not None:
        return _page_of_tag(tx, keyset, where, wanted.tag)
    return _page_of_workspace(tx, keyset, where, wanted.workspace)


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
