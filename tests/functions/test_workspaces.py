"""Workspaces, and who works in them."""

from uuid import uuid4

import pytest

from contacts.app import handler as contacts
from penguinmails.auth.scopes import Role
from tests.support.http import call
from tests.support.people import Person, signed_in
from tests.support.tenants import TestTenant
from workspaces.app import handler

WORKSPACES = "/api/v1/workspaces"


@pytest.fixture
def owner(tenant: TestTenant) -> Person:
    return signed_in(tenant)


def create(owner: Person, name: str = "Spring Launch!", **fields: str) -> str:
    answer = owner.call(handler, "POST", WORKSPACES, json={"name": name, **fields})
    assert answer.status == 201, answer.body
    return answer.json["id"]


def test_a_workspace_gets_a_short_name_from_its_name(owner: Person) -> None:
    workspace = owner.call(handler, "GET", f"{WORKSPACES}/{create(owner)}").json

    assert (workspace["slug"], workspace["is_default"]) == ("spring-launch", False)


def test_any_key_lists_workspaces_and_none_changes_them(tenant: TestTenant, owner: Person) -> None:
    create(owner)
    key = tenant.key().plaintext

    listed = call(handler, "GET", WORKSPACES, token=key, query={"sort_by": "name", "order": "asc"})

    assert [row["slug"] for row in listed.json["data"]] == ["default", "spring-launch"]
    assert call(handler, "POST", WORKSPACES, token=key, json={"name": "x"}).status == 403


@pytest.mark.parametrize("role", ["developer", "member"])
def test_only_owners_and_admins_change_workspaces(tenant: TestTenant, owner: Person, role: Role) -> None:
    workspace, person = create(owner), signed_in(tenant, role)

    assert person.call(handler, "POST", WORKSPACES, json={"name": "x"}).status == 403
    assert person.call(handler, "PUT", f"{WORKSPACES}/{workspace}", json={"name": "x"}).status == 403
    assert person.call(handler, "DELETE", f"{WORKSPACES}/{workspace}").status == 403


def test_a_short_name_is_taken_once(owner: Person) -> None:
    create(owner)
    other = create(owner, "Other")

    assert owner.call(handler, "POST", WORKSPACES, json={"name": "Spring launch"}).status == 409
    for method in ("PUT", "PATCH"):
        assert owner.call(handler, method, f"{WORKSPACES}/{other}", json={"slug": "spring-launch"}).status == 409


def test_a_change_names_the_version_that_it_was_made_for(owner: Person) -> None:
    path = f"{WORKSPACES}/{create(owner)}"
    version = owner.call(handler, "GET", path).headers["etag"]

    changed = owner.call(handler, "PATCH", path, json={"name": "Autumn"}, headers={"If-Match": version})

    assert (changed.json["name"], changed.json["slug"]) == ("Autumn", "spring-launch")
    stale = owner.call(handler, "PUT", path, json={"name": "Winter"}, headers={"If-Match": version})
    assert (stale.status, stale.code) == (412, "PRECONDITION_FAILED")
    stale = owner.call(handler, "DELETE", path, headers={"If-Match": version})
    assert (stale.status, stale.code) == (412, "PRECONDITION_FAILED")
    present = {"If-Match": owner.call(handler, "GET", path).headers["etag"]}
    assert owner.call(handler, "DELETE", path, headers=present).status == 200


def test_a_deleted_workspace_leaves_its_contacts_in_the_account(tenant: TestTenant, owner: Person) -> None:
    workspace, key = create(owner), tenant.key().plaintext
    body = {"email": "a@example.com", "workspace_ids": [workspace]}
    contact = call(contacts, "POST", "/api/v1/contacts", token=key, json=body).json["id"]

    assert owner.call(handler, "DELETE", f"{WORKSPACES}/{workspace}").json == {"deleted": True, "id": workspace}

    assert call(contacts, "GET", f"/api/v1/contacts/{contact}", token=key).json["workspace_ids"] == []
    assert owner.call(handler, "GET", f"{WORKSPACES}/{workspace}").status == 404


def test_the_default_workspace_stays(tenant: TestTenant, owner: Person) -> None:
    answer = owner.call(handler, "DELETE", f"{WORKSPACES}/{tenant.workspace_id}")

    assert (answer.status, answer.code) == (409, "RESOURCE_CONFLICT")


def test_people_work_in_a_workspace_with_a_role_of_its_own(tenant: TestTenant, owner: Person) -> None:
    workspace, person = create(owner), signed_in(tenant, "member")
    path = f"{WORKSPACES}/{workspace}/members"

    for role in ("viewer", "admin"):
        answer = owner.call(handler, "PUT", f"{path}/{person.id}", json={"role": role})
        assert [(row["user_id"], row["role"]) for row in answer.json["data"]] == [(str(person.id), role)]
    assert person.call(handler, "GET", path).json["data"][0]["email"] == person.email

    assert owner.call(handler, "DELETE", f"{path}/{person.id}").json == {"data": []}
    assert owner.call(handler, "DELETE", f"{path}/{person.id}").status == 404
    assert owner.call(handler, "PUT", f"{path}/{uuid4()}", json={"role": "viewer"}).status == 404


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x", "slug": "Not A Slug"}, {"name": "x", "color": "red"}])
def test_an_unusable_workspace_is_refused_with_the_field(owner: Person, body: dict[str, str]) -> None:
    answer = owner.call(handler, "POST", WORKSPACES, json=body)

    assert answer.status == 400
    assert answer.json["errors"][0]["field"] in {"name", "slug", "color"}


def test_a_workspace_of_another_account_does_not_exist(owner: Person) -> None:
    path = f"{WORKSPACES}/{uuid4()}"

    statuses = [
        owner.call(handler, method, path + below, json=body).status
        for method, below, body in (
            ("GET", "", None),
            ("PUT", "", {"name": "x"}),
            ("DELETE", "", None),
            ("GET", "/members", None),
            ("PUT", f"/members/{owner.id}", {"role": "viewer"}),
            ("DELETE", f"/members/{owner.id}", None),
        )
    ]

    assert statuses == [404] * 6
