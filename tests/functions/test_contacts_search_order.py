"""Contacts that were added side by side are all found, in their order, however their times and commits follow each other."""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from contacts.app import handler
from import_contacts import merge
from tests.support.http import call
from tests.support.imports_of_contacts import run_import
from tests.support.tenants import TestTenant

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
CONTACTS = 220


def add_one_by_one(tenant: TestTenant, stride: int) -> list[UUID]:
    """Each in a statement of its own, up to forty places from where its time and id would put it; as they are in order."""
    people = sorted((FIRST + timedelta(seconds=n // 30), uuid4()) for n in range(CONTACTS))
    arrivals = sorted(range(CONTACTS), key=lambda n: n + n * stride % 41)
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        for created_at, contact_id in (people[n] for n in arrivals):
            connection.execute(
                """
                INSERT INTO contacts (id, tenant_id, mode, email, status, source, created_at)
                VALUES (%s, %s, 'live', %s, 'active', 'api', %s)
                """,
                [contact_id, tenant.id, f"{contact_id}@example.com", created_at],
            )
    return [contact_id for _, contact_id in people]


@pytest.mark.parametrize("stride", [7, 13, 29])
def test_small_pages_of_a_search_leave_nobody_out(tenant: TestTenant, stride: int) -> None:
    ordered = add_one_by_one(tenant, stride)
    key = tenant.key()

    for order in ("asc", "desc"):
        found: list[str] = []
        query = {"query": "status:active", "order": order, "limit": "7"}
        for _ in range(CONTACTS):
            page = call(handler, "GET", "/api/v1/contacts/search", token=key.plaintext, query=query)
            assert page.status == 200, page.body
            found += [contact["id"] for contact in page.json["data"]]
            if not page.json["pagination"]["has_more"]:
                break
            query["cursor"] = page.json["pagination"]["next_cursor"]

        assert found == [str(contact_id) for contact_id in (ordered if order == "asc" else reversed(ordered))]


def test_a_search_finds_everyone_whom_an_import_added_side_by_side(
    tenant: TestTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "ROWS_PER_SLICE", 90)
    key = tenant.key()
    done = run_import(tenant, key, "email\n" + "".join(f"p{n:04}@example.com\n" for n in range(900)))
    assert done["created_count"] == 900

    for order in ("asc", "desc"):
        found: list[str] = []
        query = {"query": "status:active", "order": order, "limit": "50"}
        for _ in range(40):
            page = call(handler, "GET", "/api/v1/contacts/search", token=key.plaintext, query=query)
            found += [contact["email"] for contact in page.json["data"]]
            if not page.json["pagination"]["has_more"]:
                break
            query["cursor"] = page.json["pagination"]["next_cursor"]

        assert sorted(found) == [f"p{n:04}@example.com" for n in range(900)]
