"""Contacts are searched by a small language; whatever is asked, what is found is what a plain reading of it says."""

import string
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts import search_rows
from contacts.app import handler
from contacts.search_grammar import MAX_LENGTH, Term, parse
from penguinmails import keyset
from penguinmails.db import transaction
from penguinmails.domain import contact_search
from penguinmails.domain.contact_words import covering, digits
from penguinmails.errors import ValidationFailed
from tests.support.http import Answer, call
from tests.support.tenants import TestKey, TestTenant, make_tenant

CONTACTS = "/api/v1/contacts"


def search(key: TestKey, query: str, **more: str) -> Answer:
    return call(handler, "GET", f"{CONTACTS}/search", token=key.plaintext, query={"query": query, **more})


def found(key: TestKey, query: str) -> set[str]:
    answer = search(key, query, limit="100")
    assert answer.status == 200, answer.body
    return {item["email"].split("@")[0] for item in answer.json["data"]}


def refusal(key: TestKey, query: str) -> str:
    answer = search(key, query)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), answer.body
    return answer.json["errors"][0]["message"]


# ---- the language ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("industry:SaaS", [Term("industry", ":", "SaaS")]),
        ('company:"Acme Inc" AND tag=vip', [Term("company", ":", "Acme Inc"), Term("tag", ":", "vip")]),
        ("score>50 score<=60", [Term("score", ">", "50"), Term("score", "<=", "60")]),
        ("-tag:vip NOT ada", [Term("tag", ":", "vip", negated=True), Term(None, ":", "ada", negated=True)]),
        ('"company:Acme"', [Term(None, ":", "company:Acme")]),
        (r'company:"a \"b\" \\"', [Term("company", ":", 'a "b" \\')]),
        ('company:Acm* "x y"*', [Term("company", ":", "Acm", is_prefix=True), Term(None, ":", "x y", is_prefix=True)]),
        ("attributes.size:3", [Term("attributes.size", ":", "3")]),
        ("and not or", [Term(None, ":", "and"), Term(None, ":", "not"), Term(None, ":", "or")]),
    ],
)
def test_a_query_is_a_list_of_terms(query: str, expected: list[Term]) -> None:
    assert parse(query) == expected


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("  ", "holds no term"),
        ("a OR b", "has OR"),
        ("AND a", "without a term before"),
        ("a AND", "ends where"),
        ("NOT", "ends where"),
        ("NOT NOT a", "NOT twice"),
        ("NOT -a", "NOT and -"),
        ('company:"Acme', "a quote not closed"),
        ("company:", "the value is empty"),
        ('""', "a word is empty"),
        ("*", "a word is empty"),
        ("a " * 21, "21 terms; at most 20"),
        ("x" * (MAX_LENGTH + 1), "longer than 500"),
        ("x" * 256, "longer than 255"),
        ("a\x00b", "NUL"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(query: str, said: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse(query)

    assert said in str(refused.value.detail)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        terms = parse(text)
    except ValidationFailed as refused:
        assert refused.errors
    else:
        assert terms
        assert all(term.value for term in terms)


@given(st.text(alphabet=string.printable, min_size=1, max_size=40))
def test_every_text_can_be_asked_for_in_quotes(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if text.strip():
        assert parse(f'company:"{escaped}"') == [Term("company", ":", text.strip())]


@given(st.integers(0, 0xFFF), st.integers(0, 0xFFF))
def test_a_range_of_digits_is_covered_by_beginnings_of_exactly_its_numbers(low: int, high: int) -> None:
    beginnings = covering(f"{low:03x}", f"{high:03x}")

    covered = [n for n in range(0x1000) for beginning in beginnings if f"{n:03x}".startswith(beginning)]
    assert covered == list(range(low, high + 1))


@settings(max_examples=50)
@given(st.lists(st.floats(-1e15, 1e15), min_size=2, max_size=5))
def test_numbers_have_the_order_of_their_digits_in_python_as_in_the_database(values: list[float]) -> None:
    with transaction(role="jobs") as tx:
        stored = tx.all("SELECT search_number(v::text::numeric) FROM unnest(%(v)s::float8[]) v", {"v": values})

    assert stored == [digits(value) for value in values]
    assert sorted(values) == [value for _, value in sorted(zip(stored, values, strict=True))]


# ---- what is found --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people(platform: None) -> TestKey:
    key = make_tenant().key()
    from contact_fields.app import handler as declare
    from lists.app import handler as listing

    for field, kind in (("industry", "text"), ("seats", "number"), ("renewal", "date"), ("trial", "boolean")):
        body = {"key": field, "type": kind}
        assert call(declare, "POST", "/api/v1/contact-fields", token=key.plaintext, json=body).status == 201
    ids: dict[str, str] = {}
    for name, body in {
        "ada": {"first_name": "Ada", "company": "Acme Inc", "tags": ["vip"],
                "attributes": {"industry": "SaaS", "seats": 12, "renewal": "2026-03-01", "trial": True}},
        "grace": {"first_name": "Grace", "last_name": "Hopper", "company": "Navy", "status": "unsubscribed",
                  "attributes": {"industry": "Defence", "seats": -0.5, "renewal": "2026-03-01T18:00:00Z"}},
        "adele": {"first_name": "Adèle", "company": "acme inc", "city": "Paris", "tags": ["vip", "two words"],
                  "attributes": {"industry": "saas", "seats": 1000.25}},
        "bob": {"last_name": "O'Neil \\ Sons", "job_title": "Ops: lead"},
    }.items():  # fmt: skip
        made = call(handler, "POST", CONTACTS, token=key.plaintext, json={"email": f"{name}@example.com", **body})
        assert made.status == 201, made.body
        ids[name] = made.json["id"]
    made = call(listing, "POST", "/api/v1/lists", token=key.plaintext, json={"name": "fair", "type": "static"})
    path = f"/api/v1/lists/{made.json['id']}/contacts"
    added = call(listing, "POST", path, token=key.plaintext, json={"contact_ids": [ids["ada"], ids["bob"]]})
    assert added.status in {200, 201, 207}, added.body
    return key


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("industry:SAAS", {"ada", "adele"}),
        ("attributes.industry:saas", {"ada", "adele"}),
        ("-industry:saas", {"grace", "bob"}),
        ('company:"Acme Inc"', {"ada", "adele"}),
        ("company:acm*", {"ada", "adele"}),
        ("company:acme", set()),
        ("tag:vip", {"ada", "adele"}),
        ("tag:nobody", set()),
        ("-tag:nobody", {"ada", "grace", "adele", "bob"}),
        ('tag:vip -tag:"two words"', {"ada"}),
        ("list:fair", {"ada", "bob"}),
        ("workspace:default", set()),
        ("status:active", {"ada", "adele", "bob"}),
        ("NOT status:active", {"grace"}),
        ("score>50", set()),
        ("score<50 status:active", {"ada", "adele", "bob"}),
        ("score:0", {"ada", "grace", "adele", "bob"}),
        ("score>=100", set()),
        ("score<=0", {"ada", "grace", "adele", "bob"}),
        ("score<0", set()),
        ("seats>12", {"adele"}),
        ("seats>=12", {"ada", "adele"}),
        ("seats<12", {"grace"}),
        ("-seats<12", {"ada", "adele", "bob"}),
        ("-seats>12", {"ada", "grace", "bob"}),
        ("seats:-0.5", {"grace"}),
        ("seats:1000.25", {"adele"}),
        ("renewal:2026-03-01", {"ada", "grace"}),
        ("renewal>2026-03-01", set()),
        ("renewal>=2026-03-01", {"ada", "grace"}),
        ("renewal<=2026-02-28", set()),
        ('renewal>"2026-03-01T12:00:00Z"', {"grace"}),
        ("trial:true", {"ada"}),
        ("-trial:true", {"grace", "adele", "bob"}),
        ("created>2999-01-01", set()),
        ("created>=2026-01-01", {"ada", "grace", "adele", "bob"}),
        ("-created>=2026-01-01", set()),
        ("ad", {"ada", "adele"}),
        ("ADA", {"ada"}),
        ("acme", {"ada", "adele"}),
        ("hopp", {"grace"}),
        ("adè", {"adele"}),
        ('"o\'neil \\\\ s"', {"bob"}),
        ('job_title:"ops: lead"', {"bob"}),
        ("grace@example.com", {"grace"}),
        ("email:grace@example.com", {"grace"}),
        ("status:active -ad", {"bob"}),
        ("industry:saas AND seats>100 AND city:paris", {"adele"}),
    ],
)
def test_a_search_finds_whom_all_its_terms_fit(people: TestKey, query: str, expected: set[str]) -> None:
    assert found(people, query) == expected


def test_an_unknown_field_is_refused_with_those_that_there_are(people: TestKey) -> None:
    said = refusal(people, "shoe_size:43")

    assert "no field shoe_size" in said
    for name in ("company", "score", "created", "tag", "industry", "renewal"):
        assert name in said


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status:happy", "active, unsubscribed, bounced"),
        ("company>5", "is a text"),
        ("company:ac*", "at least 3 characters"),
        ("tag>vip", "tag takes :"),
        ("score:many", "whole number from 0 to 100"),
        ("score:5*", "whole number"),
        ("seats:many", "must be a number"),
        ("trial:maybe", "true or false"),
        ("renewal:soon", "must be a date"),
        ("created:2026-02-30", "must be a date"),
        ("created:2026-01-01T00:00:00", "must be a date"),
        ("-created:2026-01-01", "cannot be negated"),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_refused(people: TestKey, query: str, said: str) -> None:
    assert said in refusal(people, query)


def test_the_query_must_be_there_and_short(people: TestKey) -> None:
    assert call(handler, "GET", f"{CONTACTS}/search", token=people.plaintext).status == 400
    assert search(people, "x" * 501).status == 400


def test_a_search_goes_page_by_page_and_can_count(people: TestKey) -> None:
    first = search(people, "status:active", limit="2", order="asc").json
    second = search(people, "status:active", limit="2", order="asc", cursor=first["pagination"]["next_cursor"]).json
    counted = search(people, "status:active", limit="1", offset="1", order="asc").json

    assert [c["email"].split("@")[0] for c in first["data"] + second["data"]] == ["ada", "adele", "bob"]
    assert (first["pagination"]["has_more"], second["pagination"]["has_more"]) == (True, False)
    assert (counted["pagination"]["total"], counted["data"][0]["email"]) == (3, "adele@example.com")


def test_a_search_that_takes_too_long_goes_on_with_the_next_page(key: TestKey, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"email": f"p{n}@x.example", "company": "Acme" if n < 2 else None} for n in range(700)]
    call(handler, "POST", f"{CONTACTS}/bulk", token=key.plaintext, json={"action": "create", "contacts": rows})
    monkeypatch.setattr(search_rows, "BUDGET", timedelta(0))

    pages = [search(key, "company:acme", limit="1").json]
    while cursor := pages[-1]["pagination"]["next_cursor"]:
        pages.append(search(key, "company:acme", limit="1", cursor=cursor).json)

    assert (pages[0]["data"], pages[0]["pagination"]["has_more"]) == ([], True)
    assert pages[-1]["pagination"]["has_more"] is False
    assert sorted(c["email"] for page in pages for c in page["data"]) == ["p0@x.example", "p1@x.example"]


