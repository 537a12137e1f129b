"""Every list, filter, search and order of the API reads at most ten times the rows that it returns, in a large tenant.

What is asked comes from the API documents: each list, each of its filters and orders, each two filters together, the first page
and the one after it. The plans come from the database itself (auto_explain), under the application's role and row security,
those of statements inside functions included. READ_ROWS=1000000 asks a tenant of that size (`make test-large-tenant`).
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

import pytest

from contacts import search_rows
from penguinmails import db
from penguinmails.domain.removals import Kind
from penguinmails.domain.segment_pages import page_in_time
from penguinmails.http import access
from penguinmails.ids import new_uuid7
from purge_expired.removals import Pending, is_left, remove
from purge_expired.service import BATCH
from tests.support.http import Answer
from tests.support.large_tenant import LargeTenant, make_large_tenant
from tests.support.list_questions import FEW, LISTS, path_ids, questions
from tests.support.operations import Operation, operations
from tests.support.people import signed_in
from tests.support.plans import reported_plans, rows_read
from tests.support.segment_rules import combined_rules, rules_by_operator

pytestmark = pytest.mark.large_tenant
ROWS = int(os.environ.get("READ_ROWS", "50000"))
FACTOR = 10
AT_ONCE = 300
"""So many contacts a preview looks for at least."""
BESIDES = 200
"""What a request may read besides: its credential, the rows by which it finds that there is nothing, and part of those that do
not stand the comparison, where a word is that of several numbers."""


@pytest.fixture(scope="module")
def large(platform: None) -> LargeTenant:
    """A tenant with much of everything; another one has as much."""
    make_large_tenant(ROWS // 5)
    return make_large_tenant(ROWS)


@pytest.fixture(scope="module")
def plans(large: LargeTenant) -> Iterator[list[dict[str, Any]]]:
    """The plans of what the application's role runs from now on, as the database reports them."""
    with reported_plans() as reported:
        yield reported


def rows_returned(items: list[dict[str, Any]]) -> int:
    """The items, and what was joined to them: a contact's tags and workspaces are rows too."""
    return sum(1 + sum(len(value) for value in item.values() if isinstance(value, list)) for item in items)


def fault_of(plans: list[dict[str, Any]], returned: int) -> str | None:
    """What was read besides, when it is too much for so many rows."""
    assert plans, "the database reported no plan"
    read = sum((rows_read(plan["Plan"]) for plan in plans), Counter[str]())
    too_much = read.total() > FACTOR * returned + BESIDES
    return f"{read.total()} rows for {returned}: {read.most_common(4)}" if too_much else None


@pytest.fixture(scope="module")
def token(large: LargeTenant) -> str:
    """One for all: the planner walks through a small table, and sessions are one here."""
    return signed_in(large.tenant).access_token


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks more in a minute than a person may."""
    monkeypatch.setattr(access, "_USER_LIMIT_PER_MINUTE", 1_000_000)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is as full as it can be, however busy the machine is: one that time has cut short shows less of what it reads."""
    monkeypatch.setattr(search_rows, "BUDGET", timedelta(minutes=1))
    monkeypatch.setitem(page_in_time.__kwdefaults__, "budget", timedelta(minutes=1))


@pytest.mark.timeout(5400)
@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("operation", [o for o in LISTS if o.id not in FEW], ids=lambda operation: operation.id)
def test_a_list_reads_at_most_ten_times_the_rows_that_it_returns(
    large: LargeTenant, plans: list[dict[str, Any]], token: str, operation: Operation
) -> None:
    faults: list[str] = []
    answered = 0

    def ask(ids: dict[str, UUID], query: dict[str, str]) -> Answer:
        plans.clear()
        answer = operation.call(ids, token=token, query=query, headers={"X-PenguinMails-Mode": "live"})
        if answer.status == 400 and answer.json["errors"][0]["code"] == "not_combinable":
            return answer
        assert answer.status == 200, f"{query}: {answer.body}"
        fault = fault_of(plans, rows_returned(answer.json["data"]))
        if fault is not None:
            faults.append(f"{query}: {fault}")
        return answer

    for ids in path_ids(large, operation):
        for query in questions(large, operation):
            answer = ask(ids, query)
            if answer.status == 200:
                answered += 1
                cursor = answer.json["pagination"]["next_cursor"]
                if cursor:
                    ask(ids, {**query, "cursor": cursor})
    assert answered
    assert not faults, "\n".join(faults)


