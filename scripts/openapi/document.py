"""Builds the two OpenAPI 3.0.3 documents: what customers may call, and what the platform's staff may call."""

import importlib
import json
import re
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from penguinmails.http.access import Requirement, requirement_of
from penguinmails.http.problems import problems
from scripts.openapi import shared
from scripts.openapi.downgrade import downgrade
from scripts.openapi.events import event_schemas, webhooks
from scripts.openapi.operations import Operation, complete, faults

Document = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
STAFF_PATHS = "/admin"
_METHODS = ("get", "post", "put", "patch", "delete")


class Unpublishable(Exception):
    """Routes that cannot be documented; the message lists each with what to do."""


def routers() -> dict[str, APIRouter]:
    """The router of every function that has routes, by the function's name."""
    names = sorted(file.parent.name for file in (ROOT / "functions").glob("*/routes.py"))
    return {name: importlib.import_module(f"{name}.routes").router for name in names}


def release() -> str:
    """The version in pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def build(sources: dict[str, APIRouter]) -> tuple[Document, Document]:
    """The public document and the staff's; raises Unpublishable."""
    routes = [route for router in sources.values() for route in router.routes]
    with warnings.catch_warnings():
        # A repeated id is reported below, together with all other faults.
        warnings.filterwarnings("ignore", message="Duplicate Operation ID")
        generated = get_openapi(title="", version=release(), routes=routes)
    operations = _operations(generated, _requirements(routes))
    schemas = _schemas(generated)
    schemas |= event_schemas()
    public = {key: value for key, value in operations.items() if not key[0].startswith(STAFF_PATHS)}
    staff = {key: value for key, value in operations.items() if key[0].startswith(STAFF_PATHS)}
    customers = _document(public, schemas, "PenguinMails API", webhooks())
    return customers, _document(staff, schemas, "PenguinMails staff API")


def as_text(document: Document) -> str:
    """The form that is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _requirements(routes: list[Any]) -> dict[tuple[str, str], Requirement | None]:
    return {
        (context.path_format or "", method.lower()): requirement_of(cast("APIRoute", context))
        for context in iter_route_contexts(routes)
        for method in context.methods or ()
    }


def _operations(
    generated: Document, requirements: dict[tuple[str, str], Requirement | None]
) -> dict[tuple[str, str], Operation]:
    """Finished operations by path below the base path and method."""
    finished: dict[tuple[str, str], Operation] = {}
    found: list[str] = []
    seen: dict[str, str] = {}
    for full_path, item in generated["paths"].items():
        path = full_path.removeprefix(shared.BASE_PATH)
        for method, operation in item.items():
            where = f"{method.upper()} {full_path}"
            requirement = requirements[full_path, method]
            problems_here = faults(operation, requirement)
            if path == full_path:
                problems_here.append(f"is not below {shared.BASE_PATH}")
            name = operation.get("operationId", "")
            if name in seen:
                problems_here.append(f"has the operationId of {seen[name]}; choose another")
            seen[name] = where
            found += [f"{where} {problem}" for problem in problems_here]
            if requirement is not None and not problems_here:
                finished[path, method] = complete(operation, requirement, method=method, path=path)
    if found:
        raise Unpublishable("\n".join(found))
    return finished


def _schemas(generated: Document) -> dict[str, Any]:
    schemas: dict[str, Any] = generated.get("components", {}).get("schemas", {})
    return {name: downgrade(schema, f"schemas/{name}") for name, schema in schemas.items()}


def _document(
    operations: dict[tuple[str, str], Operation], schemas: dict[str, Any], title: str, posted: Document | None = None
) -> Document:
    tags = list(shared.TAGS)
    ordered = sorted(
        operations, key=lambda key: (tags.index(operations[key]["tags"][0]), key[0], _METHODS.index(key[1]))
    )
    paths: dict[str, Any] = {}
    for path, method in ordered:
        paths.setdefault(path, {})[method] = operations[path, method]
    used = {tag for operation in operations.values() for tag in operation["tags"]}
    document: Document = {
        "openapi": "3.0.3",
        "info": {**shared.INFO, "title": title, "version": release()},
        "servers": [{"url": shared.ORIGIN + shared.BASE_PATH, "description": "Production"}],
        "tags": [{"name": name, "description": text} for name, text in shared.TAGS.items() if name in used],
        "paths": paths,
        **({"x-webhooks": posted} if posted else {}),
        "components": {
            "securitySchemes": shared.SECURITY_SCHEMES,
            "parameters": shared.PARAMETERS,
            "headers": shared.HEADERS,
            "responses": shared.problem_responses(_problem_descriptions()),
            "schemas": schemas,
        },
    }
    return _with_short_names(_only_used(document))


def _problem_descriptions() -> dict[int, str]:
    declared = problems(*shared.PROBLEM_NAMES)
    return {int(status): answer["description"] for status, answer in declared.items()}


def _only_used(document: Document) -> Document:
    """Without the components that no operation leads to."""
    components = document["components"]
    reachable: set[tuple[str, str]] = set()
    waiting = [*_references(document["paths"]), *_references(document.get("x-webhooks", {}))]
    while waiting:
        kind, name = waiting.pop()
        if (kind, name) not in reachable:
            reachable.add((kind, name))
            waiting += _references(components[kind][name])
    schemes = {
        name
        for item in document["paths"].values()
        for operation in item.values()
        for alternative in operation["security"]
        for name in alternative
    }
    reachable |= {("securitySchemes", name) for name in schemes}
    kept = {
        kind: {name: value for name, value in members.items() if (kind, name) in reachable}
        for kind, members in components.items()
    }
    return {**document, "components": {kind: members for kind, members in kept.items() if members}}


def _references(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str):
            kind, name = target.removeprefix("#/components/").split("/")
            yield kind, name
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _with_short_names(document: Document) -> Document:
    """`Page_Contact_` becomes `ContactPage`; models that share a name in two functions carry the function's name too."""
    schemas: dict[str, Any] = document["components"].get("schemas", {})
    names = _short_names(schemas)
    text = re.sub(
        r'"#/components/schemas/([^"]+)"',
        lambda found: f'"#/components/schemas/{names[found[1]]}"',
        json.dumps(document),
    )
    renamed: Document = json.loads(text)
    renamed["components"]["schemas"] = {
        names[name]: renamed["components"]["schemas"][name] for name in sorted(schemas, key=lambda name: names[name])
    }
    return renamed


def _short_names(schemas: dict[str, Any]) -> dict[str, str]:
    names: dict[str, str] = {}
    for name in schemas:
        page_of = re.fullmatch(r"Page_(.+)_", name)
        base = page_of[1] if page_of else name
        *modules, model = base.split("__")
        owner = modules[0].title().replace("_", "") if modules else ""
        names[name] = owner + model + ("Page" if page_of else "")
    clashes = {short for short in names.values() if list(names.values()).count(short) > 1}
    if clashes:
        raise Unpublishable(f"Several models are called {', '.join(sorted(clashes))}; rename them.")
    return names
