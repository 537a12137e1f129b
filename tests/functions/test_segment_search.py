"""Members of a segment are found by the words of contacts: whatever the rules, they are whom the rules' condition finds."""

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penguinmails.db import Tx, transaction
from penguinmails.domain import segment_pages
from penguinmails.domain.contact_fields import store_field_values
from penguinmails.domain.segment_pages import count_in_time, page_in_time, read_segment
from penguinmails.domain.segment_search import Known, necessary_search
from penguinmails.keyset import Keyset
from tests.support.segments import by_condition
from tests.support.tenants import TestTenant, make_tenant

FIRST_DAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
LONG = "Ärger " * 42
LONG_TURKISH = "İ" * 100
TEXTS = ["ann", "ANNIE", "Bo", "Łódź", "łÓdŹ", "ΟΔΟΣ", "straße", "o'x", "a\\b", " a  b ", "a\x01b", "a\nb", "-", "100%", LONG,
         LONG_TURKISH]  # fmt: skip
NUMBERS = [-(10**15), -1.5, -0.1, 0, 0.1, 0.30000000000000004, 0.3, 1, 1.0000000000000002, 5, 99.99, 2**53, 2**53 + 1,
           10**15]  # fmt: skip
DAYS = ["2026-01-31", "2026-01-31T23:59:59.999999Z", "1969-12-31", "2026-02-01"]
FIELDS = {"trade": "text", "seats": "number", "renewal": "date", "vip": "boolean"}
TAGS = ["even", "Rare", "rare", "unused"]
TIMES = [0, 1, 2, 3, 5, 7, 8, 9, 12, 15, 16, 40, 1000, 2**31 - 1]
CROWD = 500
OVER = timedelta(seconds=-1)
"""A budget that is used up at once."""


