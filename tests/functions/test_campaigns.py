"""Campaigns as they are drafted, changed, started and paused."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from campaigns.app import handler
from penguinmails.auth.scopes import Scope
from penguinmails.db import Mode, transaction
from tests.support.campaigns import CAMPAIGNS, EMAIL, WAIT, add_contact, add_list, ask, draft, started, status_of
from tests.support.http import call
from tests.support.people import signed_in
from tests.support.tenants import TestKey, TestTenant, make_tenant

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()


def events(tenant: TestTenant, mode: Mode = "live") -> list[str]:
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        return tx.all("SELECT type FROM events WHERE type LIKE 'campaign.%%' ORDER BY id", {})


def refused_fields(key: TestKey, body: dict[str, Any]) -> set[str]:
    answer = ask(key, "POST", json={"name": "Launch", **body})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), answer.body
    return {error["field"] for error in answer.json["errors"]}


def test_a_draft_has_the_defaults_of_the_platform(tenant: TestTenant, key: TestKey) -> None:
    made = ask(key, "POST", json={"name": " Launch "}).json

    assert (made["name"], made["status"], made["campaign_type"]) == ("Launch", "draft", "broadcast")
    assert (made["workspace_id"], made["workspace"]) == (str(tenant.workspace_id), "default")
    assert (made["timezone"], made["send_strategy"], made["steps"]) == ("UTC", "immediate", [])
    settings = dict(made["settings"])
    assert settings.pop("ab_test")["share_percent"] == 20
    assert settings == {
        "daily_limit": 50,
        "track_opens": True,
        "track_clicks": True,
        "unsubscribe_enabled": True,
        "sending_window": None,
        "pause_on_reply": False,
    }
    assert set(made["stats"].values()) == {0}
    assert ask(key, "GET", f"/{made['id']}").json == made


def test_steps_are_kept_in_their_order_with_their_links(key: TestKey) -> None:
    steps = [
        {**EMAIL, "order": 1, "variant_b": {"subject": "Other"}},
        {**WAIT, "order": 2},
        {"type": "condition", "order": 3, "condition": {"sign": "opened", "of": 1}, "on_true": 5},
        {**EMAIL, "order": 4},
        {"type": "action", "order": 5, "action": {"type": "add_tag", "tag": "done"}},
    ]
    shown = draft(key, steps=[steps[2], steps[0], steps[1], steps[4], steps[3]])["steps"]

    assert [(step["order"], step["type"]) for step in shown] == [
        (1, "email"), (2, "wait"), (3, "condition"), (4, "email"), (5, "action"),
    ]  # fmt: skip
    assert [(step["next"], step["on_true"], step["on_false"]) for step in shown] == [
        (2, None, None), (3, None, None), (None, 5, 4), (5, None, None), (None, None, None),
    ]  # fmt: skip
    assert shown[2]["condition"] == {"sign": "opened", "of": 1}
    assert shown[0]["variant_b"] == {"subject": "Other", "html_body": None, "text_body": None}


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([{"type": "email", "html_body": "x"}], "steps.0.subject"),
        ([{"type": "email", "subject": "x"}], "steps.0.html_body"),
        ([{**EMAIL, "wait": WAIT["wait"]}], "steps.0.wait"),
        ([{"type": "wait"}], "steps.0.wait"),
        ([{**EMAIL, "subject": "Hi {{ nickname }}"}], "steps.0.subject"),
        ([{**EMAIL, "html_body": "Hi {{ first_name"}], "steps.0.html_body"),
        ([{**EMAIL, "variant_b": {}}], "steps.0.variant_b"),
        ([EMAIL] * 8, "steps"),
        ([{**EMAIL, "order": 1}, {**EMAIL, "order": 1}], "steps.0.order"),
        ([{**EMAIL, "order": 2}], "steps.0.order"),
        ([EMAIL, {"type": "condition", "condition": {"sign": "opened"}, "on_true": 1}], "steps.1.on_true"),
        ([{**EMAIL, "next": 9}], "steps.0.next"),
        ([{"type": "condition", "condition": {"sign": "opened"}}, EMAIL], "steps.0.condition.of"),
        ([{**EMAIL, "next": 3}, EMAIL, EMAIL], "steps.1"),
        ([{"type": "action", "action": {"type": "exit"}}, EMAIL], "steps.1"),
        ([{"type": "action", "action": {"type": "add_tag"}}], "steps.0.action.tag"),
        ([{"type": "action", "action": {"type": "exit", "tag": "x"}}], "steps.0.action.tag"),
        ([{"type": "action", "action": {"type": "add_to_list", "list_id": str(uuid4())}}], "steps.0.action.list_id"),
        ([{**EMAIL, "id": str(uuid4())}], "steps.0.id"),
    ],
)
def test_steps_that_make_no_journey_are_refused_by_their_path(
    key: TestKey, steps: list[dict[str, Any]], field: str
) -> None:
    assert field in refused_fields(key, {"steps": steps})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"settings": {"daily_limit": 9}}, "settings.daily_limit"),
        ({"settings": {"daily_limit": 501}}, "settings.daily_limit"),
        (
            {"settings": {"sending_window": {"days": ["monday"], "start": "17:00", "end": "09:00"}}},
            "settings.sending_window",
        ),
        ({"list_id": str(uuid4())}, "list_id"),
        ({"segment_id": str(uuid4())}, "segment_id"),
        ({"workspace": "nowhere"}, "workspace"),
        ({"start_date": TOMORROW, "end_date": YESTERDAY}, "end_date"),
        ({"from_email": "nobody"}, "from_email"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_what_does_not_fit_together_or_exist_is_refused_by_its_field(
    key: TestKey, body: dict[str, Any], field: str
) -> None:
    assert field in refused_fields(key, body)


def test_an_override_lifts_the_daily_limit(tenant: TestTenant, key: TestKey) -> None:
    with transaction(role="jobs") as tx:
        tx.run(
            "INSERT INTO tenant_overrides (tenant_id, limits, reason) VALUES (%(id)s, '{\"max_daily_limit\": 9000}', 'test')",
            {"id": tenant.id},
        )

    assert draft(key, settings={"daily_limit": 9000})["settings"]["daily_limit"] == 9000
    assert "settings.daily_limit" in refused_fields(key, {"settings": {"daily_limit": 9001}})


def test_the_workspace_must_be_named_once_there_is_a_choice(tenant: TestTenant, key: TestKey) -> None:
    with transaction(tenant_id=tenant.id) as tx:
        tx.run(
            "INSERT INTO workspaces (id, tenant_id, name, slug) VALUES (gen_random_uuid(), %(id)s, 'Two', 'two')",
            {"id": tenant.id},
        )

    assert "workspace" in refused_fields(key, {})
    assert draft(key, workspace="two")["workspace"] == "two"
    assert draft(key, workspace=str(tenant.workspace_id))["workspace"] == "default"


def test_the_list_is_filtered_by_state_workspace_and_the_beginning_of_the_name(key: TestKey) -> None:
    add_contact(key)
    for name in ("Spring", "spring 2", "Summer"):
        draft(key, name=name)
    started(key, name="Autumn")

    def names(**query: Any) -> set[str]:
        answer = ask(key, "GET", query=query)
        assert answer.status == 200, answer.body
        return {campaign["name"] for campaign in answer.json["data"]}

    assert names(search="SPRING") == {"Spring", "spring 2"}
    assert names(status="draft", search="s") == {"Spring", "spring 2", "Summer"}
    assert names(status="active") == {"Autumn"}
    assert names(status="sent") == set()
    assert names(workspace="default", sort_by="name", order="asc", limit=2) == {"Autumn", "Spring"}
    assert names(workspace="other") == set()


def test_pages_in_the_order_of_names_follow_each_other(key: TestKey) -> None:
    for name in ("b", "C", "a", "D"):
        draft(key, name=name)
    first = ask(key, "GET", query={"sort_by": "name", "order": "asc", "limit": 2}).json
    cursor = first["pagination"]["next_cursor"]
    second = ask(key, "GET", query={"sort_by": "name", "order": "asc", "limit": 2, "cursor": cursor}).json

    names = [campaign["name"] for campaign in first["data"] + second["data"]]
    assert sorted(names) == ["C", "D", "a", "b"]
    assert len(set(names)) == 4


def test_a_change_keeps_what_is_not_sent_and_takes_null_for_what_may_be_empty(key: TestKey) -> None:
    campaign = draft(key, description="Old", goal="sales")
    changed = ask(
        key, "PUT", f"/{campaign['id']}", json={"description": None, "name": None, "timezone": "Asia/Tokyo"}
    ).json

    assert (changed["description"], changed["goal"], changed["name"]) == (None, "sales", "Launch")
    assert changed["timezone"] == "Asia/Tokyo"
    assert changed["steps"] == campaign["steps"]


def test_a_change_needs_the_version_that_was_read(key: TestKey) -> None:
    path = f"/{draft(key)['id']}"
    etag = ask(key, "GET", path).headers["etag"]
    assert ask(key, "PATCH", path, json={"name": "Mine"}, headers={"If-Match": etag}).status == 200

    late = ask(key, "PUT", path, json={"name": "Yours"}, headers={"If-Match": etag})
    assert (late.status, late.code) == (412, "PRECONDITION_FAILED")
    assert ask(key, "DELETE", path, headers={"If-Match": etag}).status == 412
    assert ask(key, "GET", path).json["name"] == "Mine"


def test_a_launched_campaign_keeps_its_audience_and_steps_but_takes_new_texts(key: TestKey) -> None:
    campaign_id = started(key, list_id=add_list(key, add_contact(key)))
    (step,) = ask(key, "GET", f"/{campaign_id}").json["steps"]
    kept = {**EMAIL, "id": step["id"], "subject": "New"}

    assert ask(key, "PUT", f"/{campaign_id}", json={"list_id": None}).code == "RESOURCE_CONFLICT"
    assert ask(key, "PUT", f"/{campaign_id}", json={"steps": [EMAIL]}).code == "RESOURCE_CONFLICT"
    answer = ask(key, "PUT", f"/{campaign_id}", json={"steps": [kept, WAIT, EMAIL]})
    assert [s["type"] for s in answer.json["steps"]] == ["email", "wait", "email"]
    assert (answer.json["steps"][0]["id"], answer.json["steps"][0]["subject"]) == (step["id"], "New")


def test_starting_launches_and_tells_it_once(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    campaign_id = draft(key)["id"]

    answer = ask(key, "POST", f"/{campaign_id}/start")

    assert (answer.status, answer.json["status"]) == (200, "active")
    assert answer.json["launched_at"] is not None
    assert answer.json["paused_reason"] is None
    paused = ask(key, "POST", f"/{campaign_id}/pause").json
    assert (paused["status"], paused["paused_reason"], paused["paused_at"] is None) == ("paused", "user", False)
    again = ask(key, "POST", f"/{campaign_id}/start").json
    assert (again["status"], again["paused_reason"], again["paused_at"]) == ("active", None, None)
    assert events(tenant) == ["campaign.launched", "campaign.paused"]


def test_a_start_date_ahead_schedules_and_pausing_makes_it_a_draft_again(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    campaign_id = started(key, start_date=TOMORROW)

    assert status_of(key, campaign_id) == "scheduled"
    assert ask(key, "POST", f"/{campaign_id}/start").code == "INVALID_STATE_TRANSITION"
    assert ask(key, "POST", f"/{campaign_id}/pause").json["status"] == "draft"
    assert events(tenant) == []


def test_a_start_date_past_launches_at_once(key: TestKey) -> None:
    add_contact(key)

    assert status_of(key, started(key, start_date=YESTERDAY)) == "active"


def test_the_consoles_path_starts_resumes_and_pauses(key: TestKey) -> None:
    add_contact(key)
    path = f"/api/v1/tenant/campaigns/{draft(key)['id']}/send"

    for action, status in (("start", "active"), ("pause", "paused"), ("resume", "active")):
        answer = call(handler, "POST", path, token=key.plaintext, json={"action": action})
        assert (answer.status, answer.json["status"]) == (200, status)
    assert call(handler, "POST", path, token=key.plaintext, json={"action": "resume"}).status == 409


def test_starting_needs_the_scope_to_send_as_well(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    campaign_id = draft(key)["id"]
    manager = tenant.key(Scope.MANAGE_CAMPAIGNS)

    refused = ask(manager, "POST", f"/{campaign_id}/start")

    assert (refused.status, refused.code, refused.json["required_scope"]) == (
        403,
        "INSUFFICIENT_PERMISSIONS",
        "send_email",
    )
    assert ask(tenant.key(Scope.SEND_EMAIL), "GET", f"/{campaign_id}").status == 403
    assert status_of(manager, campaign_id) == "draft"


@pytest.mark.parametrize("name", ["list_id", "segment_id"])
def test_a_triggered_campaign_takes_no_audience(key: TestKey, name: str) -> None:
    audience = {"list_id": add_list(key)} if name == "list_id" else {"segment_id": str(uuid4())}

    assert refused_fields(key, {"campaign_type": "triggered", **audience}) == {name}


def test_a_copy_is_a_draft_with_steps_of_its_own_and_without_dates(key: TestKey) -> None:
    add_contact(key)
    steps = [EMAIL, WAIT, {"type": "condition", "condition": {"sign": "opened", "of": 1}, "on_true": 5}, EMAIL,
             {"type": "action", "action": {"type": "exit"}}]  # fmt: skip
    campaign_id = started(key, steps=steps, start_date=YESTERDAY, timezone="Europe/Berlin")
    original = ask(key, "GET", f"/{campaign_id}").json

    copy = ask(key, "POST", f"/{campaign_id}/clone", json={}).json

    assert (copy["status"], copy["name"], copy["start_date"]) == ("draft", "Launch (copy)", None)
    assert copy["timezone"] == "Europe/Berlin"
    assert {step["id"] for step in copy["steps"]}.isdisjoint(step["id"] for step in original["steps"])

    def without_ids(steps: list[Any]) -> list[Any]:
        return [{name: value for name, value in step.items() if name != "id"} for step in steps]

    assert without_ids(copy["steps"]) == without_ids(original["steps"])
    assert ask(key, "POST", f"/{campaign_id}/clone", json={"name": "Again"}).json["name"] == "Again"


def test_only_an_active_campaign_cannot_be_deleted(key: TestKey) -> None:
    add_contact(key)
    campaign_id = started(key)

    assert ask(key, "DELETE", f"/{campaign_id}").code == "INVALID_STATE_TRANSITION"
    ask(key, "POST", f"/{campaign_id}/pause")
    assert ask(key, "DELETE", f"/{campaign_id}").json == {"id": campaign_id, "deleted": True}
    gone = ask(key, "GET", f"/{campaign_id}")
    assert (gone.status, gone.code) == (404, "CAMPAIGN_NOT_FOUND")


def test_a_completed_campaign_takes_no_action_and_no_change_but_may_be_copied_and_deleted(
    tenant: TestTenant, key: TestKey
) -> None:
    campaign_id = draft(key)["id"]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE campaigns SET status = 'completed' WHERE id = %(id)s", {"id": campaign_id})

    for method, path in (("POST", "/start"), ("POST", "/pause"), ("PUT", ""), ("PATCH", "")):
        answer = ask(key, method, f"/{campaign_id}{path}", json=None if path else {})
        assert (answer.status, answer.code) == (409, "INVALID_STATE_TRANSITION")
    assert ask(key, "POST", f"/{campaign_id}/clone", json={}).status == 201
    assert ask(key, "DELETE", f"/{campaign_id}").status == 200


def test_a_repeated_start_with_its_key_is_answered_as_the_first_was(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    path, headers = f"/{draft(key)['id']}/start", {"Idempotency-Key": uuid4().hex}

    answers = [ask(key, "POST", path, headers=headers) for _ in range(2)]

    assert answers[0].json == answers[1].json
    assert events(tenant) == ["campaign.launched"]


def test_who_signed_in_starts_and_is_named_as_who_paused(tenant: TestTenant, key: TestKey) -> None:
    person = signed_in(tenant)
    add_contact(key)
    campaign_id = started(key)

    assert call(handler, "POST", f"{CAMPAIGNS}/{campaign_id}/pause", token=person.access_token).status == 200

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        told = tx.one("SELECT data FROM events WHERE type = 'campaign.paused'", {})
    assert (told["campaign_id"], told["paused_by"]) == (campaign_id, str(person.id))


def test_an_email_takes_its_texts_from_a_template_as_they_are_now(key: TestKey) -> None:
    from templates.app import handler as templates_handler

    body = {"name": uuid4().hex, "subject": "Hi {{ first_name }}", "text_body": "Hello"}
    answer = call(templates_handler, "POST", "/api/v1/templates", token=key.plaintext, json=body)
    template = {"type": "email", "template_id": answer.json["id"]}

    (taken, changed) = draft(key, steps=[template, {**template, "subject": "Mine"}])["steps"]

    assert (taken["subject"], taken["text_body"], taken["html_body"]) == ("Hi {{ first_name }}", "Hello", None)
    assert (changed["subject"], changed["text_body"]) == ("Mine", "Hello")
    foreign = make_tenant().key()
    assert refused_fields(foreign, {"steps": [template]}) == {"steps.0.template_id"}
