"""Filters of webhooks: every operator, every refusal, and the same answer as a slow and plain reading of the rules."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penguinmails.domain import webhook_filters
from penguinmails.domain.webhook_filters import compile_filter, view_of, with_plain_ids
from penguinmails.errors import ValidationFailed

VIEW = view_of(
    "email.bounced",
    None,
    {"email_id": "e1", "campaign_id": "c1", "to": "ada@example.com", "subject": "Hi", "bounce_type": "hard", "size": 7,
     "is_soft": False, "nothing": None, "links": [{"url": "a"}, {"url": "b"}], "lists": [],
     "contact": {"id": "p1", "email": "ada@example.com"}},
    ["vip", "beta"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "condition", "expected"),
    [
        ("bounce_type", "hard", True),
        ("bounce_type", "soft", False),
        ("bounce_type", ["soft", "hard"], True),
        ("bounce_type", {"$ne": "soft"}, True),
        ("bounce_type", {"$nin": ["soft", "hard"]}, False),
        ("size", {"$gt": 6, "$lt": 8}, True),
        ("size", {"$gte": 7}, True),
        ("size", {"$lte": 6.9}, False),
        ("size", {"$gt": "6"}, False),
        ("size", "7", False),
        ("is_soft", False, True),
        ("is_soft", 0, False),
        ("nothing", None, True),
        ("nothing", {"$exists": True}, False),
        ("absent", None, False),
        ("absent", {"$exists": False}, True),
        ("absent", {"$ne": "x"}, True),
        ("absent", {"$nin": ["x"]}, True),
        ("absent", {"$lt": 5}, False),
        ("links.url", "b", True),
        ("links.url", {"$ne": "b"}, False),
        ("contact.tags", ["vip", "other"], True),
        ("contact.tags", {"$nin": ["vip"]}, False),
        ("campaign.id", "c1", True),
        ("email.subject", {"$gte": "H"}, True),
        ("type", "email.bounced", True),
        ("contact", {"$exists": True}, True),
        ("contact", {"$exists": False}, False),
        ("contact", {"$ne": "p1"}, True),
        ("contact.email", {"$exists": True}, True),
        ("contact.phone", {"$exists": True}, False),
        ("links", {"$exists": True}, True),
        ("lists", {"$exists": True}, False),
    ],
)
def test_a_condition_holds_as_the_rules_say(path: str, condition: Any, expected: bool) -> None:
    found = compile_filter({"filters": {path: condition}})

    assert found.matches(VIEW) is expected
    assert (found.refusing_clause(VIEW) is None) is expected


def test_all_parts_must_hold_and_an_empty_filter_takes_everything() -> None:
    workspace_id = uuid4()
    view = view_of("contact.created", workspace_id, {"contact": {"id": "p"}}, ["vip"])
    assert compile_filter({}).matches(view)
    assert compile_filter({"workspaces": [], "tags": []}).matches(view)
    assert compile_filter({"workspaces": [str(workspace_id).upper()], "tags": ["vip"]}).matches(view)
    assert compile_filter({"workspaces": [str(workspace_id)], "tags": ["x"]}).refusing_clause(view) == "tags"


@pytest.mark.parametrize("part", ["workspaces", "campaigns"])
@pytest.mark.parametrize(
    "written",
    [
        "0190a3c4-7d2e-7c31-9a55-1f2b3c4d5e6f",
        "0190A3C4-7D2E-7C31-9A55-1F2B3C4D5E6F",
        "0190a3c47d2e7c319a551f2b3c4d5e6f",
        "urn:uuid:0190a3c4-7d2e-7c31-9a55-1f2b3c4d5e6f",
        "{0190a3c4-7d2e-7c31-9a55-1f2b3c4d5e6f}",
    ],
)
def test_an_id_means_the_same_however_it_is_written(part: str, written: str) -> None:
    id_ = UUID("0190a3c4-7d2e-7c31-9a55-1f2b3c4d5e6f")
    view = view_of("campaign.paused", id_, {"campaign_id": str(id_)})

    assert compile_filter({part: [str(uuid4()), written]}).matches(view)
    assert with_plain_ids({part: [written], "tags": [written]}) == {part: [str(id_)], "tags": [written]}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"event": []}, "event_filters.event"),
        ({"tags": "vip"}, "event_filters.tags"),
        ({"tags": ["x" * 256]}, "event_filters.tags"),
        ({"workspaces": ["x"] * 101}, "event_filters.workspaces"),
        ({"workspaces": [str(uuid4()), "x"]}, "event_filters.workspaces[1]"),
        ({"campaigns": [""]}, "event_filters.campaigns[0]"),
        ({"filters": []}, "event_filters.filters"),
        ({"filters": {"a.b.c.d.e.f": 1}}, "event_filters.filters.a.b.c.d.e.f"),
        ({"filters": {"": 1}}, "event_filters.filters."),
        ({"filters": {"a..b": 1}}, "event_filters.filters.a..b"),
        ({"filters": {"a": {"$regex": "x"}}}, "event_filters.filters.a.$regex"),
        ({"filters": {"a": {}}}, "event_filters.filters.a."),
        ({"filters": {"a": {"$gt": True}}}, "event_filters.filters.a.$gt"),
        ({"filters": {"a": {"$in": []}}}, "event_filters.filters.a.$in"),
        ({"filters": {"a": {"$in": [{}]}}}, "event_filters.filters.a.$in"),
        ({"filters": {"a": {"$exists": 1}}}, "event_filters.filters.a.$exists"),
        ({"filters": {"a": {"$eq": {"b": 1}}}}, "event_filters.filters.a.$eq"),
        ({"filters": {f"a{n}": 1 for n in range(21)}}, "event_filters.filters"),
        ({"filters": {"a": ["x" * 255] * 100}}, "event_filters"),
        ({"filters": {"a": float("nan")}}, "event_filters"),
        ({"filters": {"a": "\ud800"}}, "event_filters"),
        ({"filters": {"a": "\x00"}}, "event_filters"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_its_place(document: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        compile_filter(document)

    assert field in {error.field for error in refusal.value.errors}


NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, "", "a", "b", "1"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=12,
)
CONDITIONS = st.one_of(
    SCALARS,
    st.lists(SCALARS, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(["$eq", "$ne"]), SCALARS, min_size=1),
    st.dictionaries(st.sampled_from(["$in", "$nin"]), st.lists(SCALARS, min_size=1, max_size=3), min_size=1),
    st.dictionaries(
        st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), st.sampled_from([-1, 0, 0.5, 2, "a", ""]), min_size=1
    ),
    st.dictionaries(st.just("$exists"), st.booleans(), min_size=1),
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(".".join)


def parts(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every scalar and object of a document, and every element of its lists, with the names that lead to it."""
    if isinstance(value, dict):
        return [(path, value), *(part for name, inner in value.items() for part in parts(inner, (*path, name)))]
    if isinstance(value, list):
        # A list in a list is a value of its own kind: no path leads into it.
        return [
            part for inner in value for part in ([(path, inner)] if isinstance(inner, list) else parts(inner, path))
        ]
    return [(path, value)]


