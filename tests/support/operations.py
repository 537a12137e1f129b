"""Every operation of the API as the committed documents describe it, and the Lambda handler that answers it."""

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from uuid import uuid4

from fastapi.routing import APIRoute, iter_route_contexts

from local.gateway import find_route
from local.template import read_template
from penguinmails.http.access import Requirement, requirement_of
from scripts.openapi.document import routers
from scripts.openapi.shared import BASE_PATH
from tests.support.http import Answer, Handler, call
from tests.support.sources import ROOT

DOCUMENTS = ("openapi.json", "openapi.staff.json")
_TEMPLATE = read_template(ROOT / "template.yaml")
Schema = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method of one path; `path` is whole, e.g. `/api/v1/contacts/{contact_id}`."""

    id: str
    method: str
    path: str
    requirement: Requirement
    parameters: tuple[Schema, ...]
    body: Schema | None
    """The schema of the JSON body; None when there is none."""
    responses: dict[str, Schema | None]
    """The schema of each declared answer, by status."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def path_parameters(self) -> list[str]:
        """Names of the variables in the path, in their order."""
        return re.findall(r"\{(\w+)\}", self.path)

    def takes(self, header: str) -> bool:
        """Whether a header is declared."""
        return any(p["in"] == "header" and p["name"] == header for p in self.parameters)

    def call(self, ids: dict[str, Any] | None = None, **request: Any) -> Answer:
        """Send it to the handler that the template routes it to; `request` as in `http.event`."""
        request["query"] = {**self._required_query(), **(request.get("query") or {})}
        path = self.path.format(**{name: str(value) for name, value in (ids or {}).items()})
        return call(handler_of(self.method, path), self.method, path, **request)

    def _required_query(self) -> dict[str, str]:
        """A value for each query parameter that must be there: an id of nothing, or some text."""
        return {
            p["name"]: str(uuid4()) if _holds_uuid(p["schema"]) else f"somebody-{uuid4().hex}@example.com"
            for p in self.parameters
            if p["in"] == "query" and p.get("required")
        }


def handler_of(method: str, path: str) -> Handler:
    """The handler of the function that API Gateway would invoke."""
    match = find_route(_TEMPLATE.routes, method, path)
    assert match is not None, f"{method} {path} has no route in template.yaml"
    folder = re.sub(r"(?<!^)(?=[A-Z])", "_", match.route.function.removesuffix("Function")).lower()
    return importlib.import_module(f"{folder}.app").handler


@dataclass(frozen=True)
class DeclaredRoute:
    """One method of one route as the code has it, the undocumented ones included."""

    method: str
    path: str
    operation_id: str
    requirement: Requirement | None
    documented: bool


@lru_cache(maxsize=1)
def declared_routes() -> tuple[DeclaredRoute, ...]:
    """Every route of every function."""
    return tuple(
        DeclaredRoute(
            method,
            context.path_format or "",
            context.operation_id or "",
            requirement_of(cast("APIRoute", context)),
            bool(context.include_in_schema),
        )
        for router in routers().values()
        for context in iter_route_contexts(router.routes)
        for method in sorted(context.methods or ())
        if method != "HEAD"
    )


@lru_cache(maxsize=1)
def operations() -> tuple[Operation, ...]:
    """All of both documents, and once more under each further path that leads to the same."""
    found = [operation for file in DOCUMENTS for operation in _read(json.loads((ROOT / file).read_text()))]
    by_id = {operation.id: operation for operation in found}
    aliases = [
        Operation(**{**vars(by_id[route.operation_id]), "path": route.path})
        for route in declared_routes()
        if not route.documented and route.operation_id in by_id
    ]
    return (*found, *aliases)


def _read(document: Schema) -> Iterator[Operation]:
    requirements = {(route.method, route.path): route.requirement for route in declared_routes()}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            full_path = BASE_PATH + path
            requirement = requirements[method.upper(), full_path]
            assert requirement is not None
            resolved = resolve(operation, document["components"])
            yield Operation(
                operation["operationId"],
                method.upper(),
                full_path,
                requirement,
                tuple(resolved.get("parameters", ())),
                _schema(resolved["requestBody"]) if "requestBody" in resolved else None,
                {status: _schema(answer) for status, answer in resolved["responses"].items()},
            )


def _schema(message: Schema) -> Schema | None:
    return next((content.get("schema") for content in message.get("content", {}).values()), None)


def resolve(node: Any, components: Schema) -> Any:
    """A part of a document with its references put in place; none of ours refers to itself."""
    if isinstance(node, list):
        return [resolve(item, components) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        kind, name = node["$ref"].removeprefix("#/components/").split("/")
        return resolve(components[kind][name], components)
    return {key: resolve(value, components) for key, value in node.items()}


def referenced_ids(operation: Operation) -> dict[str, str]:
    """Fields of the body and query parameters that hold ids of other things, and where they are: `body` or `query`."""
    found = dict.fromkeys(_uuid_fields(operation.body or {}), "body")
    return found | {
        parameter["name"]: "query"
        for parameter in operation.parameters
        if parameter["in"] == "query" and _holds_uuid(parameter["schema"])
    }


def _uuid_fields(schema: Schema) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        if _holds_uuid(field):
            yield name
    for branch in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _uuid_fields(branch)


def _holds_uuid(schema: Schema) -> bool:
    if schema.get("format") == "uuid":
        return True
    inner = [schema.get("items"), *schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    inner += list(schema.get("properties", {}).values())
    return any(isinstance(part, dict) and _holds_uuid(part) for part in inner)