@pytest.mark.parametrize("query", ["company:acme", "-company:acme"])
def test_a_list_is_counted_up_to_a_bound(key: TestKey, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    rows = [{"email": f"p{n}@x.example", "company": "Acme" if n < 3 else None} for n in range(6)]
    call(handler, "POST", f"{CONTACTS}/bulk", token=key.plaintext, json={"action": "create", "contacts": rows})

    def totals() -> list[int | None]:
        listed = call(handler, "GET", CONTACTS, token=key.plaintext, query={"offset": "0", "limit": "1"})
        return [answer.json["pagination"]["total"] for answer in (listed, search(key, query, offset="0", limit="1"))]

    exact = totals()
    for module in (keyset, contact_search):
        monkeypatch.setattr(module, "MOST_COUNTED", 2)

    assert (exact, totals()) == ([6, 3], [None, None])


def test_a_change_is_found_at_once(key: TestKey) -> None:
    made = call(handler, "POST", CONTACTS, token=key.plaintext, json={"email": "a@x.example", "tags": ["old"]}).json
    path = f"{CONTACTS}/{made['id']}"
    assert found(key, "tag:old") == {"a"}

    call(handler, "PATCH", path, token=key.plaintext, json={"tags": ["new"], "company": "Acme", "email": "b@x.example"})
    assert (found(key, "tag:old"), found(key, "tag:new company:acme b@x"), found(key, "a@x")) == (set(), {"b"}, set())

    call(handler, "DELETE", path, token=key.plaintext)
    assert found(key, "tag:new") == found(key, "-tag:old") == set()


def test_a_search_sees_neither_another_account_nor_the_other_mode(tenant: TestTenant, other_tenant: TestTenant) -> None:
    live, test, other = tenant.key(), tenant.key(mode="test"), other_tenant.key()
    for key in (live, test, other):
        call(handler, "POST", CONTACTS, token=key.plaintext, json={"email": f"{key.id}@example.com"})

    for key in (live, test, other):
        assert found(key, "status:active") == found(key, "-tag:x") == {str(key.id)}
