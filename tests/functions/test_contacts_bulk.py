"""Contacts in bulk: every item succeeds or fails by itself, and a thousand cost as many statements as one."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from contact_fields.app import handler as fields_handler
from contacts.app import handler
from fan_out_events.app import handler as fan_out
from penguinmails import db
from penguinmails.db import transaction
from segments.app import handler as segments_handler
from suppression.app import handler as suppression_handler
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestKey, TestTenant, make_tenant
from webhooks.app import handler as webhooks_handler

CONTACTS = "/api/v1/contacts"


def send(key: TestKey, action: str, contacts: list[Any], **request: Any) -> Answer:
    body = {"action": action, "contacts": contacts}
    return call(handler, "POST", f"{CONTACTS}/bulk", token=key.plaintext, json=body, **request)


def done(key: TestKey, action: str, contacts: list[Any]) -> list[dict[str, Any]]:
    answer = send(key, action, contacts)
    assert answer.status == 207, answer.body
    assert [result["index"] for result in answer.json["results"]] == list(range(len(contacts)))
    assert answer.json["succeeded"] == sum(result["status"] < 300 for result in answer.json["results"])
    return answer.json["results"]


def statuses(results: list[dict[str, Any]]) -> list[int]:
    return [result["status"] for result in results]


def shown(key: TestKey, contact_id: str) -> dict[str, Any]:
    return call(handler, "GET", f"{CONTACTS}/{contact_id}", token=key.plaintext).json


def emails(key: TestKey) -> list[str]:
    query = {"sort_by": "email", "order": "asc"}
    return [c["email"] for c in call(handler, "GET", CONTACTS, token=key.plaintext, query=query).json["data"]]


def events(tenant: TestTenant) -> list[tuple[str, str]]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        found = tx.all("SELECT ARRAY[type, data -> 'contact' ->> 'email'] FROM events ORDER BY id", {})
    return [(kind, email) for kind, email in found]


def test_contacts_are_created_with_everything_a_single_request_takes(tenant: TestTenant, key: TestKey) -> None:
    space = str(tenant.workspace_id)
    ada = {
        "email": "Ada@Example.com", "first_name": " Ada ", "external_id": "x1", "attributes": {"seats": 3},
        "tags": ["b", "a"], "workspace_ids": [space],
    }  # fmt: skip
    results = done(key, "create", [ada, {"email": "grace@example.com", "status": "unsubscribed"}])
    contact = shown(key, results[0]["id"])

    assert statuses(results) == [201, 201]
    assert {name: contact[name] for name in ("email", "first_name", "external_id", "source")} == {
        "email": "ada@example.com", "first_name": "Ada", "external_id": "x1", "source": "api",
    }  # fmt: skip
    assert (contact["attributes"], contact["tags"], contact["workspace_ids"]) == ({"seats": 3}, ["a", "b"], [space])
    assert sorted(events(tenant)) == [("contact.created", "ada@example.com"), ("contact.created", "grace@example.com")]
    check = call(
        suppression_handler, "GET", "/api/v1/suppression-list/check", token=key.plaintext,
        query={"email": "grace@example.com"},
    )  # fmt: skip
    assert check.json["entry"]["reason"] == "user_request"


def test_a_wrong_item_fails_alone_and_says_why(key: TestKey) -> None:
    done(key, "create", [{"email": "taken@example.com", "external_id": "x1"}])

    results = done(
        key,
        "create",
        [
            {"email": "ok@example.com"},
            {"email": "nobody"},
            {"email": "taken@example.com"},
            {"email": "b@example.com", "external_id": "x1"},
            {"email": "c@example.com", "workspace_ids": [str(uuid4())]},
            {"email": "OK@example.com"},
            {"email": "d@example.com", "no_such_field": 1},
            {"first_name": "Nobody"},
        ],
    )

    assert statuses(results) == [201, 400, 409, 409, 400, 409, 400, 400]
    assert [(r["errors"][0]["field"], r["errors"][0]["code"]) for r in results[2:6]] == [
        ("email", "taken"), ("external_id", "taken"), ("workspace_ids", "not_found"), ("", "repeated"),
    ]  # fmt: skip
    assert [r["errors"][0]["field"] for r in (results[1], *results[6:])] == ["email", "no_such_field", "email"]
    assert emails(key) == ["ok@example.com", "taken@example.com"]


def test_an_upsert_changes_the_given_fields_of_those_that_are_there_and_adds_the_others(
    tenant: TestTenant, key: TestKey
) -> None:
    old = done(key, "create", [{"email": "a@example.com", "first_name": "A", "company": "Acme", "tags": ["t"]}])[0]

    results = done(key, "upsert", [{"email": "a@example.com", "first_name": "B"}, {"email": "new@example.com"}])
    same = done(key, "upsert", [{"email": "a@example.com", "first_name": "B"}])

    assert (statuses(results), statuses(same)) == ([200, 201], [200])
    assert {name: shown(key, old["id"])[name] for name in ("first_name", "company", "tags")} == {
        "first_name": "B", "company": "Acme", "tags": ["t"],
    }  # fmt: skip
    assert sorted(kind for kind, _ in events(tenant)) == ["contact.created", "contact.created", "contact.updated"]


def test_an_update_goes_by_id_or_by_address_and_null_clears(tenant: TestTenant, key: TestKey) -> None:
    a, b, c = done(
        key,
        "create",
        [{"email": f"{n}@example.com", "company": "Acme", "tags": ["t"], "external_id": n} for n in "abc"],
    )
    results = done(
        key,
        "update",
        [
            {"id": a["id"], "email": "moved@example.com", "tags": []},
            {"email": "b@example.com", "company": None, "status": "unsubscribed"},
            {"id": c["id"], "email": "b@example.com"},
            {"id": str(uuid4()), "company": "x"},
            {"email": "unknown@example.com"},
            {"company": "x"},
        ],
    )

    assert statuses(results) == [200, 200, 409, 404, 404, 400]
    assert (shown(key, a["id"])["email"], shown(key, a["id"])["tags"]) == ("moved@example.com", [])
    assert (shown(key, b["id"])["company"], shown(key, b["id"])["status"]) == (None, "unsubscribed")
    assert ("contact.unsubscribed", "b@example.com") in events(tenant)


def test_an_external_id_is_had_by_one_contact_per_mode(tenant: TestTenant, key: TestKey) -> None:
    first, second = done(key, "create", [{"email": "a@example.com", "external_id": "x"}, {"email": "b@example.com"}])
    both = done(key, "create", [{"email": f"{n}@example.com", "external_id": "y"} for n in "cd"])
    moved = done(key, "update", [{"id": second["id"], "external_id": "x"}, {"id": first["id"], "external_id": "x"}])

    assert (statuses(both), statuses(moved)) == ([201, 409], [409, 200])
    assert statuses(done(tenant.key(mode="test"), "create", [{"email": "a@example.com", "external_id": "x"}])) == [201]


def test_a_deletion_takes_the_contacts_and_keeps_who_opted_out(tenant: TestTenant, key: TestKey) -> None:
    a, _b, _c = done(
        key,
        "create",
        [{"email": "a@example.com"}, {"email": "b@example.com", "status": "unsubscribed"}, {"email": "c@example.com"}],
    )

    results = done(key, "delete", [{"id": a["id"]}, {"email": "B@example.com"}, {"id": str(uuid4())}])

    assert (statuses(results), emails(key)) == ([200, 200, 404], ["c@example.com"])
    assert sorted(email or "" for _, email in events(tenant)) == ["", "", "c@example.com"]
    listed = call(suppression_handler, "GET", "/api/v1/suppression-list", token=key.plaintext).json["data"]
    assert [entry["email"] for entry in listed] == ["b@example.com"]


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_contact_of_another_account_or_mode_is_not_there(
    tenant: TestTenant, key: TestKey, other_tenant: TestTenant, action: str
) -> None:
    theirs, own_test = (
        done(owner, "create", [{"email": "x@example.com", "company": "Acme"}])[0]["id"]
        for owner in (other_tenant.key(), tenant.key(mode="test"))
    )
    fields = {"company": "Stolen"} if action == "update" else {}

    results = done(key, action, [{"id": id_, **fields} for id_ in (theirs, own_test)])

    assert statuses(results) == [404, 404]
    assert shown(other_tenant.key(), theirs)["company"] == "Acme"


def test_declared_fields_are_checked_item_by_item_and_found_by_segments(key: TestKey) -> None:
    field = {"key": "seats", "type": "number"}
    call(fields_handler, "POST", "/api/v1/contact-fields", token=key.plaintext, json=field)
    results = done(
        key, "upsert", [{"email": f"{n}@example.com", "attributes": {"seats": v}} for n, v in (("a", 5), ("b", "5"))]
    )
    rule = {"field": "attributes.seats", "operator": "equals", "value": 5}
    found = call(segments_handler, "POST", "/api/v1/segments/preview", token=key.plaintext, json={"definition": rule})

    assert statuses(results) == [201, 400]
    assert results[1]["errors"][0] == {
        "field": "attributes.seats", "message": "must be a number, as the custom field is declared", "code": "wrong_type",
    }  # fmt: skip
    assert found.json["count"] == 1


def test_the_plan_s_limit_lets_in_all_or_none() -> None:
    tenant = make_tenant("starter")
    key = tenant.key()
    with transaction(role="jobs") as tx:
        tx.run(
            "INSERT INTO tenant_overrides (tenant_id, limits, reason) VALUES (%(id)s, '{\"max_contacts\": 2}', 'test')",
            {"id": tenant.id},
        )

    refused = send(key, "create", [{"email": f"{n}@example.com"} for n in "abc"])

    assert (refused.status, refused.code) == (403, "QUOTA_EXCEEDED")
    assert emails(key) == []
    assert statuses(done(key, "create", [{"email": f"{n}@example.com"} for n in "ab"])) == [201, 201]


def test_a_thousand_contacts_cost_as_many_statements_as_one(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[str] = []
    execute = db.Tx._execute
    monkeypatch.setattr(
        db.Tx, "_execute", lambda tx, statement, *rest: run.append(statement) or execute(tx, statement, *rest)
    )

    def cost(action: str, contacts: list[dict[str, Any]]) -> int:
        run.clear()
        assert set(statuses(done(key, action, contacts))) <= {200, 201}
        return len([statement for statement in run if "outbox" not in statement])

    call(fields_handler, "POST", "/api/v1/contact-fields", token=key.plaintext, json={"key": "seats", "type": "number"})
    everything = {"workspace_ids": [str(tenant.workspace_id)], "attributes": {"seats": 3, "note": "x"}}
    many: list[dict[str, Any]] = [
        {"email": f"m{n}@example.com", "tags": [f"t{n % 7}"], "external_id": f"x{n}", **everything} for n in range(1000)
    ]
    one = [{"email": "one@example.com", "tags": ["t"], "external_id": "one", **everything}]
    for some in (many, one):
        some[-1]["status"] = "unsubscribed"
    done(key, "create", [{"email": "first@example.com"}])

    for action in ("create", "upsert", "update", "delete"):
        if action == "delete":
            many, one = ([{"email": c["email"]} for c in some] for some in (many, one))
        elif action != "create":
            many, one = ([{**c, "company": action} for c in some] for some in (many, one))
        assert cost(action, many) == cost(action, one), action
    assert emails(key) == ["first@example.com"]


def test_too_many_or_none_are_refused(key: TestKey) -> None:
    assert [send(key, "create", contacts).status for contacts in ([], [{}] * 1001, ["a"])] == [400, 400, 400]


def test_a_repeated_request_is_answered_from_memory(key: TestKey) -> None:
    first, second = (
        send(key, "create", [{"email": "a@example.com"}], headers={"Idempotency-Key": "k"}) for _ in range(2)
    )

    assert (first.status, second.status, second.json) == (207, 207, first.json)


def test_webhooks_hear_of_every_contact_once(tenant: TestTenant, key: TestKey) -> None:
    hook = {"name": "h", "endpoint_url": "https://hooks.example.com/in", "event_types": ["contact.created"]}
    assert call(webhooks_handler, "POST", "/api/v1/webhooks", token=key.plaintext, json=hook).status == 201
    messages_for("events", tenant.id)
    done(key, "create", [{"email": f"{n}@example.com"} for n in range(250)])

    messages = [m for m in messages_for("events", tenant.id) if "event_ids" in m]
    for message in (*messages, messages[0]):
        assert consume(fan_out, message) == []

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        deliveries = tx.one("SELECT count(*) FROM webhook_deliveries", {})
        announced = {id_ for m in messages for id_ in m["event_ids"]}
    assert len(messages) == 3
    assert datetime.fromisoformat(messages[0]["created_at"]).tzinfo is not None
    assert (len(announced), deliveries) == (250, 250)


def test_a_field_name_that_no_table_can_keep_is_marked_in_the_answer(tenant: TestTenant, key: TestKey) -> None:
    body = {"action": "update", "contacts": [{"email": "a@example.com", "\x00": 1}]}
    headers = {"Idempotency-Key": "a strange name"}

    answers = [
        call(handler, "POST", "/api/v1/contacts/bulk", token=key.plaintext, json=body, headers=headers)
        for _ in range(2)
    ]

    assert [answer.status for answer in answers] == [207, 207]
    assert {answer.json["results"][0]["errors"][0]["field"] for answer in answers} == {"\ufffd"}
