"""Reads of the audience under row security, in a large tenant: none reads more than ten times the rows that it returns."""

import json
import os
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from contact_exports import repository as exports
from contact_fields import repository as fields
from contact_imports import repository as imports
from contacts import listing
from contacts import repository as single
from contacts.listing import ContactFilter
from lists import repository as lists
from penguinmails.db import Tx, transaction
from penguinmails.keyset import Keyset
from segments import repository as segments
from suppression import repository as suppression
from tags import repository as tags
from tests.support.plans import rows_read
from tests.support.tenants import TestTenant, make_tenant

CONTACTS = int(os.environ.get("AUDIENCE_CONTACTS", "8000"))
PAGE = 50
FACTOR = 10

_FILL = """
INSERT INTO contacts (id, tenant_id, mode, email, first_name, last_name, external_id, status, source, created_at)
SELECT gen_random_uuid(), %(tenant)s, 'live', md5(n::text) || '@example.com', md5('f' || n), md5('l' || n), n,
       CASE WHEN n %% 100 = 0 THEN 'bounced' ELSE 'active' END, 'api', now() - n * interval '1 second'
FROM generate_series(1, %(n)s) n;
INSERT INTO tags (id, tenant_id, mode, name)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'tag ' || n FROM generate_series(1, 500) n;
INSERT INTO contact_tags (tenant_id, mode, contact_id, tag_id, contact_created_at)
SELECT c.tenant_id, c.mode, c.id, t.id, c.created_at FROM contacts c
JOIN tags t ON t.tenant_id = c.tenant_id AND t.name IN ('tag 1', 'tag ' || (c.external_id::integer %% 499 + 2))
WHERE c.tenant_id = %(tenant)s;
INSERT INTO contact_workspaces (tenant_id, mode, contact_id, workspace_id, contact_created_at)
SELECT tenant_id, mode, id, %(workspace)s, created_at FROM contacts WHERE tenant_id = %(tenant)s;
INSERT INTO lists (id, tenant_id, mode, name, type)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'list ' || n, 'static' FROM generate_series(1, 500) n;
INSERT INTO contact_lists (tenant_id, mode, contact_id, list_id, contact_created_at)
SELECT c.tenant_id, c.mode, c.id, l.id, c.created_at FROM contacts c
JOIN lists l ON l.tenant_id = c.tenant_id AND l.name IN ('list 1', 'list ' || (c.external_id::integer %% 499 + 2))
WHERE c.tenant_id = %(tenant)s;
INSERT INTO suppression_list (id, tenant_id, mode, email, reason, source)
SELECT gen_random_uuid(), %(tenant)s, 'live', n || '@example.com',
       CASE WHEN n %% 100 = 0 THEN 'hard_bounce' ELSE 'manual' END, 'api' FROM generate_series(1, %(n)s / 4) n;
INSERT INTO segments (id, tenant_id, mode, name, definition)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'segment ' || n, '{}' FROM generate_series(1, 2000) n;
INSERT INTO contact_fields (id, tenant_id, mode, key, type)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'field' || n, 'text' FROM generate_series(1, 500) n;
INSERT INTO import_jobs (id, tenant_id, mode, file_name, file_type, file_size, file_key, status)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'f', 'csv', 1, 'k', CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'completed' END
FROM generate_series(1, 3000) n;
INSERT INTO export_jobs (id, tenant_id, mode, export_type, selected_fields, file_format)
SELECT gen_random_uuid(), %(tenant)s, 'live', 'full', '{}', 'csv' FROM generate_series(1, 2000) n;
"""


@pytest.fixture(scope="module")
def large(platform: None) -> TestTenant:
    """A tenant with so much of everything that reading all of it is never right; another one has as much."""
    found = [make_tenant(), make_tenant()]
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        for tenant in found:
            params = {"tenant": tenant.id, "workspace": tenant.workspace_id, "n": CONTACTS}
            for statement in filter(str.strip, _FILL.split(";")):
                connection.execute(statement.encode(), params)
                connection.execute("ANALYZE contacts, tags, lists")
        connection.execute("ANALYZE")
    return found[0]


class MeasuringTx(Tx):
    """Runs each page with EXPLAIN ANALYZE first and keeps how many rows it read from tables and indexes."""

    read: list[int]

    def all(self, statement: Any, params: Any, row: Any = None) -> list[Any]:
        plan = Tx.one(self, "EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) " + statement, params)
        document = plan if isinstance(plan, list) else json.loads(plan)
        self.read = [*getattr(self, "read", []), rows_read(document[0]["Plan"]).total()]
        return Tx.all(self, statement, params, row)


def first(sort_by: str = "created_at", order: Any = "desc", after: Any = None) -> Keyset:
    return Keyset(PAGE, order, sort_by, "time" if sort_by.endswith("_at") else "text", None, after)


def listed(tx: Tx, keyset: Keyset, wanted: ContactFilter) -> tuple[list[Any], Any]:
    found = listing.list_contacts(tx, keyset, wanted)
    return found.rows, found.total


def contacts(**wanted: Any) -> Callable[[Tx], tuple[list[Any], Any]]:
    return lambda tx: listed(tx, first(), ContactFilter(**wanted))


def list_named(tx: Tx, name: str) -> UUID:
    return Tx.one(tx, "SELECT id FROM lists WHERE name = %(name)s", {"name": name})


