"""The committed OpenAPI documents, and the generator's refusals."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, iter_route_contexts
from jsonschema.validators import validator_for
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator
from pydantic import BaseModel

from penguinmails.auth.scopes import ALL_SCOPES, Scope
from penguinmails.http.access import access, public, requirement_of, session, staff
from penguinmails.http.problems import problems
from scripts.openapi.document import Unpublishable, as_text, build, routers
from scripts.openapi.shared import TAGS

ROOT = Path(__file__).resolve().parents[2]
FILES = ("openapi.json", "openapi.staff.json")


@pytest.fixture(scope="module")
def public_document() -> dict[str, Any]:
    return json.loads((ROOT / "openapi.json").read_text())


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


@pytest.fixture(scope="module", params=FILES)
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads((ROOT / request.param).read_text())


def test_the_committed_documents_are_what_the_routes_say() -> None:
    for file, made in zip(FILES, build(routers()), strict=True):
        assert (ROOT / file).read_text() == as_text(made), f"{file} is outdated: run 'make openapi' and commit it"


def test_the_documents_are_valid_openapi_3_0_3(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.0.3"
    assert [str(error) for error in OpenAPIV30SpecValidator(document).iter_errors()] == []


def test_the_version_is_the_release() -> None:
    release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert {json.loads((ROOT / file).read_text())["info"]["version"] for file in FILES} == {release}


def test_the_server_is_the_public_base_path(public_document: dict[str, Any]) -> None:
    assert public_document["servers"][0]["url"] == "https://api.penguinmails.com/api/v1"


def test_staff_endpoints_stand_in_the_staff_document_only() -> None:
    customers, own_staff = (json.loads((ROOT / file).read_text()) for file in FILES)

    assert [path for path in customers["paths"] if path.startswith("/admin")] == []
    assert [path for path in own_staff["paths"] if not path.startswith("/admin")] == []


def test_tags_stand_in_the_documented_order_and_are_all_used(document: dict[str, Any]) -> None:
    listed = [tag["name"] for tag in document["tags"]]

    assert listed == [name for name in TAGS if name in listed]
    assert {tag for _, _, operation in _operations(document) for tag in operation["tags"]} == set(listed)


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        assert operation["summary"], (path, method)
        assert operation["description"], (path, method)


def test_operation_ids_are_unique_in_both_documents_together() -> None:
    ids = [o["operationId"] for f in FILES for _, _, o in _operations(json.loads((ROOT / f).read_text()))]

    assert len(ids) == len(set(ids))


def test_every_operation_names_the_scopes_that_its_route_demands(public_document: dict[str, Any]) -> None:
    routes = [route for router in routers().values() for route in router.routes]
    demanded = {
        (str(context.path_format).removeprefix("/api/v1"), method.lower()): requirement_of(context)  # type: ignore[arg-type]
        for context in iter_route_contexts(routes)
        for method in context.methods or ()
    }
    for path, method, operation in _operations(public_document):
        requirement = demanded[path, method]
        assert requirement is not None
        assert operation["x-required-scope"] == [scope.value for scope in requirement.scopes], (path, method)
        assert all(f"`{scope}`" in operation["description"] for scope in operation["x-required-scope"])
        takes_keys = {"ApiKeyAuth": []} in operation["security"]
        assert takes_keys == requirement.takes_api_keys, (path, method)


def test_every_error_is_a_problem_with_examples_that_fit_its_schema(public_document: dict[str, Any]) -> None:
    components = public_document["components"]
    problem = {**components["schemas"]["Problem"], "components": components}
    for path, method, operation in _operations(public_document):
        for status, answer in operation["responses"].items():
            if status >= "400":
                response = components["responses"][answer["$ref"].rpartition("/")[2]]
                content = response["content"]["application/problem+json"]
                assert content["examples"], (path, method, status)
                for example in content["examples"].values():
                    OAS30Validator(problem).validate(example["value"])
                    assert str(example["value"]["status"]) == status


def test_successful_answers_carry_the_rate_limit(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        for status, answer in operation["responses"].items():
            if status < "300":
                assert "X-RateLimit-Remaining" in answer["headers"], (path, method)


def test_the_scopes_are_the_code_s_own(public_document: dict[str, Any]) -> None:
    assert set(public_document["components"]["schemas"]["Scope"]["enum"]) == {scope.value for scope in ALL_SCOPES}


def test_schema_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    components = document.get("components", {})
    assert validator_for({}, default=OAS30Validator) is OAS30Validator
    for name, schema in components.get("schemas", {}).items():
        for field, rules in schema.get("properties", {}).items():
            if "example" in rules:
                errors = list(OAS30Validator({**rules, "components": components}).iter_errors(rules["example"]))
                assert errors == [], (name, field)


# ---- What the generator refuses -------------------------------------------------------------------------------------


class Answer(BaseModel):
    """What the made-up routes answer."""

    name: str


Sender = Annotated[Any, access(Scope.SEND_EMAIL)]


def _router(endpoint: Any, path: str = "/api/v1/contacts", **route: Any) -> APIRouter:
    router = APIRouter()
    settings = {"operation_id": "listThings", "summary": "List things", "tags": ["Contacts"], "responses": problems()}
    router.add_api_route(path, endpoint, **{**settings, **route})
    return router


async def documented(caller: Sender) -> Answer:
    """List things."""
    return Answer(name=str(caller))


async def undocumented(caller: Sender) -> Answer:
    return Answer(name=str(caller))


async def unguarded() -> Answer:
    """List things."""
    return Answer(name="")


async def shapeless(caller: Sender):
    """List things."""
    return caller


@pytest.mark.parametrize(
    ("endpoint", "route", "complaint"),
    [
        (unguarded, {}, "declares no access"),
        (undocumented, {}, "has no description"),
        (shapeless, {}, "answers 200 without a schema"),
        (documented, {"operation_id": "list"}, "operationId 'list'"),
        (documented, {"tags": ["Penguins"]}, r"tags \['Penguins'\]"),
        (documented, {"responses": None}, "does not declare 400, 401, 403, 429, 500"),
        (documented, {"path": "/elsewhere"}, "is not below /api/v1"),
    ],
)
def test_a_route_that_cannot_be_documented_is_refused_by_name(
    endpoint: Any, route: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(Unpublishable, match=complaint) as refusal:
        build({"things": _router(endpoint, **route)})

    assert str(refusal.value).startswith("GET /")


def test_two_routes_may_not_share_an_operation_id() -> None:
    with pytest.raises(Unpublishable, match="has the operationId of GET /api/v1/contacts"):
        build({"a": _router(documented), "b": _router(documented, "/api/v1/emails")})


def _model(module: str) -> type[BaseModel]:
    return type("Done", (BaseModel,), {"__module__": module, "__annotations__": {module[:4]: str}})


def test_models_of_the_same_name_carry_the_name_of_their_function() -> None:
    first = _router(documented, response_model=_model("api_keys.schemas"))
    second = _router(documented, "/api/v1/emails", operation_id="listMore", response_model=_model("contacts.schemas"))

    made, _ = build({"a": first, "b": second})

    assert {"ApiKeysDone", "ContactsDone"} <= set(made["components"]["schemas"])


def test_the_access_rule_decides_credentials_and_headers() -> None:
    router = APIRouter(tags=["Contacts"])
    rules = {
        "scoped": access(Scope.SEND_EMAIL, Scope.READ_ANALYTICS),
        "public": public(),
        "session": session("owner", step_up="api_keys"),
        "staff": staff("super_admin", step_up="staff"),
    }
    for name, rule in rules.items():

        async def endpoint(caller: Annotated[Any, rule]) -> Answer:
            """Do a thing."""
            return Answer(name=str(caller))

        path = f"/api/v1/{'admin/' if name == 'staff' else ''}{name}"
        router.add_api_route(
            path, endpoint, methods=["POST"], operation_id=f"do{name.title()}", summary="Do", responses=problems()
        )

    customers, own_staff = build({"all": router})

    def parts(document: dict[str, Any], path: str) -> tuple[list[str], list[str]]:
        operation = document["paths"][path]["post"]
        schemes = [name for alternative in operation["security"] for name in alternative]
        return schemes, [p["$ref"].rpartition("/")[2] for p in operation.get("parameters", [])]

    assert parts(customers, "/scoped") == (["ApiKeyAuth", "SessionAuth"], ["IdempotencyKey", "Mode"])
    assert parts(customers, "/public") == ([], [])
    assert parts(customers, "/session") == (["SessionAuth"], ["ReauthToken", "IdempotencyKey", "Mode"])
    assert parts(own_staff, "/admin/staff") == (["SessionAuth"], ["ReauthToken"])
    assert customers["paths"]["/scoped"]["post"]["x-required-scope"] == ["send_email", "read_analytics"]
    assert isinstance(router.routes[0], APIRoute)
