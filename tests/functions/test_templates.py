"""Templates: texts with variables that are checked when they are stored."""

from typing import Any

import pytest

from templates.app import handler
from tests.support.http import Answer, call
from tests.support.tenants import TestKey, TestTenant

TEMPLATES = "/api/v1/templates"


def create(key: TestKey, **fields: Any) -> Answer:
    body = {"name": "Welcome", "subject": "Hi {{ first_name }}", "html_body": "<p>Hi {{ first_name }}</p>", **fields}
    return call(handler, "POST", TEMPLATES, token=key.plaintext, json=body)


def render(key: TestKey, template_id: str, **variables: Any) -> Answer:
    path = f"{TEMPLATES}/{template_id}/render"
    return call(handler, "POST", path, token=key.plaintext, json={"variables": variables})


def test_a_template_names_the_variables_that_it_reads(key: TestKey) -> None:
    made = create(key, text_body="{{ company|default('you') }}")

    assert made.status == 201
    assert made.json["variables"] == ["company", "first_name"]


def test_a_template_is_seen_with_values_which_html_escapes(key: TestKey) -> None:
    template = create(key).json["id"]

    seen = render(key, template, first_name="<Zoë>")

    assert seen.json == {
        "subject": "Hi <Zoë>",
        "html_body": "<p>Hi &lt;Zoë&gt;</p>",
        "text_body": "Hi <Zoë>",
    }


def test_a_value_that_is_missing_is_named_with_the_part_that_reads_it(key: TestKey) -> None:
    answer = render(key, create(key, subject="Hello").json["id"])

    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    (fault,) = answer.json["errors"]
    assert (fault["field"], fault["code"]) == ("variables.first_name", "missing_variable")
    assert "html_body" in fault["message"]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"html_body": "a\n{% if x %}"}, "html_body", "line 2"),
        ({"subject": "{{ x() }}"}, "subject", "a call"),
        ({"text_body": "{{ x|secret }}"}, "text_body", "no filter secret"),
        ({"html_body": None}, "html_body", "both"),
        ({"name": ""}, "name", "at least"),
        ({"subject": "a\nb"}, "subject", "pattern"),
        ({"workspace_id": "00000000-0000-0000-0000-000000000001"}, "workspace_id", "does not exist"),
        ({"content": "x"}, "content", "not permitted"),
    ],
)
def test_what_cannot_be_used_is_told_by_field_and_line(
    key: TestKey, fields: dict[str, Any], field: str, words: str
) -> None:
    answer = create(key, **fields)

    assert answer.status == 400
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert words in answer.json["errors"][0]["message"]


def test_a_change_is_checked_as_a_whole(key: TestKey) -> None:
    path = f"{TEMPLATES}/{create(key).json['id']}"

    changed = call(handler, "PATCH", path, token=key.plaintext, json={"html_body": None, "text_body": "{{ city }}"})

    assert changed.json["variables"] == ["city", "first_name"]
    assert changed.json["html_body"] is None
    assert call(handler, "PUT", path, token=key.plaintext, json={"text_body": None}).status == 400
    assert call(handler, "PUT", path, token=key.plaintext, json={"subject": "{% x %}"}).status == 400


def test_a_name_is_taken_once_per_mode(tenant: TestTenant, key: TestKey) -> None:
    assert create(key).status == 201

    assert create(key).code == "RESOURCE_CONFLICT"
    assert create(tenant.key(mode="test")).status == 201
    other = create(key, name="Other").json["id"]
    for method in ("PUT", "PATCH"):
        renamed = call(handler, method, f"{TEMPLATES}/{other}", token=key.plaintext, json={"name": "Welcome"})
        assert renamed.status == 409


def test_a_list_is_narrowed_by_name_and_workspace(tenant: TestTenant, key: TestKey) -> None:
    create(key, workspace_id=str(tenant.workspace_id))
    create(key, name="Other")

    def names(**query: str) -> list[str]:
        answer = call(
            handler, "GET", TEMPLATES, token=key.plaintext, query={"sort_by": "name", "order": "asc", **query}
        )
        return [row["name"] for row in answer.json["data"]]

    assert names() == ["Other", "Welcome"]
    assert names(name="Other") == ["Other"]
    assert names(workspace_id=str(tenant.workspace_id)) == ["Welcome"]


def test_a_deleted_template_is_gone(key: TestKey) -> None:
    path = f"{TEMPLATES}/{create(key).json['id']}"
    version = call(handler, "GET", path, token=key.plaintext).headers["etag"]

    stale = call(handler, "DELETE", path, token=key.plaintext, headers={"If-Match": '"another"'})
    assert stale.code == "PRECONDITION_FAILED"
    assert call(handler, "DELETE", path, token=key.plaintext, headers={"If-Match": version}).status == 200
    assert call(handler, "GET", path, token=key.plaintext).status == 404
