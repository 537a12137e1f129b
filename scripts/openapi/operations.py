"""Completes one operation: who may call it, the headers it takes and gives, its errors."""

from typing import Any

from penguinmails.http.access import Requirement
from scripts.openapi.downgrade import downgrade, never_null
from scripts.openapi.shared import PROBLEM_NAMES, TAGS, success_headers

Operation = dict[str, Any]

_DONE = {
    "200": "Done.",
    "201": "Created.",
    "202": "Accepted; the work goes on.",
    "204": "Done; there is nothing to tell.",
}
_ALWAYS_POSSIBLE = {"400", "429", "500"}
_POSSIBLE_WITH_CREDENTIALS = {"401", "403"}
_NO_IDEMPOTENCY = ("/sessions", "/me/second-factor")
"""Signing in, stepping up and enrolling give out secrets, which must not be kept for a replay."""


def complete(operation: Operation, requirement: Requirement, *, method: str, path: str) -> Operation:
    """The operation as it is published; `path` is below the API's base path."""
    declared = _declared(operation, requirement, method)
    responses = {status: _response(status, answer) for status, answer in declared.items()}
    return {
        "tags": operation["tags"],
        "summary": operation["summary"],
        "description": f"{operation['description'].strip()}\n\n{_who(requirement)}",
        "operationId": operation["operationId"],
        **({"deprecated": True} if operation.get("deprecated") else {}),
        **{key: value for key, value in operation.items() if key.startswith("x-")},
        **_extensions(requirement),
        "security": _security(requirement),
        **_parameters(operation, requirement, method=method, path=path),
        **_body(operation),
        "responses": responses,
    }


def faults(operation: Operation, requirement: Requirement | None) -> list[str]:
    """What keeps an operation from being published; each is a sentence that says what to do."""
    found: list[str] = []
    if requirement is None:
        return ["declares no access; use access(), any_caller(), session(), staff() or public() exactly once"]
    if not operation.get("description"):
        found.append("has no description; give the route function a docstring")
    name = operation.get("operationId", "")
    if not (name.isalnum() and name[:1].islower() and name != name.lower()):
        found.append(f"has the operationId {name!r}; set one like listContacts")
    unknown = [tag for tag in operation.get("tags", ()) if tag not in TAGS]
    if unknown or not operation.get("tags"):
        found.append(
            f"has the tags {operation.get('tags', [])}; use one that scripts/openapi/shared.py describes, or add it"
        )
    demanded = _ALWAYS_POSSIBLE | (set() if requirement.kind == "public" else _POSSIBLE_WITH_CREDENTIALS)
    missing = demanded - set(operation["responses"])
    if missing:
        found.append(f"does not declare {', '.join(sorted(missing))}; add responses=problems(...)")
    for status, answer in operation["responses"].items():
        schemas = [content.get("schema") for content in answer.get("content", {}).values()]
        if status.startswith("2") and status != "204" and not all(schemas or [None]):
            found.append(f"answers {status} without a schema; annotate what it returns or name a response_model")
    return found


def _declared(operation: Operation, requirement: Requirement, method: str) -> dict[str, Any]:
    """Without the 422 that the framework adds (invalid requests get 400 here), and without what cannot be refused.

    GET has no body; what staff read without a parameter or a mode has nothing that could be wrong.
    """
    impossible = {"422", "413", "415"} if method == "get" else {"422"}
    if method == "get" and requirement.kind == "staff" and not operation.get("parameters"):
        impossible.add("400")
    return {status: answer for status, answer in operation["responses"].items() if status not in impossible}


def _response(status: str, answer: dict[str, Any]) -> dict[str, Any]:
    if status.isdigit() and int(status) in PROBLEM_NAMES and _is_problem(answer):
        return {"$ref": f"#/components/responses/{PROBLEM_NAMES[int(status)]}"}
    description = answer["description"]
    completed: dict[str, Any] = {
        "description": _DONE.get(status, description) if description == "Successful Response" else description
    }
    if status.startswith("2"):
        completed["headers"] = {**success_headers(), **answer.get("headers", {})}
    if "content" in answer:
        completed["content"] = _content(answer["content"], f"responses/{status}")
    return completed


def _is_problem(answer: dict[str, Any]) -> bool:
    schemas = [content.get("schema", {}) for content in answer.get("content", {}).values()]
    return any(schema.get("$ref", "").endswith("/Problem") for schema in schemas)


def _content(content: dict[str, Any], at: str) -> dict[str, Any]:
    return {
        media: {**description, "schema": downgrade(description.get("schema", {}), f"{at}/{media}")}
        for media, description in content.items()
    }


def _body(operation: Operation) -> dict[str, Any]:
    if "requestBody" not in operation:
        return {}
    body = operation["requestBody"]
    return {"requestBody": {**body, "content": _content(body["content"], f"{operation['operationId']}/requestBody")}}


def _parameters(operation: Operation, requirement: Requirement, *, method: str, path: str) -> dict[str, Any]:
    own = [_parameter(parameter, operation["operationId"]) for parameter in operation.get("parameters", ())]
    shared: list[str] = []
    if requirement.step_up is not None:
        shared.append("ReauthToken")
    of_an_account = requirement.kind in {"scoped", "any", "session"}
    if of_an_account and method == "post" and not path.startswith(_NO_IDEMPOTENCY):
        shared.append("IdempotencyKey")
    if of_an_account:
        shared.append("Mode")
    parameters = own + [{"$ref": f"#/components/parameters/{name}"} for name in shared]
    return {"parameters": parameters} if parameters else {}


def _parameter(parameter: dict[str, Any], at: str) -> dict[str, Any]:
    schema = never_null(parameter["schema"], f"{at}/{parameter['name']}")
    # The parameter says it already.
    schema.pop("description", None)
    return {**parameter, "schema": schema}


def _security(requirement: Requirement) -> list[dict[str, list[str]]]:
    if requirement.kind == "public":
        return []
    session: dict[str, list[str]] = {"SessionAuth": []}
    return [{"ApiKeyAuth": []}, session] if requirement.takes_api_keys else [session]


def _extensions(requirement: Requirement) -> dict[str, Any]:
    """The access rule for programs; any one of the listed scopes or roles is enough."""
    if requirement.kind == "scoped":
        return {"x-required-scope": [scope.value for scope in requirement.scopes]}
    if requirement.kind == "staff":
        return {"x-required-scope": [], "x-required-staff-role": list(requirement.staff_roles)}
    if requirement.kind == "session":
        return {"x-required-scope": [], "x-required-role": list(requirement.roles)}
    return {"x-required-scope": []}


def _who(requirement: Requirement) -> str:
    if requirement.kind == "public":
        return "Needs no credential; limited per address."
    if requirement.kind == "any":
        return "Takes any API key or session; no scope is needed."
    if requirement.kind == "scoped":
        return f"**Scope:** {_any_of([scope.value for scope in requirement.scopes])}."
    if requirement.kind == "staff":
        text = (
            f"**Staff role:** {_any_of(list(requirement.staff_roles))}. A tenant's sessions and API keys are refused."
        )
    else:
        text = f"**Role:** {_any_of(list(requirement.roles))}, signed in. API keys are refused."
    return text + (" Confirm your identity first." if requirement.step_up else "")


def _any_of(names: list[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)
