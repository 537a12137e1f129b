"""Contacts: search finds how an address or a name begins, and never by reading all contacts of the tenant."""

import os
import re
from typing import Any

import psycopg
import pytest

from contacts import listing
from contacts.app import handler
from contacts.listing import ContactFilter
from penguinmails.db import Tx, transaction
from penguinmails.keyset import Keyset
from tests.support.http import call
from tests.support.tenants import TestKey, TestTenant, make_tenant

CONTACTS = "/api/v1/contacts"
PEOPLE = [
    {"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"},
    {"email": "grace@example.com", "first_name": "Grace", "last_name": "Hopper"},
    {"email": "lov.e_ly%@example.com", "first_name": "Adèle", "last_name": "Élan"},
    {"email": "nobody@example.com"},
]


def found(key: TestKey, **query: Any) -> list[str]:
    answer = call(handler, "GET", CONTACTS, token=key.plaintext, query={"order": "asc", **query})
    assert answer.status == 200, answer.body
    return [item["email"].split("@")[0] for item in answer.json["data"]]


@pytest.fixture
def people(key: TestKey) -> TestKey:
    for person in PEOPLE:
        assert call(handler, "POST", CONTACTS, token=key.plaintext, json=person).status == 201
    return key


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("LOV", ["ada", "lov.e_ly%"]),
        ("adè", ["lov.e_ly%"]),
        ("ÉL", ["lov.e_ly%"]),
        ("hopper", ["grace"]),
        ("grace@ex", ["grace"]),
        ("opper", []),
        ("%", []),
        ("_", []),
        ("lov.e_ly%", ["lov.e_ly%"]),
        ("'; DROP TABLE contacts", []),
    ],
)
def test_search_finds_beginnings_in_any_case(people: TestKey, search: str, expected: list[str]) -> None:
    assert found(people, search=search) == expected


def test_search_counts_what_it_finds(people: TestKey) -> None:
    query = {"search": "ad", "offset": "0", "limit": "1"}

    page = call(handler, "GET", CONTACTS, token=people.plaintext, query=query).json["pagination"]

    assert (page["total"], page["has_more"]) == (2, True)


def test_contacts_are_narrowed_to_a_workspace_by_its_slug(tenant: TestTenant, key: TestKey) -> None:
    linked = {"email": "in@example.com", "workspace_ids": [str(tenant.workspace_id)]}
    for body in (linked, {"email": "out@example.com"}):
        call(handler, "POST", CONTACTS, token=key.plaintext, json=body)

    assert found(key, workspace="default") == ["in"]
    assert found(key, workspace="other") == []


def test_a_workspace_of_another_tenant_cannot_be_linked(other_tenant: TestTenant, key: TestKey) -> None:
    body = {"email": "ada@example.com", "workspace_ids": [str(other_tenant.workspace_id)]}

    answer = call(handler, "POST", CONTACTS, token=key.plaintext, json=body)

    assert (answer.status, answer.json["errors"][0]["code"]) == (400, "not_found")
    assert found(key) == []


@pytest.fixture(scope="module")
def large_tenant(platform: None) -> TestTenant:
    """A tenant with so many contacts that reading them all is never the planner's choice."""
    tenant = make_tenant()
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            """
            INSERT INTO contacts (id, tenant_id, mode, email, first_name, last_name, external_id, source, created_at)
            SELECT gen_random_uuid(), %s, 'live', md5(n::text) || '@example.com', md5('f' || n), md5('l' || n), n, 'api',
                   now() - n * interval '1 second'
            FROM generate_series(1, 20000) n
            """,
            [tenant.id],
        )
        connection.execute(
            """
            INSERT INTO tags (id, tenant_id, mode, name)
            SELECT gen_random_uuid(), %s, 'live', 'tag ' || n FROM generate_series(1, 2000) n
            """,
            [tenant.id],
        )
        # Else the checks of foreign keys are planned for tables that are empty, and read all there is for each row.
        connection.execute("ANALYZE contacts, tags")
        connection.execute(
            """
            INSERT INTO contact_tags (tenant_id, mode, contact_id, tag_id, contact_created_at)
            SELECT c.tenant_id, c.mode, c.id, t.id, c.created_at FROM contacts c
            JOIN tags t ON t.tenant_id = c.tenant_id AND t.name = 'tag ' || (c.external_id::integer / 10 + 1)
            WHERE c.tenant_id = %s
            """,
            [tenant.id],
        )
        connection.execute("ANALYZE contacts, tags, contact_tags")
    return tenant


class ExplainingTx(Tx):
    """Collects the plan of each statement that a repository runs, as the application's role under row security."""

    plans: list[str]

    def all(self, statement: Any, params: Any, row: Any = None) -> list[Any]:
        self.plans = [*getattr(self, "plans", []), "\n".join(Tx.all(self, "EXPLAIN " + statement, params))]
        return Tx.all(self, statement, params, row)


@pytest.mark.parametrize(
    "wanted",
    [
        ContactFilter(email="nobody@example.com"),
        ContactFilter(external_id="77"),
        ContactFilter(tag="tag 7"),
    ],
    ids=lambda wanted: next(name for name in ContactFilter.__slots__ if getattr(wanted, name)),
)
def test_a_filter_uses_an_index_under_row_security(large_tenant: TestTenant, wanted: ContactFilter) -> None:
    with transaction(tenant_id=large_tenant.id, mode="live") as tx:
        explaining = ExplainingTx(tx.connection, tx.tenant_id, tx.mode)
        listing.list_contacts(explaining, Keyset(50, "desc", "created_at", "time", None, None), wanted)

    (plan,) = explaining.plans
    # The tables of what is shown besides may hold a handful of rows that other tests have left.
    assert {"contacts", "tags", "contact_tags"}.isdisjoint(re.findall(r"Seq Scan on (\w+)", plan)), plan
    # What is not in an index condition is evaluated row by row, so the value that was asked for must be in one.
    conditions = " ".join(re.findall(r"Index Cond: (.*)", plan)).replace("(", "").replace(")::text", "")
    asked = {"email": "email =", "external_id": "external_id =", "tag": "name ="}
    assert next(asked[name] for name in asked if getattr(wanted, name)) in conditions, plan
