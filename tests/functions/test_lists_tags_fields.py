"""Lists, tags and custom fields: what belongs to them, and what keeps them from being changed."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from contact_fields.app import handler as fields_handler
from contacts.app import handler as contacts_handler
from lists import repository as lists_repository
from lists import service as lists_service
from lists.app import handler as lists_handler
from penguinmails.db import ForeignKeyViolation
from penguinmails.domain import segment_pages
from segments.app import handler as segments_handler
from tags.app import handler as tags_handler
from tests.support.http import Answer, Handler, call
from tests.support.tenants import TestKey, TestTenant

CONTACTS, LISTS, TAGS, FIELDS = "/api/v1/contacts", "/api/v1/lists", "/api/v1/tags", "/api/v1/contact-fields"
SEGMENTS = "/api/v1/segments"
ACTIVE = {"field": "status", "operator": "equals", "value": "active"}


def send(app: Handler, key: TestKey, method: str, path: str, **request: Any) -> Answer:
    return call(app, method, path, token=key.plaintext, **request)


def make(app: Handler, key: TestKey, path: str, /, **body: Any) -> dict[str, Any]:
    answer = send(app, key, "POST", path, json=body)
    assert answer.status in {200, 201}, answer.body
    return answer.json


def contact(key: TestKey, name: str, **body: Any) -> dict[str, Any]:
    return make(contacts_handler, key, CONTACTS, email=f"{name}@example.com", **body)


def names(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [item["email"].split("@")[0] for item in answer.json["data"]]


# ---- Lists -----------------------------------------------------------------------------------------------------------


def test_contacts_are_put_on_a_list_once_and_taken_off(key: TestKey) -> None:
    a, b = contact(key, "a")["id"], contact(key, "b")["id"]
    path = f"{LISTS}/{make(lists_handler, key, LISTS, name='News')['id']}"
    stranger = str(uuid4())

    first = make(lists_handler, key, f"{path}/contacts", contact_ids=[a, a])
    unknown = send(lists_handler, key, "POST", f"{path}/contacts", json={"contact_ids": [b, stranger]})
    second = make(lists_handler, key, f"{path}/contacts", contact_ids=[a, b])
    counted = send(lists_handler, key, "GET", path).json["contact_count"]
    off = send(lists_handler, key, "DELETE", f"{path}/contacts", query={"contact_id": [a, a]}).json

    assert first == {"added": 1, "already_listed": 0}
    assert (unknown.status, unknown.json["errors"][0]["field"]) == (400, "contact_ids.1")
    assert second == {"added": 1, "already_listed": 1}
    assert (counted, off) == (2, {"removed": 1})
    assert names(send(lists_handler, key, "GET", f"{path}/contacts")) == ["b"]
    assert send(lists_handler, key, "GET", path).json["contact_count"] == 1


def test_a_list_that_a_segment_reads_is_not_deleted(key: TestKey) -> None:
    listed = make(lists_handler, key, LISTS, name="Never again")["id"]
    rule = {"all": [ACTIVE, {"not": {"field": "list", "operator": "has", "value": listed}}]}
    segment = make(segments_handler, key, SEGMENTS, name="Others", definition=rule)["id"]

    refused = send(lists_handler, key, "DELETE", f"{LISTS}/{listed}")
    send(segments_handler, key, "DELETE", f"{SEGMENTS}/{segment}")

    assert (refused.status, refused.code) == (409, "RESOURCE_CONFLICT")
    assert "Others" in refused.json["detail"]
    assert send(lists_handler, key, "DELETE", f"{LISTS}/{listed}").status == 200


def test_contacts_are_not_filtered_by_a_dynamic_list(key: TestKey) -> None:
    segment = make(segments_handler, key, SEGMENTS, name="Active", definition=ACTIVE)["id"]
    dynamic = make(lists_handler, key, LISTS, name="Dynamic", segment_id=segment)["id"]
    rule = {"field": "list", "operator": "has", "value": dynamic}

    filtered = send(contacts_handler, key, "GET", CONTACTS, query={"list_id": dynamic})
    named = send(segments_handler, key, "POST", SEGMENTS, json={"name": "x", "definition": {"any": [ACTIVE, rule]}})

    assert (filtered.status, filtered.json["errors"][0]["field"]) == (400, "list_id")
    assert (named.status, named.json["errors"][0]["field"]) == (400, "definition.any.1.value")
    assert filtered.json["errors"][0]["code"] == named.json["errors"][0]["code"] == "dynamic"


def test_an_offset_that_is_not_reached_in_time_is_refused(key: TestKey, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        contact(key, name)
    rule = {"field": "status", "operator": "contains", "value": "activ"}
    segment = make(segments_handler, key, SEGMENTS, name="Active", definition=rule)["id"]
    path = f"{LISTS}/{make(lists_handler, key, LISTS, name='Dynamic', segment_id=segment)['id']}/contacts"
    query = {"offset": "1", "limit": "2"}

    page = send(lists_handler, key, "GET", path, query=query)
    monkeypatch.setattr(segment_pages, "WINDOW", 2)
    monkeypatch.setattr(segment_pages, "OFFSET_BUDGET", timedelta(seconds=-1))
    refused = send(lists_handler, key, "GET", path, query=query)

    assert (names(page), page.json["pagination"]["total"]) == (["c", "b"], 4)
    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "too_far")


def test_a_list_is_paged_newest_contact_first_and_stays_stable_under_inserts(key: TestKey) -> None:
    ids = [contact(key, name)["id"] for name in "abcde"]
    path = f"{LISTS}/{make(lists_handler, key, LISTS, name='News')['id']}/contacts"
    make(lists_handler, key, path, contact_ids=ids)

    first = send(lists_handler, key, "GET", path, query={"limit": "2"})
    make(lists_handler, key, path, contact_ids=[contact(key, "f")["id"]])
    cursor = first.json["pagination"]["next_cursor"]
    second = send(lists_handler, key, "GET", path, query={"limit": "10", "cursor": cursor})

    assert names(first) + names(second) == ["e", "d", "c", "b", "a"]


def test_a_dynamic_list_holds_whom_its_segment_finds(key: TestKey) -> None:
    contact(key, "a")
    contact(key, "b", status="unsubscribed")
    segment = make(segments_handler, key, SEGMENTS, name="Active", definition=ACTIVE)["id"]
    made = make(lists_handler, key, LISTS, name="Dynamic", type="dynamic", segment_id=segment)
    path = f"{LISTS}/{made['id']}"
    contact(key, "c")

    add = send(lists_handler, key, "POST", f"{path}/contacts", json={"contact_ids": [str(uuid4())]})
    remove = send(lists_handler, key, "DELETE", f"{path}/contacts", query={"contact_id": str(uuid4())})

    assert names(send(lists_handler, key, "GET", f"{path}/contacts")) == ["c", "a"]
    assert made["contact_count"] == 1
    assert (add.status, remove.status) == (409, 409)


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_a_dynamic_list_that_is_found_slowly_goes_on_with_the_next_page(
    key: TestKey, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    for name in "abcdefgh":
        contact(key, name, status="active" if name in "adh" else "unsubscribed")
    rule = {"field": "status", "operator": "contains", "value": "activ"}
    segment = make(segments_handler, key, SEGMENTS, name="Active", definition=rule)["id"]
    made = make(lists_handler, key, LISTS, name="Dynamic", type="dynamic", segment_id=segment)
    monkeypatch.setattr(segment_pages, "WINDOW", 2)
    hurried = partial(segment_pages.page_in_time, budget=timedelta(seconds=-1))
    monkeypatch.setattr(lists_service, "page_in_time", hurried)

    pages: list[list[str]] = []
    query = {"order": order, "limit": "2"}
    while True:
        answer = send(lists_handler, key, "GET", f"{LISTS}/{made['id']}/contacts", query=query)
        pages.append(names(answer))
        if not answer.json["pagination"]["has_more"]:
            break
        query["cursor"] = answer.json["pagination"]["next_cursor"]

    assert pages == ([["h"], [], ["d"], ["a"], []] if order == "desc" else [["a"], ["d"], [], ["h"], []])


def test_a_list_that_is_in_use_is_not_deleted(key: TestKey, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{LISTS}/{make(lists_handler, key, LISTS, name='News')['id']}"

    def refuse(*_arguments: Any) -> None:
        raise ForeignKeyViolation("campaigns_list_fkey")

    with monkeypatch.context() as patch:
        patch.setattr(lists_repository, "delete_list", refuse)
        answer = send(lists_handler, key, "DELETE", path)

    assert (answer.status, answer.code) == (409, "RESOURCE_CONFLICT")
    assert send(lists_handler, key, "GET", path).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "type": "dynamic"},
        {"name": "x", "type": "static", "segment_id": str(uuid4())},
        {"name": "x", "type": "dynamic", "segment_id": str(uuid4())},
    ],
)
def test_a_list_and_its_segment_go_together(key: TestKey, body: dict[str, Any]) -> None:
    answer = send(lists_handler, key, "POST", LISTS, json=body)

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "segment_id")


def test_a_list_is_changed_filtered_and_deleted_by_its_version(key: TestKey) -> None:
    made, _ = make(lists_handler, key, LISTS, name="a", description="x"), make(lists_handler, key, LISTS, name="b")
    path = f"{LISTS}/{made['id']}"
    etag = send(lists_handler, key, "GET", path).headers["etag"]

    taken = send(lists_handler, key, "PUT", path, json={"name": "b"})
    changed = send(lists_handler, key, "PATCH", path, json={"description": None}, headers={"If-Match": etag})
    stale = send(lists_handler, key, "DELETE", path, headers={"If-Match": etag})
    found = send(lists_handler, key, "GET", LISTS, query={"name": "a", "type": "static"}).json["data"]

    assert (taken.status, changed.status, stale.status) == (409, 200, 412)
    assert (changed.json["name"], changed.json["description"]) == ("a", None)
    assert [item["id"] for item in found] == [made["id"]]
    assert send(lists_handler, key, "DELETE", path).json == {"id": made["id"], "deleted": True}


def test_a_list_takes_no_contact_of_another_tenant(key: TestKey, other_tenant: TestTenant) -> None:
    theirs = contact(other_tenant.key(), "theirs")["id"]
    path = f"{LISTS}/{make(lists_handler, key, LISTS, name='News')['id']}/contacts"

    refused = send(lists_handler, key, "POST", path, json={"contact_ids": [theirs]})

    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "not_found")
    assert names(send(lists_handler, key, "GET", path)) == []


# ---- Filters of contacts ---------------------------------------------------------------------------------------------


def test_contacts_are_narrowed_by_list_tag_and_workspace(tenant: TestTenant, key: TestKey) -> None:
    space = [str(tenant.workspace_id)]
    ids = {
        name: contact(key, name, tags=["t"] * (name in "abc"), workspace_ids=space * (name in "bcd"))["id"]
        for name in "abcd"
    }
    listed = make(lists_handler, key, LISTS, name="l")["id"]
    make(lists_handler, key, f"{LISTS}/{listed}/contacts", contact_ids=[ids["c"], ids["d"]])

    def found(**query: str) -> list[str]:
        asked = {"order": "asc", **query}
        at_once = names(send(contacts_handler, key, "GET", CONTACTS, query=asked))
        one_by_one: list[str] = []
        while True:
            page = send(contacts_handler, key, "GET", CONTACTS, query={**asked, "limit": "1"})
            one_by_one += names(page)
            if not page.json["pagination"]["has_more"]:
                break
            asked["cursor"] = page.json["pagination"]["next_cursor"]
        assert one_by_one == at_once
        return one_by_one

    assert found(tag="t") == ["a", "b", "c"]
    assert found(workspace="default") == ["b", "c", "d"]
    assert found(list_id=listed) == ["c", "d"]
    assert found(tag="t", workspace="default") == ["b", "c"]
    assert found(tag="t", workspace="default", list_id=listed) == ["c"]
    assert found(tag="none") == found(workspace="none") == found(list_id=str(uuid4())) == []


def test_a_filtered_list_counts_what_it_finds(key: TestKey) -> None:
    for name in "abc":
        contact(key, name, tags=["t"])
    page = send(contacts_handler, key, "GET", CONTACTS, query={"tag": "t", "offset": "0", "limit": "2"}).json

    assert page["pagination"]["total"] == 3


# ---- Tags ------------------------------------------------------------------------------------------------------------


def test_a_renamed_tag_is_renamed_on_its_contacts_and_a_deleted_one_taken_off(key: TestKey) -> None:
    person = contact(key, "a", tags=["lead", "vip"])["id"]
    tags = {tag["name"]: tag for tag in send(tags_handler, key, "GET", TAGS).json["data"]}
    path = f"{TAGS}/{tags['lead']['id']}"
    etag = send(tags_handler, key, "GET", path).headers["etag"]

    renamed = send(tags_handler, key, "PUT", path, json={"name": "customer"}, headers={"If-Match": etag})
    carried = send(contacts_handler, key, "GET", f"{CONTACTS}/{person}").json["tags"]
    taken = send(tags_handler, key, "PATCH", path, json={"name": "vip"})
    stale = send(tags_handler, key, "DELETE", path, headers={"If-Match": etag})
    send(tags_handler, key, "DELETE", path)

    assert (renamed.status, taken.status, stale.status) == (200, 409, 412)
    assert carried == ["customer", "vip"]
    assert send(contacts_handler, key, "GET", f"{CONTACTS}/{person}").json["tags"] == ["vip"]
    assert send(tags_handler, key, "GET", path).status == 404


def test_a_tag_is_made_once(key: TestKey) -> None:
    make(tags_handler, key, TAGS, name="lead")
    answer = send(tags_handler, key, "POST", TAGS, json={"name": "lead"})

    assert (answer.status, answer.json["errors"][0]["code"]) == (409, "taken")
    assert [tag["name"] for tag in send(tags_handler, key, "GET", TAGS, query={"name": "lead"}).json["data"]] == [
        "lead"
    ]


# ---- Custom fields ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "good", "stored", "bad"),
    [
        ("number", 5, 5, "five"),
        ("number", 5.5, 5.5, True),
        ("boolean", False, False, 0),
        ("text", "SaaS", "SaaS", 3),
        ("text", "x" * 255, "x" * 255, "x" * 256),
        ("date", "2026-01-31", "2026-01-31", "31.01.2026"),
        ("date", "2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z", "2026-01-31T12:00:00"),
    ],
)
def test_a_declared_field_takes_values_of_its_type_alone(
    key: TestKey, kind: str, good: Any, stored: Any, bad: Any
) -> None:
    make(fields_handler, key, FIELDS, key="f", type=kind)
    person = contact(key, "a", attributes={"f": good, "free": "anything"})
    path = f"{CONTACTS}/{person['id']}"

    created = send(contacts_handler, key, "POST", CONTACTS, json={"email": "b@example.com", "attributes": {"f": bad}})
    changed = send(contacts_handler, key, "PUT", path, json={"attributes": {"f": bad}})

    assert person["attributes"] == {"f": stored, "free": "anything"}
    for refused in (created, changed):
        assert (refused.status, refused.json["errors"][0]["field"]) == (400, "attributes.f")
        assert refused.json["errors"][0]["code"] == "wrong_type"


def found_by(key: TestKey, /, **rule: Any) -> list[str]:
    answer = send(segments_handler, key, "POST", f"{SEGMENTS}/preview", json={"definition": rule})
    assert answer.status == 200, answer.body
    return sorted(item["email"].split("@")[0] for item in answer.json["sample"])


def test_segments_follow_changed_and_removed_values(key: TestKey) -> None:
    make(fields_handler, key, FIELDS, key="seats", type="number")
    path = f"{CONTACTS}/{contact(key, 'a', attributes={'seats': 5})['id']}"
    rule = {"field": "attributes.seats", "operator": "at_least", "value": 5}

    before = found_by(key, **rule)
    send(contacts_handler, key, "PUT", path, json={"attributes": {"seats": 4}})
    lowered = found_by(key, **rule)
    send(contacts_handler, key, "PUT", path, json={"attributes": {"seats": None}})

    assert (before, lowered) == (["a"], [])
    assert found_by(key, field="attributes.seats", operator="is_set") == []


def test_a_field_that_is_declared_later_takes_up_the_values_that_are_there(key: TestKey) -> None:
    contact(key, "a", attributes={"seats": 5})
    contact(key, "b", attributes={"seats": None})
    contact(key, "c")
    make(fields_handler, key, FIELDS, key="seats", type="number")

    assert found_by(key, field="attributes.seats", operator="equals", value=5) == ["a"]


def test_a_type_that_does_not_fit_what_is_there_is_not_declared(key: TestKey) -> None:
    person = contact(key, "a", attributes={"seats": "five"})["id"]
    answer = send(fields_handler, key, "POST", FIELDS, json={"key": "seats", "type": "number"})

    assert (answer.status, answer.code) == (409, "RESOURCE_CONFLICT")
    assert person in answer.json["detail"]
    assert send(fields_handler, key, "GET", FIELDS).json["data"] == []


def test_a_field_is_declared_once_relabelled_and_not_forgotten_while_a_segment_reads_it(key: TestKey) -> None:
    made = make(fields_handler, key, FIELDS, key="seats", type="number", label="Seats")
    path = f"{FIELDS}/{made['id']}"
    rule = {"not": {"field": "attributes.seats", "operator": "is_set"}}
    segment = make(segments_handler, key, SEGMENTS, name="No seats", definition=rule)["id"]

    again = send(fields_handler, key, "POST", FIELDS, json={"key": "seats", "type": "text"})
    relabelled = send(fields_handler, key, "PUT", path, json={"label": None})
    used = send(fields_handler, key, "DELETE", path)
    send(segments_handler, key, "DELETE", f"{SEGMENTS}/{segment}")

    assert (again.status, relabelled.json["label"], used.status) == (409, None, 409)
    assert "No seats" in used.json["detail"]
    assert send(fields_handler, key, "DELETE", path).json == {"id": made["id"], "deleted": True}
    assert send(fields_handler, key, "GET", path).status == 404
