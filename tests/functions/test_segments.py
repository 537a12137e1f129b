"""Segments: what the rules find, compared with a plain reading of them, and how wrong rules are refused."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contact_fields.app import handler as fields_handler
from contacts.app import handler as contacts_handler
from lists.app import handler as lists_handler
from penguinmails.db import transaction
from segments.app import handler
from tests.support.http import Answer, call
from tests.support.segments import by_condition
from tests.support.tenants import TestKey, TestTenant, make_tenant

SEGMENTS = "/api/v1/segments"
NOW = datetime.now(UTC)
FIELDS = {"industry": "text", "seats": "number", "renewal": "date", "vip": "boolean"}
COMPANIES = ["Acme", "ACME Ltd", "Bolt", None]
TAGS = ["customer", "lead", "Lead"]
INDUSTRIES = ["SaaS", "saas", "Retail", None]


def preview(key: TestKey, definition: Any) -> Answer:
    return call(handler, "POST", f"{SEGMENTS}/preview", token=key.plaintext, json={"definition": definition})


def post(app: Any, key: TestKey, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = call(app, "POST", path, token=key.plaintext, json=body)
    assert answer.status in {200, 201}, answer.body
    return answer.json


# ---- Against a plain reading -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def population(platform: None) -> tuple[TestTenant, list[dict[str, Any]], str]:
    """Sixty contacts that differ in everything that rules can ask for, one list, and the contacts as plain records."""
    tenant = make_tenant()
    key = tenant.key()
    for name, kind in FIELDS.items():
        post(fields_handler, key, "/api/v1/contact-fields", {"key": name, "type": kind})
    people: list[dict[str, Any]] = []
    for n in range(60):
        attributes = {
            "industry": INDUSTRIES[n % 4],
            "seats": [None, 0, 5, 5.5, 100][n % 5],
            "renewal": [None, "2026-01-31", "2026-06-30T12:00:00+02:00"][n % 3],
            "vip": [None, True, False][n // 2 % 3],
        }
        body = {
            "email": f"person{n}@{'example.com' if n % 2 else 'example.org'}",
            "company": COMPANIES[n % 4],
            "attributes": {name: value for name, value in attributes.items() if value is not None},
            "tags": [tag for place, tag in enumerate(TAGS) if n >> place & 1],
            "status": "unsubscribed" if n % 7 == 0 else "active",
            "workspace_ids": [str(tenant.workspace_id)] if n % 3 == 0 else [],
        }
        people.append(post(contacts_handler, key, "/api/v1/contacts", body) | {"listed": n % 4 == 1})
    members = [person["id"] for person in people if person["listed"]]
    listed = post(lists_handler, key, "/api/v1/lists", {"name": "Some"})["id"]
    post(lists_handler, key, f"/api/v1/lists/{listed}/contacts", {"contact_ids": members})
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        for n, person in enumerate(people):
            person["total_opens"], opened = n % 6, None if n % 3 == 0 else NOW - timedelta(days=n, hours=12)
            person["last_email_opened_at"] = opened
            tx.run(
                "UPDATE contacts SET total_opens = %(n)s, last_email_opened_at = %(at)s WHERE id = %(id)s",
                {"n": n % 6, "at": opened, "id": person["id"]},
            )
    return tenant, people, listed


def comparison(field: str, operators: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"field": st.just(field), "operator": st.sampled_from(operators), "value": values})


texts = st.sampled_from(["acme", "ACME", "bolt", "b", "e", "SAAS", "retail", "nothing", "100%", "a_me", "o'x"])
TEXT = ["equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with"]
NUMBER = ["equals", "not_equals", "greater_than", "at_least", "less_than", "at_most"]
numbers = st.sampled_from([-1, 0, 1, 3, 5, 5.5, 100])
moments = st.sampled_from(["2026-01-31", "2026-06-30T10:00:00Z", "2026-07-01"])
leaves = st.one_of(
    *(comparison(name, TEXT, texts) for name in ("company", "email", "attributes.industry", "first_name")),
    *(comparison(name, NUMBER, numbers) for name in ("total_opens", "attributes.seats")),
    *(
        comparison(name, ["one_of", "not_one_of"], st.lists(texts, min_size=1, max_size=3))
        for name in ("company", "attributes.industry")
    ),
    comparison("status", ["equals", "not_equals"], st.sampled_from(["active", "unsubscribed"])),
    comparison("attributes.renewal", ["before", "after"], moments),
    comparison("attributes.vip", ["equals", "not_equals"], st.booleans()),
    comparison("last_email_opened_at", ["in_last_days", "not_in_last_days"], st.sampled_from([1, 10, 30])),
    comparison("tag", ["has", "has_not"], st.sampled_from([*TAGS, "nobody"])),
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(["company", "last_email_opened_at", *(f"attributes.{name}" for name in FIELDS)]),
            "operator": st.sampled_from(["is_set", "is_not_set"]),
        }
    ),
    comparison("list", ["has", "has_not"], st.just("LIST")),
    comparison("workspace", ["has", "has_not"], st.just("WORKSPACE")),
)
definitions = st.recursive(
    leaves,
    lambda rules: st.one_of(
        st.fixed_dictionaries({"all": st.lists(rules, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(rules, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": rules}),
    ),
    max_leaves=6,
).filter(lambda definition: depth(definition) <= 5)


def depth(rule: Any) -> int:
    inner = rule.get("all") or rule.get("any") or ([rule["not"]] if "not" in rule else [])
    return 1 + max(map(depth, inner), default=0)


def read(definition: Any, person: dict[str, Any]) -> bool:
    """What a definition says of a contact, slowly and without SQL."""
    if "all" in definition:
        return all(read(rule, person) for rule in definition["all"])
    if "any" in definition:
        return any(read(rule, person) for rule in definition["any"])
    if "not" in definition:
        return not read(definition["not"], person)
    operator = definition["operator"]
    for negated, positive in (("not_", ""), ("is_not_set", "is_set"), ("has_not", "has")):
        if operator.startswith(negated):
            return not read({**definition, "operator": operator.replace(negated, positive, 1)}, person)
    return compared(definition["field"], operator, definition.get("value"), person)


def compared(field: str, operator: str, value: Any, person: dict[str, Any]) -> bool:
    if field == "tag":
        return value in person["tags"]
    if field == "list":
        return person["listed"]
    if field == "workspace":
        return bool(person["workspace_ids"])
    key = field.removeprefix("attributes.")
    had = person["attributes"].get(key) if field.startswith("attributes.") else person[field]
    if had is None or operator == "is_set":
        return had is not None
    if operator == "in_last_days":
        return had > NOW - timedelta(days=value)
    if key == "renewal":
        had, value = (datetime.fromisoformat(text + ("T00:00Z" if len(text) == 10 else "")) for text in (had, value))
    if isinstance(had, str):
        had, value = had.lower(), [v.lower() for v in value] if isinstance(value, list) else value.lower()
    return {
        "equals": lambda: had == value,
        "one_of": lambda: had in value,
        "contains": lambda: value in had,
        "starts_with": lambda: had.startswith(value),
        "ends_with": lambda: had.endswith(value),
        "greater_than": lambda: had > value,
        "at_least": lambda: had >= value,
        "less_than": lambda: had < value,
        "at_most": lambda: had <= value,
        "before": lambda: had < value,
        "after": lambda: had > value,
    }[operator]()


def with_ids(rule: Any, ids: dict[str, str]) -> Any:
    if isinstance(rule, dict):
        return {name: with_ids(part, ids) for name, part in rule.items()}
    if isinstance(rule, list):
        return [with_ids(part, ids) for part in rule]
    return ids.get(rule, rule) if isinstance(rule, str) else rule


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(definition=definitions)
def test_a_definition_finds_exactly_those_of_whom_it_is_true(
    population: tuple[TestTenant, list[dict[str, Any]], str], definition: Any
) -> None:
    tenant, people, listed = population
    ids = {"LIST": listed, "WORKSPACE": str(tenant.workspace_id)}
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        rows = by_condition(tx, with_ids(definition, ids), "asc")

    assert [row.email for row in rows] == [person["email"] for person in people if read(definition, person)]


# ---- Wrong rules -----------------------------------------------------------------------------------------------------

ACTIVE = {"field": "status", "operator": "equals", "value": "active"}


def nested(levels: int) -> dict[str, Any]:
    return ACTIVE if levels == 1 else {"not": nested(levels - 1)}


@pytest.mark.parametrize(
    ("definition", "field", "code"),
    [
        ({}, "definition.field", "unknown_field"),
        ({"all": []}, "definition.all", "invalid"),
        ({"all": ["active"]}, "definition.all.0", "invalid"),
        ({"any": [ACTIVE], "all": [ACTIVE]}, "definition", "invalid"),
        ({**ACTIVE, "field": "password"}, "definition.field", "unknown_field"),
        ({**ACTIVE, "field": "attributes.seats"}, "definition.field", "unknown_field"),
        ({**ACTIVE, "operator": "at_least"}, "definition.operator", "unknown_operator"),
        ({**ACTIVE, "operator": ["equals"]}, "definition.operator", "unknown_operator"),
        ({**ACTIVE, "value": 7}, "definition.value", "invalid"),
        ({**ACTIVE, "value": "x" * 256}, "definition.value", "invalid"),
        ({**ACTIVE, "value": "a\x00b"}, "definition.value", "invalid"),
        ({"field": "status", "operator": "equals"}, "definition.value", "invalid"),
        ({"field": "company", "operator": "is_set", "value": "x"}, "definition.value", "invalid"),
        ({"field": "total_opens", "operator": "equals", "value": True}, "definition.value", "invalid"),
        ({"field": "total_opens", "operator": "equals", "value": 10**16}, "definition.value", "invalid"),
        ({"field": "created_at", "operator": "after", "value": "2026-01-31T12:00:00"}, "definition.value", "invalid"),
        ({"field": "created_at", "operator": "in_last_days", "value": 0}, "definition.value", "invalid"),
        ({"field": "list", "operator": "has", "value": "newsletter"}, "definition.value", "invalid"),
        ({"field": "company", "operator": "one_of", "value": []}, "definition.value", "invalid"),
        ({"all": [ACTIVE, {"not": {**ACTIVE, "operator": "is"}}]}, "definition.all.1.not.operator", "unknown_operator"),
        ({**ACTIVE, "case": "any"}, "definition.case", "unknown"),
        (nested(6), "definition.not.not.not.not.not", "too_deep"),
        ({"all": [ACTIVE] * 51}, "definition.all", "too_large"),
        ({"all": [{"any": [ACTIVE] * 26}, {"any": [ACTIVE] * 26}]}, "definition", "too_large"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_place(key: TestKey, definition: Any, field: str, code: str) -> None:
    answer = preview(key, definition)

    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert (answer.json["errors"][0]["field"], answer.json["errors"][0]["code"]) == (field, code)


def test_every_wrong_rule_is_named_at_once(key: TestKey) -> None:
    answer = preview(key, {"all": [{**ACTIVE, "value": 1}, ACTIVE, {**ACTIVE, "field": "x"}]})

    assert [error["field"] for error in answer.json["errors"]] == ["definition.all.0.value", "definition.all.2.field"]


@pytest.mark.parametrize("value", ["'; DROP TABLE contacts; --", "%(segment_1)s", "{x}", "{v}", "\\", "%"])
def test_a_value_is_never_read_as_sql(key: TestKey, value: str) -> None:
    post(contacts_handler, key, "/api/v1/contacts", {"email": "a@example.com", "company": value, "tags": [value]})
    rules = [
        {"field": "company", "operator": "contains", "value": value},
        {"field": "tag", "operator": "has", "value": value},
    ]

    assert preview(key, {"all": rules}).json["count"] == 1


def test_a_rule_reaches_no_list_and_no_contact_of_another_tenant(key: TestKey, other_tenant: TestTenant) -> None:
    stranger = other_tenant.key()
    theirs = post(contacts_handler, stranger, "/api/v1/contacts", {"email": "theirs@example.com"})["id"]
    listed = post(lists_handler, stranger, "/api/v1/lists", {"name": "Theirs"})["id"]
    post(lists_handler, stranger, f"/api/v1/lists/{listed}/contacts", {"contact_ids": [theirs]})
    rule = {"field": "list", "operator": "has", "value": listed}

    assert preview(stranger, rule).json["count"] == 1
    for definition, place in ((rule, "definition.value"), ({"not": rule}, "definition.not.value")):
        refused = preview(key, definition)
        assert (refused.status, refused.json["errors"][0]["field"]) == (400, place)
        assert refused.json["errors"][0]["code"] == "not_found"


# ---- Kept segments ---------------------------------------------------------------------------------------------------


@pytest.fixture
def segment(key: TestKey) -> dict[str, Any]:
    post(contacts_handler, key, "/api/v1/contacts", {"email": "ada@example.com"})
    return post(handler, key, SEGMENTS, {"name": "Active", "definition": ACTIVE})


def test_a_segment_is_kept_with_its_count_and_counted_anew_on_request(key: TestKey, segment: dict[str, Any]) -> None:
    post(contacts_handler, key, "/api/v1/contacts", {"email": "grace@example.com"})
    path = f"{SEGMENTS}/{segment['id']}"

    read = call(handler, "GET", path, token=key.plaintext)
    kept = read.json
    counted = post(handler, key, f"{path}/count", {})
    since = call(handler, "GET", path, token=key.plaintext)

    assert (segment["count"], kept["count"], counted["count"], since.json["count"]) == (1, 1, 2, 2)
    assert counted["counted_at"] > kept["counted_at"]
    assert counted["updated_at"] == kept["updated_at"]
    assert since.headers["etag"] == read.headers["etag"], "nobody has edited it"


def test_new_rules_are_counted_and_wrong_ones_change_nothing(key: TestKey, segment: dict[str, Any]) -> None:
    path = f"{SEGMENTS}/{segment['id']}"
    changed = call(handler, "PUT", path, token=key.plaintext, json={"definition": {"not": ACTIVE}})
    refused = call(handler, "PATCH", path, token=key.plaintext, json={"definition": {"not": {}}})

    assert (changed.status, changed.json["count"], changed.json["name"]) == (200, 0, "Active")
    assert refused.status == 400
    assert call(handler, "GET", path, token=key.plaintext).json["definition"] == {"not": ACTIVE}


def test_a_name_is_taken_once_and_an_old_version_changes_nothing(key: TestKey, segment: dict[str, Any]) -> None:
    other = post(handler, key, SEGMENTS, {"name": "Other", "definition": ACTIVE})
    path = f"{SEGMENTS}/{other['id']}"
    etag = call(handler, "GET", path, token=key.plaintext).headers["etag"]

    again = call(handler, "POST", SEGMENTS, token=key.plaintext, json={"name": "Active", "definition": ACTIVE})
    renamed = call(handler, "PUT", path, token=key.plaintext, json={"name": "Active"})
    first = call(handler, "PUT", path, token=key.plaintext, json={"name": "New"}, headers={"If-Match": etag})
    second = call(handler, "PUT", path, token=key.plaintext, json={"name": "Newer"}, headers={"If-Match": etag})
    gone = call(handler, "DELETE", path, token=key.plaintext, headers={"If-Match": etag})

    assert (again.status, again.json["errors"][0]["field"]) == (409, "name")
    assert (renamed.status, first.status, second.status, gone.status) == (409, 200, 412, 412)


def test_a_segment_that_a_list_uses_is_not_deleted(key: TestKey, segment: dict[str, Any]) -> None:
    body = {"name": "Dynamic", "type": "dynamic", "segment_id": segment["id"]}
    listed = post(lists_handler, key, "/api/v1/lists", body)
    path = f"{SEGMENTS}/{segment['id']}"

    refused = call(handler, "DELETE", path, token=key.plaintext)
    call(lists_handler, "DELETE", f"/api/v1/lists/{listed['id']}", token=key.plaintext)
    done = call(handler, "DELETE", path, token=key.plaintext)

    assert (refused.status, refused.code) == (409, "RESOURCE_CONFLICT")
    assert (done.status, done.json) == (200, {"id": segment["id"], "deleted": True})
    assert call(handler, "GET", path, token=key.plaintext).status == 404


def test_segments_are_paged_and_another_tenant_sees_none(key: TestKey, other_tenant: TestTenant) -> None:
    for name in ("c", "a", "b"):
        post(handler, key, SEGMENTS, {"name": name, "definition": ACTIVE})
    query = {"sort_by": "name", "order": "asc", "limit": "2"}
    first = call(handler, "GET", SEGMENTS, token=key.plaintext, query=query).json
    rest = call(
        handler, "GET", SEGMENTS, token=key.plaintext, query=query | {"cursor": first["pagination"]["next_cursor"]}
    ).json

    assert [s["name"] for s in first["data"] + rest["data"]] == ["a", "b", "c"]
    assert call(handler, "GET", SEGMENTS, token=other_tenant.key().plaintext).json["data"] == []


def test_an_unknown_segment_is_404(key: TestKey) -> None:
    for method, below in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/count")):
        body = {"json": {"name": "x"}} if method == "PUT" else {"json": {}} if method == "POST" else {}
        assert (
            call(handler, method, f"{SEGMENTS}/{UUID(int=uuid4().int)}{below}", token=key.plaintext, **body).status
            == 404
        )