def people() -> list[dict[str, Any]]:
    """Contacts that differ in everything, in runs, so that what a rule meets is now dense, now rare, now far away."""
    found: list[dict[str, Any]] = []
    for n in range(CROWD):
        attributes = {
            "trade": [None, *TEXTS][n % (len(TEXTS) + 1)],
            "seats": [None, *NUMBERS][n * 7 % (len(NUMBERS) + 1)],
            "renewal": [None, *DAYS][n // 3 % (len(DAYS) + 1)],
            "vip": [None, True, False][n // 50 % 3],
        }
        tags = {"even": n % 2 == 0, "Rare": n in {3, 450}, "rare": 200 <= n < 230}
        found.append(
            {
                "id": uuid4(),
                "email": f"{['ann', 'bo', 'łódź'][n % 3]}.{n}@x.example",
                "first_name": [None, *TEXTS[:14]][n // 20 % 15],
                "company": [None, *TEXTS][n * 5 % (len(TEXTS) + 1)],
                "city": "Łódź" if 300 <= n < 310 else None,
                "status": "bounced" if 100 <= n < 160 or n % 97 == 0 else "active",
                "score": n % 101,
                "phone": f"+48 {n % 90} ext" if n % 3 else None,
                "external_id": f"Id-{n}",
                "opens": TIMES[n % len(TIMES)],
                "clicks": TIMES[n // 9 % len(TIMES)],
                "opened_at": FIRST_DAY - timedelta(hours=n) if n % len(TIMES) else None,
                "attributes": {key: value for key, value in attributes.items() if value is not None},
                # Several were added at the same moment.
                "created_at": FIRST_DAY + timedelta(minutes=n // 3),
                "tags": [tag for tag, holds in tags.items() if holds],
                "is_listed": n % 5 == 0,
            }
        )
    return found


@pytest.fixture(scope="module")
def crowd(platform: None) -> Iterator[tuple[TestTenant, dict[str, str]]]:
    tenant = make_tenant()
    contacts = people()
    list_id = uuid4()
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO contact_fields (id, tenant_id, mode, key, type) VALUES (gen_random_uuid(), %s, 'live', %s, %s)",
            [(tenant.id, *field) for field in FIELDS.items()],
        )
        cursor.execute(
            """
            INSERT INTO contacts (id, tenant_id, mode, email, first_name, company, city, status, lead_score, attributes,
                                  phone, external_id, source, created_at)
            SELECT id, %(tenant)s, 'live', email, first_name, company, city, status, score, attributes, phone, external_id,
                   'api', created_at
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS c (id uuid, email text, first_name text, company text, city text,
                                                           status text, score integer, attributes jsonb, phone text,
                                                           external_id text, created_at timestamptz)
            """,
            {"tenant": tenant.id, "rows": json.dumps(contacts, default=str)},
        )
        # Changed twice: what is searched by is the last change. The lead score stays what it was said to be.
        cursor.execute("ALTER TABLE contacts DISABLE TRIGGER score_contact")
        cursor.execute(
            "UPDATE contacts SET total_opens = 6, total_clicks = 3, last_email_opened_at = now() WHERE tenant_id = %s",
            [tenant.id],
        )
        cursor.executemany(
            "UPDATE contacts SET total_opens = %s, total_clicks = %s, last_email_opened_at = %s WHERE id = %s",
            [(c["opens"], c["clicks"], c["opened_at"], c["id"]) for c in contacts],
        )
        cursor.execute("ALTER TABLE contacts ENABLE TRIGGER score_contact")
        tags = {name: uuid4() for name in TAGS}
        cursor.executemany(
            "INSERT INTO tags (id, tenant_id, mode, name) VALUES (%s, %s, 'live', %s)",
            [(tag_id, tenant.id, name) for name, tag_id in tags.items()],
        )
        cursor.executemany(
            """
            INSERT INTO contact_tags (tenant_id, mode, contact_id, tag_id, contact_created_at)
            VALUES (%s, 'live', %s, %s, %s)
            """,
            [(tenant.id, c["id"], tags[tag], c["created_at"]) for c in contacts for tag in c["tags"]],
        )
        cursor.execute(
            "INSERT INTO lists (id, tenant_id, mode, name, type) VALUES (%s, %s, 'live', 'l', 'static')",
            [list_id, tenant.id],
        )
        cursor.executemany(
            """
            INSERT INTO contact_lists (tenant_id, mode, contact_id, list_id, contact_created_at)
            VALUES (%s, 'live', %s, %s, %s)
            """,
            [(tenant.id, c["id"], list_id, c["created_at"]) for c in contacts if c["is_listed"]],
        )
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        store_field_values(tx, [c["id"] for c in contacts])
    yield tenant, {"list": str(list_id), "workspace": str(tenant.workspace_id)}


def comparison(
    fields: list[str], operators: list[str], values: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"field": st.sampled_from(fields), "operator": st.sampled_from(operators), "value": values}
    )


EMAILS = ["ANN.0@x.example", "ann.3", "ŁÓDŹ.2", "Łódź.20@X.example"]
TEXT = st.sampled_from(
    [changed[:255] for text in TEXTS for changed in (text, text.upper(), text.lower(), text.title())]
)
BEGINNINGS = st.tuples(TEXT, st.integers(1, 255)).map(lambda cut: cut[0][: cut[1]])
TEXT_FIELDS = ["first_name", "company", "city", "attributes.trade"]
NUMBER = st.one_of(
    st.sampled_from([n for n in NUMBERS if n <= 10**15]), st.integers(-3, 103), st.floats(-2, 102, allow_nan=False)
)
COMPARED = ["equals", "not_equals", "greater_than", "at_least", "less_than", "at_most"]
MOMENTS = st.one_of(
    st.sampled_from(DAYS),
    st.integers(-10, CROWD // 3 + 10).map(lambda n: (FIRST_DAY + timedelta(minutes=n)).isoformat()),
)
OPENED = st.one_of(
    st.sampled_from(["0001-01-01", "9999-12-31T23:59:59.999999Z"]),
    st.integers(0, CROWD).map(lambda n: (FIRST_DAY - timedelta(hours=n)).isoformat()),
)
LEAVES = st.one_of(
    comparison(TEXT_FIELDS, ["equals", "not_equals"], TEXT),
    comparison(TEXT_FIELDS, ["one_of", "not_one_of"], st.lists(TEXT, min_size=1, max_size=4)),
    comparison([*TEXT_FIELDS, "email"], ["starts_with", "ends_with", "contains", "not_contains"], BEGINNINGS),
    comparison(
        ["email"],
        ["equals", "starts_with"],
        st.sampled_from(["ANN.0@x.example", "ann.3", "ŁÓDŹ.2", "Łódź.20@X.example"]),
    ),
    comparison(["status"], ["equals", "not_equals"], st.sampled_from(["Active", "bounced", "gone"])),
    comparison(["lead_score", "attributes.seats", "total_opens", "total_clicks"], COMPARED, NUMBER),
    comparison(["total_opens", "total_clicks"], COMPARED, st.sampled_from([*TIMES, 2.5, 10**15])),
    comparison(["last_email_opened_at"], ["before", "after"], st.one_of(MOMENTS, OPENED)),
    comparison(["phone"], ["equals", "not_equals"], st.sampled_from(["+48 1 EXT", "+48 2 ext", "+48 91 ext"])),
    comparison(
        ["external_id"], ["one_of", "not_one_of"], st.lists(st.sampled_from(["id-7", "ID-400", "id-x"]), min_size=1)
    ),
    comparison(["attributes.renewal"], ["before", "after"], MOMENTS),
    comparison(["created_at"], ["before", "after"], st.one_of(MOMENTS, st.just("9999-12-31T23:59:59.999999Z"))),
    comparison(
        ["created_at", "attributes.renewal", "last_email_opened_at"],
        ["in_last_days", "not_in_last_days"],
        st.integers(1, 60),
    ),
    comparison(["attributes.vip"], ["equals", "not_equals"], st.booleans()),
    comparison(["tag"], ["has", "has_not"], st.sampled_from([*TAGS, "missing"])),
    comparison(["list"], ["has", "has_not"], st.just("LIST")),
    comparison(["workspace"], ["has"], st.just("WORKSPACE")),
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(
                ["company", "city", "attributes.vip", "attributes.trade", "status", "last_email_opened_at", "phone"]
            ),
            "operator": st.sampled_from(["is_set", "is_not_set"]),
        }
    ),
)
DEFINITIONS = st.recursive(
    LEAVES,
    lambda rules: st.one_of(
        st.fixed_dictionaries({"all": st.lists(rules, min_size=1, max_size=4)}),
        st.fixed_dictionaries({"any": st.lists(rules, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": rules}),
    ),
    max_leaves=8,
).filter(lambda rule: depth(rule) <= 5)


def depth(rule: Any) -> int:
    inner = rule.get("all") or rule.get("any") or ([rule["not"]] if "not" in rule else [])
    return 1 + max(map(depth, inner), default=0)


def with_ids(rule: Any, ids: dict[str, str]) -> Any:
    if "field" in rule:
        return {**rule, "value": ids[rule["field"]]} if rule["field"] in ids else rule
    return {
        name: [with_ids(r, ids) for r in part] if name != "not" else with_ids(part, ids) for name, part in rule.items()
    }


def page_by_page(tx: Tx, definition: Any, order: Any, size: int, **patience: Any) -> list[UUID]:
    seen: list[UUID] = []
    after = None
    segment = read_segment(tx, definition)
    for _ in range(2 * CROWD):
        page = page_in_time(tx, Keyset(size, order, "created_at", "time", None, after), segment, **patience)
        kept = page.rows[:size]
        seen += [row.id for row in kept]
        after = (kept[-1].created_at, kept[-1].id) if len(page.rows) > size else page.stopped_at
        if after is None:
            return seen
    raise AssertionError("the pages have no end")


@settings(max_examples=300, deadline=None)
@given(rule=DEFINITIONS, order=st.sampled_from(["desc", "asc"]), size=st.sampled_from([7, 20, 60]))
@example(rule={"field": "company", "operator": "equals", "value": "A\x01B"}, order="desc", size=7)
@example(rule={"field": "attributes.trade", "operator": "equals", "value": "i̇" * 100}, order="desc", size=7)
@example(rule={"field": "attributes.seats", "operator": "greater_than", "value": 0.3}, order="asc", size=7)
def test_pages_to_the_end_have_whom_the_condition_finds_in_the_same_order(
    crowd: tuple[TestTenant, dict[str, str]], rule: Any, order: str, size: int
) -> None:
    tenant, ids = crowd
    definition = with_ids(rule, ids)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        expected = [row.id for row in by_condition(tx, definition, order)]

        assert page_by_page(tx, definition, order, size) == expected
        assert count_in_time(tx, read_segment(tx, definition)).contacts == len(expected)
        skipping = page_in_time(tx, Keyset(size, order, "created_at", "time", 10, None), read_segment(tx, definition))
        assert ([row.id for row in skipping.rows], skipping.total) == (expected[10 : 11 + size], len(expected))


@settings(max_examples=40, deadline=None)
@given(rule=DEFINITIONS, order=st.sampled_from(["desc", "asc"]))
def test_pages_that_are_stopped_again_and_again_have_everybody_once(
    crowd: tuple[TestTenant, dict[str, str]], rule: Any, order: str
) -> None:
    tenant, ids = crowd
    definition = with_ids(rule, ids)
    with transaction(tenant_id=tenant.id, mode="live") as tx, mock.patch.object(segment_pages, "WINDOW", 70):
        expected = [row.id for row in by_condition(tx, definition, order)]

        assert page_by_page(tx, definition, order, 7, budget=OVER) == expected
        assert counted_in_parts(tx, definition) == len(expected)


def counted_in_parts(tx: Tx, definition: Any) -> int:
    segment, found, after = read_segment(tx, definition), 0, None
    for _ in range(2 * CROWD):
        counted = count_in_time(tx, segment, after=after, budget=OVER)
        found, after = found + counted.contacts, counted.stopped_at
        if after is None:
            return found
    raise AssertionError("the count has no end")


def known_addresses(kind: str, values: Sequence[str]) -> list[str] | None:
    return None if "many" in values else ["a@x.example"] * (kind == "phone")


KNOWN = Known({}, lambda *_: "7", known_addresses)
SOME = {"field": "company", "operator": "equals", "value": "Acme"}
OTHER = {"field": "tag", "operator": "has", "value": "vip"}
NOTHING = {"field": "company", "operator": "contains", "value": "cm"}


@pytest.mark.parametrize(
    ("definition", "clauses"),
    [
        (SOME, [{"cAcme"}]),
        ({"all": [SOME, NOTHING, OTHER]}, [{"cAcme"}, {"t7"}]),
        ({"any": [SOME, OTHER]}, [{"cAcme", "t7"}]),
        ({"any": [{"all": [SOME, OTHER]}, OTHER]}, [{"cAcme", "t7"}, {"t7"}]),
        ({"all": [{"not": SOME}, OTHER]}, [{"!cAcme"}, {"t7"}]),
        ({"not": {"any": [SOME, {"not": OTHER}]}}, [{"!cAcme"}, {"t7"}]),
        ({"any": [{"all": [SOME, {"not": OTHER}]}, OTHER]}, [{"cAcme", "t7"}]),
        ({"field": "company", "operator": "is_not_set"}, [{"!c"}]),
        ({"field": "email", "operator": "is_not_set"}, [{"b-"}]),
        ({"field": "phone", "operator": "equals", "value": "+48 1"}, [{"ea@x.example"}]),
        ({"field": "external_id", "operator": "equals", "value": "1"}, [{"b-"}]),
        ({"field": "total_opens", "operator": "equals", "value": 0}, [{"!g"}]),
        ({"field": "total_clicks", "operator": "at_least", "value": 1}, [{"h"}]),
        ({"field": "total_opens", "operator": "equals", "value": 9}, [{"g19"}]),
        ({"not": {"field": "total_opens", "operator": "equals", "value": 5}}, [{"!g05"}]),
        ({"field": "last_email_opened_at", "operator": "is_not_set"}, [{"!r"}]),
        ({"all": [{"field": "company", "operator": "one_of", "value": ["a"] * 100 + ["b" * 128]}, OTHER]}, [{"t7"}]),
        ({"all": [{"field": "company", "operator": "one_of", "value": ["a" * 120] * 100}, OTHER]}, [{"t7"}]),
    ],
)
def test_of_rules_that_no_word_stands_for_the_others_are_searched_by(definition: Any, clauses: list[set[str]]) -> None:
    search = necessary_search(definition, KNOWN)

    assert search is not None
    assert [
        {"!" * clause.negated + letter + text for letter, text, _ in clause.any} for clause in search.clauses
    ] == clauses


@pytest.mark.parametrize(
    "definition",
    [
        NOTHING,
        {"any": [SOME, NOTHING]},
        {"any": [SOME, {"not": OTHER}]},
        {"not": {"all": [SOME, OTHER]}},
        {"field": "total_opens", "operator": "not_equals", "value": 17},
        {"field": "company", "operator": "starts_with", "value": "ac"},
        {"field": "company", "operator": "ends_with", "value": "acme"},
        {"field": "phone", "operator": "one_of", "value": ["+48 1", "many"]},
        {"field": "updated_at", "operator": "after", "value": "2026-01-01"},
        {"any": [SOME, {"field": "created_at", "operator": "after", "value": "2026-01-01"}]},
    ],
)
def test_rules_that_no_word_stands_for_are_not_searched_by(definition: Any) -> None:
    assert necessary_search(definition, KNOWN) is None