@pytest.mark.timeout(5400)
@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("order", ["desc", "asc"])
def test_a_dynamic_list_reads_at_most_ten_times_the_rows_that_it_returns(
    large: LargeTenant, plans: list[dict[str, Any]], token: str, order: str
) -> None:
    """But for those operators that LOOKED_AT names, each with its reason."""
    (operation,) = [o for o in LISTS if o.id == "listListContacts"]
    faults: list[str] = []
    for rule in [*combined_rules(large), *rules_by_operator(large)]:
        ids = {"list_id": make_dynamic_list(large, rule)}
        query = {"order": order}
        for _ in range(2):
            plans.clear()
            answer = operation.call(ids, token=token, query=query, headers={"X-PenguinMails-Mode": "live"})
            assert answer.status == 200, answer.body
            fault = fault_of(plans, len(answer.json["data"]))
            if fault is not None:
                faults.append(f"{rule} {query}: {fault}")
            if answer.json["pagination"]["next_cursor"] is None:
                break
            query["cursor"] = answer.json["pagination"]["next_cursor"]
    assert not faults, "\n".join(faults)


def make_dynamic_list(large: LargeTenant, rule: dict[str, Any]) -> UUID:
    list_id, segment_id = new_uuid7(), new_uuid7()
    with db.transaction(tenant_id=large.tenant.id, mode="live") as tx:
        tx.run(
            "INSERT INTO segments (id, tenant_id, mode, name, definition) VALUES (%(id)s, %(t)s, 'live', %(id)s, %(rule)s)",
            {"id": segment_id, "t": large.tenant.id, "rule": db.jsonb(rule)},
        )
        tx.run(
            """
            INSERT INTO lists (id, tenant_id, mode, name, type, segment_id)
            VALUES (%(id)s, %(t)s, 'live', %(id)s, 'dynamic', %(segment)s)
            """,
            {"id": list_id, "t": large.tenant.id, "segment": segment_id},
        )
    return list_id


@pytest.mark.timeout(5400)
def test_a_preview_reads_at_most_ten_times_the_contacts_that_it_counts(
    large: LargeTenant, plans: list[dict[str, Any]], token: str
) -> None:
    (operation,) = [o for o in operations() if o.id == "previewSegment"]
    faults: list[str] = []
    for rule in combined_rules(large):
        plans.clear()
        answer = operation.call({}, token=token, json={"definition": rule}, headers={"X-PenguinMails-Mode": "live"})
        assert answer.status == 200, answer.body
        fault = fault_of(plans, max(answer.json["count"], AT_ONCE))
        if fault is not None:
            faults.append(f"{rule}: {fault}")
    assert not faults, "\n".join(faults)


NAMED: dict[Kind, LiteralString] = {
    "list": "SELECT id FROM lists WHERE name = 'list 1'",
    "tag": "SELECT id FROM tags WHERE name = 'tag 1'",
    "contact_field": "SELECT id FROM contact_fields WHERE key = 'field1'",
    "workspace": "SELECT id FROM workspaces WHERE slug = 'default'",
    "campaign": "SELECT id FROM campaigns WHERE name = 'Campaign space-1 1'",
}


@pytest.mark.timeout(5400)
@pytest.mark.parametrize("kind", NAMED)
def test_a_batch_of_what_is_removed_reads_at_most_ten_times_its_rows(
    large: LargeTenant, plans: list[dict[str, Any]], kind: Kind
) -> None:
    with db.transaction(tenant_id=large.tenant.id, mode="live") as tx:
        pending = Pending(large.tenant.id, kind, tx.one(NAMED[kind], {}))
        plans.clear()
        removed = remove(tx, pending, BATCH)
        assert is_left(tx, pending)

    assert removed == BATCH
    assert fault_of(plans, removed) is None


def test_a_list_of_few_things_says_why() -> None:
    assert {o.id for o in LISTS} >= set(FEW)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM contacts WHERE first_name LIKE 'abc%%' LIMIT 50",
        "SELECT id FROM contacts WHERE attributes @> '{\"a\": 1}' LIMIT 50",
        "SELECT count_searched_contacts('[]', NULL, NULL)",
    ],
)
def test_a_read_that_walks_through_all_contacts_is_noticed(
    large: LargeTenant, plans: list[dict[str, Any]], statement: Any
) -> None:
    plans.clear()
    with db.transaction(tenant_id=large.tenant.id, mode="live") as tx:
        tx.all(statement, {})

    assert sum(rows_read(plan["Plan"]).total() for plan in plans) >= ROWS