READS: dict[str, Callable[[Tx], tuple[list[Any], Any]]] = {
    "contacts": contacts(),
    "contacts, oldest first": lambda tx: listed(tx, first(order="asc"), ContactFilter()),
    "contacts by address": lambda tx: listed(tx, first("email", "asc"), ContactFilter()),
    "contacts by change": lambda tx: listed(tx, first("updated_at"), ContactFilter()),
    "contacts of a common state": contacts(status="active"),
    "contacts of a rare state": contacts(status="bounced"),
    "contacts with an address": contacts(email="c4ca4238a0b923820dcc509a6f75849b@example.com"),
    "contacts with an external id": contacts(external_id="77"),
    "contacts found by search": contacts(search="abc"),
    "contacts with a common tag": contacts(tag="tag 1"),
    "contacts with a rare tag": contacts(tag="tag 77"),
    "contacts of a workspace": contacts(workspace="default"),
    "contacts on a long list": lambda tx: listed(tx, first(), ContactFilter(list_id=list_named(tx, "list 1"))),
    "contacts on a short list": lambda tx: listed(tx, first(), ContactFilter(list_id=list_named(tx, "list 77"))),
    "members of a long list": lambda tx: lists.list_members(tx, first(), list_named(tx, "list 1")),
    "members of a short list": lambda tx: lists.list_members(tx, first(), list_named(tx, "list 77")),
    "lists": lambda tx: lists.list_lists(tx, first(), name=None, kind=None),
    "lists by name": lambda tx: lists.list_lists(tx, first("name", "asc"), name=None, kind=None),
    "a list of a name": lambda tx: lists.list_lists(tx, first(), name="list 9", kind=None),
    "tags": lambda tx: tags.list_tags(tx, first(), name=None),
    "tags by name": lambda tx: tags.list_tags(tx, first("name"), name=None),
    "a tag of a name": lambda tx: tags.list_tags(tx, first(), name="tag 9"),
    "segments": lambda tx: segments.list_segments(tx, first()),
    "segments by name": lambda tx: segments.list_segments(tx, first("name")),
    "custom fields": lambda tx: fields.list_fields(tx, first()),
    "custom fields by key": lambda tx: fields.list_fields(tx, first("key")),
    "suppressed addresses": lambda tx: suppression.list_entries(tx, first("added_at"), email=None, reason=None),
    "suppressed for a rare reason": lambda tx: suppression.list_entries(
        tx, first("added_at"), email=None, reason="hard_bounce"
    ),
    "one suppressed address": lambda tx: suppression.list_entries(
        tx, first("added_at"), email="7@example.com", reason=None
    ),
    "imports": lambda tx: imports.list_jobs(tx, first(), status=None),
    "imports of a rare state": lambda tx: imports.list_jobs(tx, first(), status="failed"),
    "exports": lambda tx: exports.list_jobs(tx, first()),
}


@pytest.mark.parametrize("read", READS)
def test_a_read_touches_at_most_ten_times_the_rows_that_it_returns(large: TestTenant, read: str) -> None:
    with transaction(tenant_id=large.id, mode="live") as tx:
        measuring = MeasuringTx(tx.connection, tx.tenant_id, tx.mode)
        rows, _ = READS[read](measuring)

    assert rows
    assert sum(measuring.read) <= FACTOR * len(rows), f"{read}: {measuring.read} rows for {len(rows)}"


@pytest.mark.parametrize("wanted", [{}, {"tag": "tag 1"}, {"status": "active"}], ids=str)
def test_a_page_in_the_middle_costs_what_the_first_one_does(large: TestTenant, wanted: dict[str, Any]) -> None:
    with transaction(tenant_id=large.id, mode="live") as tx:
        middle = tx.one(
            "SELECT array_agg(created_at || '|' || id) FROM (SELECT created_at, id FROM contacts ORDER BY created_at"
            " OFFSET %(half)s LIMIT 1) one",
            {"half": CONTACTS // 2},
        )[0].split("|")
        measuring = MeasuringTx(tx.connection, tx.tenant_id, tx.mode)
        rows, _ = listed(measuring, first(after=(middle[0], UUID(middle[1]))), ContactFilter(**wanted))

    assert len(rows) == PAGE + 1
    assert sum(measuring.read) <= FACTOR * len(rows)


def test_one_contact_is_read_by_its_id(large: TestTenant) -> None:
    with transaction(tenant_id=large.id, mode="live") as tx:
        some = tx.one("SELECT id FROM contacts LIMIT 1", {})
        plan = tx.one("EXPLAIN (ANALYZE, FORMAT JSON) " + single.SELECT + " WHERE c.id = %(id)s", {"id": some})

    assert rows_read(plan[0]["Plan"]).total() <= FACTOR


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM contacts WHERE first_name LIKE 'abc%%' LIMIT 50",
        "SELECT id FROM contacts WHERE attributes @> '{\"a\": 1}' LIMIT 50",
        "SELECT id FROM contacts WHERE lower(email) = 'a@example.com' LIMIT 50",
    ],
)
def test_a_read_that_walks_through_all_contacts_is_noticed(large: TestTenant, statement: str) -> None:
    with transaction(tenant_id=large.id, mode="live") as tx:
        measuring = MeasuringTx(tx.connection, tx.tenant_id, tx.mode)
        rows = measuring.all(statement, {})

    assert sum(measuring.read) > FACTOR * max(len(rows), PAGE)
