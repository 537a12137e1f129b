"""Whatever a search of contacts asks, what it finds is what a plain reading of the query does, page by page."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts import search_rows
from contacts.search import compile_search
from contacts.search_grammar import Term, parse
from contacts.search_rows import page_of_search
from penguinmails.db import transaction
from penguinmails.domain.contact_search import find_link
from penguinmails.keyset import Keyset
from tests.support.tenants import TestTenant, make_tenant

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)

WORDS = ("ann", "annie", "bo", "acme", "Acme Inc", "łódź", "o'x", "a\\b")
CROWD = 700


@pytest.fixture(scope="module")
def crowd(platform: None) -> Iterator[tuple[TestTenant, list[dict[str, Any]]]]:
    """Contacts that come in runs, so that what a query meets is now dense, now rare, now far away."""
    tenant = make_tenant()
    contacts = [
        {
            "id": uuid4(),
            "email": f"{WORDS[n % 3]}.{n}@x.example",
            "first_name": WORDS[n // 40 % len(WORDS)],
            "company": WORDS[n * 7 % len(WORDS)] if n % 5 else None,
            "status": "bounced" if 300 <= n < 360 or n % 97 == 0 else "active",
            "lead_score": n % 101,
            # Several were added at the same moment.
            "created_at": FIRST_DAY + timedelta(hours=n // 3),
            "tags": {
                tag for tag, holds in (("even", n % 2 == 0), ("run", 500 <= n < 620), ("rare", n in {3, 650})) if holds
            },
        }
        for n in range(CROWD)
    ]
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        rows = json.dumps(contacts, default=lambda v: sorted(v) if isinstance(v, set) else str(v))
        connection.execute(
            """
            INSERT INTO contacts (id, tenant_id, mode, email, first_name, company, status, lead_score, source, created_at)
            SELECT id, %(tenant)s, 'live', email, first_name, company, status, lead_score, 'api', created_at
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS c (id uuid, email text, first_name text, company text, status text,
                                                           lead_score integer, created_at timestamptz)
            """,
            {"tenant": tenant.id, "rows": rows},
        )
        connection.execute(
            "INSERT INTO tags (id, tenant_id, mode, name) SELECT gen_random_uuid(), %s, 'live', t FROM unnest(%s::text[]) t",
            [tenant.id, ["even", "run", "rare"]],
        )
        connection.execute(
            """
            INSERT INTO contact_tags (tenant_id, mode, contact_id, tag_id, contact_created_at)
            SELECT t.tenant_id, 'live', c.id, t.id, c.created_at
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS c (id uuid, tags text[], created_at timestamptz)
            JOIN tags t ON t.tenant_id = %(tenant)s AND t.name = ANY(c.tags)
            """,
            {"tenant": tenant.id, "rows": rows},
        )
    yield tenant, contacts


def holds(term: Term, contact: dict[str, Any]) -> bool:
    """What a term means, said as plainly as can be."""
    value = term.value.lower()
    if term.field is None:
        texts = (contact["email"], contact["first_name"], contact["company"])
        met = any(text is not None and text.lower().startswith(value) for text in texts)
    elif term.field == "tag":
        met = term.value in contact["tags"]
    elif term.field in {"score", "created"}:
        whole: Any = int(value) if term.field == "score" else datetime.fromisoformat(value).replace(tzinfo=UTC).date()
        own = contact["lead_score"] if term.field == "score" else contact["created_at"].date()
        met = {
            ":": own == whole, ">": own > whole, ">=": own >= whole, "<": own < whole, "<=": own <= whole,
        }[term.operator]  # fmt: skip
    else:
        own = contact[term.field]
        met = own is not None and (own.lower().startswith(value) if term.is_prefix else own.lower() == value)
    return met != term.negated


def written(term: Term) -> str:
    value = '"' + term.value.replace("\\", "\\\\").replace('"', '\\"') + '"' + ("*" if term.is_prefix else "")
    return ("-" if term.negated else "") + (f"{term.field}{term.operator}" if term.field else "") + value


EQUAL = st.just(":")
COMPARED = st.sampled_from([":", ">", ">=", "<", "<="])


def terms(
    fields: list[str | None],
    operators: st.SearchStrategy[Any],
    values: st.SearchStrategy[str],
    *,
    is_prefix: bool = False,
) -> st.SearchStrategy[Term]:
    return st.builds(Term, st.sampled_from(fields), operators, values, st.just(is_prefix), st.booleans())


DAYS = st.dates(FIRST_DAY.date(), FIRST_DAY.date() + timedelta(days=10)).map(str)
TERMS = st.one_of(
    terms(["status"], EQUAL, st.sampled_from(["active", "bounced"])),
    terms(["first_name", "company"], EQUAL, st.sampled_from(WORDS)),
    terms(["first_name"], EQUAL, st.sampled_from(["ann", "acm", "łód"]), is_prefix=True),
    terms(["tag"], EQUAL, st.sampled_from(["even", "run", "rare", "none"])),
    terms(["score"], COMPARED, st.integers(0, 100).map(str)),
    terms(["created"], COMPARED.filter(lambda operator: operator != ":"), DAYS),
    terms([None], EQUAL, st.sampled_from([*WORDS, "a", "an", "bo.1", "ann.6"])),
)


@settings(max_examples=150, deadline=None)
@given(
    asked=st.lists(TERMS, min_size=1, max_size=4),
    size=st.integers(1, 60),
    newest_first=st.booleans(),
    start=st.one_of(st.none(), st.integers(0, CROWD - 1)),
)
def test_every_search_finds_what_a_plain_reading_does(
    crowd: tuple[TestTenant, list[dict[str, Any]]], asked: list[Term], size: int, newest_first: bool, start: int | None
) -> None:
    tenant, contacts = crowd
    ordered = sorted(contacts, key=lambda c: (c["created_at"], c["id"]), reverse=newest_first)
    after = None if start is None else (ordered[start]["created_at"], ordered[start]["id"])
    expected = [c["email"] for c in ordered[0 if start is None else start + 1 :] if all(holds(t, c) for t in asked)]
    query = " ".join(map(written, asked))

    assert parse(query) == asked
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        wanted = compile_search(parse(query), {}, lambda kind, name: find_link(tx, kind, name))
        order = "desc" if newest_first else "asc"
        found = page_of_search(tx, Keyset(size, order, "created_at", "time", None, after), wanted)
        total = page_of_search(tx, Keyset(size, order, "created_at", "time", 0, None), wanted).total

    assert [row.email for row in found.rows] == expected[: size + 1]
    assert found.stopped_at is None
    assert total == sum(all(holds(t, c) for t in asked) for c in contacts)


@settings(max_examples=25)
@given(asked=st.lists(TERMS, min_size=1, max_size=3), newest_first=st.booleans())
def test_a_search_that_is_stopped_again_and_again_finds_everybody_once(
    crowd: tuple[TestTenant, list[dict[str, Any]]], asked: list[Term], newest_first: bool
) -> None:
    tenant, contacts = crowd
    ordered = sorted(contacts, key=lambda c: (c["created_at"], c["id"]), reverse=newest_first)
    seen: list[str] = []
    after = None
    with (
        mock.patch.object(search_rows, "BUDGET", timedelta(0)),
        transaction(tenant_id=tenant.id, mode="live") as tx,
    ):
        wanted = compile_search(parse(" ".join(map(written, asked))), {}, lambda kind, name: find_link(tx, kind, name))
        for _ in range(CROWD):
            order = "desc" if newest_first else "asc"
            found = page_of_search(tx, Keyset(5, order, "created_at", "time", None, after), wanted)
            page = found.rows[:5]
            seen += [row.email for row in page]
            after = (page[-1].created_at, page[-1].id) if len(found.rows) > 5 else found.stopped_at
            if after is None:
                break

    assert seen == [c["email"] for c in ordered if all(holds(t, c) for t in asked)]