def same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    return isinstance(left, str) == isinstance(right, str) and left == right


def compare(operator: str, value: Any, operand: Any) -> bool:
    if isinstance(value, bool) or value is None or isinstance(value, str) != isinstance(operand, str):
        return False
    return {"$gt": value > operand, "$gte": value >= operand, "$lt": value < operand, "$lte": value <= operand}[
        operator
    ]


def holds(operator: str, operand: Any, found: list[Any]) -> bool:
    values = [value for value in found if not isinstance(value, dict | list)]
    match operator:
        case "$eq":
            return any(same(value, operand) for value in values)
        case "$ne":
            return not any(same(value, operand) for value in values)
        case "$in":
            return any(same(value, choice) for value in values for choice in operand)
        case "$nin":
            return not any(same(value, choice) for value in values for choice in operand)
        case "$exists":
            return (len([value for value in found if value is not None]) > 0) == operand
        case _:
            return any(compare(operator, value, operand) for value in values)


def slow_reference(filters: dict[str, Any], view: dict[str, Any]) -> bool:
    for path, condition in filters.items():
        found = [value for names, value in parts(view) if names == tuple(path.split("."))]
        wanted = (
            condition if isinstance(condition, dict) else {"$in" if isinstance(condition, list) else "$eq": condition}
        )
        if not all(holds(operator, operand, found) for operator, operand in wanted.items()):
            return False
    return True


@settings(max_examples=600, deadline=None)
@given(filters=st.dictionaries(PATHS, CONDITIONS, max_size=4), view=st.dictionaries(NAMES, VALUES, max_size=3))
def test_a_compiled_filter_answers_as_a_plain_reading_of_the_rules(
    filters: dict[str, Any], view: dict[str, Any]
) -> None:
    assert compile_filter({"filters": filters}).matches(view) is slow_reference(filters, view)


def test_a_filter_is_compiled_once() -> None:
    document = {"filters": {f"once_{uuid4().hex}": 1}}

    assert compile_filter(document) is compile_filter(dict(document))
    assert tuple(webhook_filters._TESTS) == webhook_filters.OPERATORS
