"""Searches for what contacts are linked to begin where the links do, and find the same people wherever these are."""

import os
from typing import Any

import psycopg
import pytest

from contacts import listing
from contacts.app import handler
from contacts.listing import ContactFilter
from penguinmails.db import Tx, transaction
from penguinmails.keyset import Keyset, Order
from tests.support.http import call
from tests.support.tenants import TestTenant, make_tenant

CONTACTS = 8_000
_FILL = """
INSERT INTO contacts (id, tenant_id, mode, email, external_id, status, source, created_at)
SELECT gen_random_uuid(), %(tenant)s, 'live', n || '@example.com', n,
       CASE WHEN n %% 10 = 0 THEN 'bounced' ELSE 'active' END, 'api', now() - (%(contacts)s - n) * interval '1 second'
FROM generate_series(1, %(contacts)s) n;
INSERT INTO lists (id, tenant_id, mode, name, type) VALUES (gen_random_uuid(), %(tenant)s, 'live', 'runs', 'static');
INSERT INTO tags (id, tenant_id, mode, name)
SELECT gen_random_uuid(), %(tenant)s, 'live', name FROM unnest(ARRAY['runs', 'nobody']) AS name;
INSERT INTO workspaces (id, tenant_id, name, slug) VALUES (gen_random_uuid(), %(tenant)s, 'Runs', 'runs');
INSERT INTO contact_lists (tenant_id, mode, contact_id, list_id, contact_created_at)
SELECT c.tenant_id, c.mode, c.id, l.id, c.created_at
FROM contacts c JOIN lists l USING (tenant_id) WHERE c.tenant_id = %(tenant)s AND c.external_id::integer / 500 IN (6, 9);
INSERT INTO contact_tags (tenant_id, mode, contact_id, tag_id, contact_created_at)
SELECT c.tenant_id, c.mode, c.id, t.id, c.created_at
FROM contacts c JOIN tags t USING (tenant_id)
WHERE c.tenant_id = %(tenant)s AND t.name = 'runs' AND c.external_id::integer / 500 IN (6, 9);
INSERT INTO contact_workspaces (tenant_id, mode, contact_id, workspace_id, contact_created_at)
SELECT c.tenant_id, c.mode, c.id, w.id, c.created_at
FROM contacts c JOIN workspaces w USING (tenant_id)
WHERE c.tenant_id = %(tenant)s AND w.slug = 'runs' AND c.external_id::integer / 500 IN (6, 9)
"""
MEMBERS = [n for n in (*range(3000, 3500), *range(4500, 5000)) if n % 10]
LINKS = ("list_id", "tag", "workspace")


@pytest.fixture(scope="module")
def tenant(platform: None) -> TestTenant:
    """An account in which half of a list, a tag and a workspace was filled at one time and half at another one."""
    tenant = make_tenant()
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        for statement in _FILL.split(";"):
            connection.execute(statement.encode(), {"tenant": tenant.id, "contacts": CONTACTS})
        connection.execute("ANALYZE")
    return tenant


def named(tenant: TestTenant, link: str) -> dict[str, Any]:
    if link != "list_id":
        return {link: "runs"}
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return {link: tx.one("SELECT id FROM lists", {})}


def index_scans(tx: Tx) -> int:
    """Of the words of contacts, by this connection."""
    statement = "SELECT idx_scan FROM pg_stat_xact_user_tables WHERE relid = 'contact_search'::regclass"
    return tx.one(statement, {}) or 0


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("link", LINKS)
def test_pages_go_on_from_one_run_of_contacts_to_the_next(tenant: TestTenant, link: str, order: Order) -> None:
    key = tenant.key().plaintext
    query = {"status": "active", "order": order, "limit": "100", **named(tenant, link)}
    found: list[int] = []
    cursor: dict[str, str] = {}
    while cursor is not None:
        answer = call(handler, "GET", "/api/v1/contacts", token=key, query={**query, **cursor})
        found += [int(contact["external_id"]) for contact in answer.json["data"]]
        following = answer.json["pagination"]["next_cursor"]
        cursor = {"cursor": following} if following else None

    assert found == sorted(MEMBERS, reverse=order == "desc")


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("link", LINKS)
def test_a_run_of_contacts_far_from_where_a_page_begins_is_not_searched_for(
    tenant: TestTenant, link: str, order: Order
) -> None:
    wanted = ContactFilter(status="active", **named(tenant, link))
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        before = index_scans(tx)
        found = listing.list_contacts(tx, Keyset(50, order, "created_at", "time", None, None), wanted)
        scans = index_scans(tx) - before

    assert len(found.rows) == 51
    assert scans <= 8


def test_nobody_is_found_by_a_tag_that_nobody_has(tenant: TestTenant) -> None:
    query = {"status": "active", "tag": "nobody"}

    assert call(handler, "GET", "/api/v1/contacts", token=tenant.key().plaintext, query=query).json["data"] == []
