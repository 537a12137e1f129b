"""Errors as RFC 9457 problem documents (https://www.rfc-editor.org/rfc/rfc9457)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from penguinmails import errors
from penguinmails.errors import DomainError, FieldError
from penguinmails.http.context import context_of
from penguinmails.settings import get_settings

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MEDIA_TYPE = "application/problem+json"


class ProblemField(BaseModel):
    """One refused field."""

    field: str = Field(description="Dotted path of the field, e.g. `steps.0.subject`; `body` for the whole body.")
    message: str = Field(description="Why the value was refused.")
    code: str = Field(description="Stable machine-readable reason.")


class Problem(BaseModel):
    """An RFC 9457 problem document. Further members depend on the code."""

    type: str = Field(description="Page that explains this code.")
    title: str = Field(description="What kind of problem it is; the same for each occurrence.")
    status: int = Field(description="The HTTP status, repeated.")
    detail: str = Field(description="What happened this time, and what to do next.")
    code: str = Field(description="Stable code to switch on.")
    request_id: str = Field(description="Quote it to support; it is in X-Request-Id too.")
    errors: list[ProblemField] | None = Field(default=None, description="The refused fields, where there are any.")


_DESCRIPTIONS = {
    400: "The request is not valid; `errors` names each refused field.",
    401: "No valid credential was presented.",
    403: "The caller may not do this.",
    404: "There is no such resource in this account and mode.",
    409: "The request contradicts the present state.",
    412: "The resource has changed since it was read.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    423: "Vault is sealed.",
    429: "Too many requests; Retry-After says when to come back.",
    500: "Something went wrong on our side.",
    503: "Something that the request needs cannot be reached; Retry-After says when to come back.",
}
_ON_EVERY_ROUTE = (400, 413, 415, 429, 500, 503)
_WITH_CREDENTIALS = (401, 403)
_CHALLENGE = 'Bearer realm="PenguinMails API"'


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The declared error answers of a route: those that every route can give, and `statuses` besides."""
    return public_problems(*_WITH_CREDENTIALS, *statuses)


def public_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The declared error answers of a public route, which refuses nobody for who they are unless 401 or 403 is named."""
    return {
        status: {"model": Problem, "description": _DESCRIPTIONS[status]}
        for status in sorted({*_ON_EVERY_ROUTE, *statuses})
    }


def problem_type(code: str) -> str:
    """The documentation page of a code; stable, so that clients may compare it."""
    return f"{get_settings().public_url}/api/docs/errors#{code}"


def problem_document(error: DomainError, request_id: str) -> dict[str, Any]:
    """The JSON form of an error."""
    document: dict[str, Any] = {
        "type": problem_type(error.code),
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
        **error.members,
    }
    if error.errors:
        document["errors"] = [{"field": e.field, "message": e.message, "code": e.code} for e in error.errors]
    return document


def problem_response(request: Request, error: DomainError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The HTTP form of an error."""
    document = problem_document(error, context_of(request).request_id)
    challenge = _challenge(request) if error.status == 401 else {}
    return JSONResponse(document, error.status, {**challenge, **error.headers, **(headers or {})}, MEDIA_TYPE)


def _challenge(request: Request) -> dict[str, str]:
    """What a 401 must carry (RFC 9110, section 11.6.1), in the words of RFC 6750, section 3."""
    refused = ', error="invalid_token"' if "authorization" in request.headers else ""
    return {"WWW-Authenticate": _CHALLENGE + refused}


class UnhandledStatus(DomainError):
    """A status that the framework raised and that has no error of its own here."""


_BY_STATUS: dict[int, type[DomainError]] = {
    404: errors.NotFound,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
}


def _methods_of(request: Request) -> list[str]:
    """Every method of the path (RFC 9110, section 15.5.6); the framework knows those of the first route that fits."""
    segments = request.url.path.split("/")
    methods: dict[int, set[str]] = {}
    for context in iter_route_contexts(request.app.routes):
        template = (context.path_format or "").split("/")
        variables = [part.startswith("{") for part in template]
        if len(template) == len(segments) and all(
            is_variable or part == segment
            for part, segment, is_variable in zip(template, segments, variables, strict=True)
        ):
            methods.setdefault(sum(variables), set()).update(context.methods or ())
    # A literal path is not the thing of that name which a path with a variable would mean.
    return sorted(methods[min(methods)]) if methods else []


async def _domain_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DomainError)  # noqa: S101 - for the type checker: registered for this class
    return problem_response(request, error)


async def _http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker: registered for this class
    method, path = request.method, request.url.path
    if error.status_code == 405:
        allowed = ", ".join(_methods_of(request))
        detail = f"{method} is not possible on {path}. Allowed: {allowed}."
        return problem_response(request, errors.MethodNotAllowed(detail), {"Allow": allowed})
    if error.status_code == 404:
        detail = f"There is nothing at {path}. The reference at {get_settings().public_url}/api/docs lists every path."
    else:
        detail = str(error.detail)
    kind = _BY_STATUS.get(error.status_code, errors.ValidationFailed)
    return problem_response(request, kind(detail), error.headers)


def field_name(parts: Iterable[Any]) -> str:
    """The dotted path of a field. Names that a client made up may hold anything: what no table could keep is marked."""
    return ".".join(_UNSTORABLE.sub("\ufffd", str(part)) for part in parts)


def _field_error(item: Mapping[str, Any]) -> FieldError:
    location = [str(part) for part in item["loc"]]
    source, path = location[0], location[1:]
    if item["type"] == "json_invalid":
        reason = item.get("ctx", {}).get("error", "not valid JSON")
        return FieldError(
            "body",
            f"The body is not valid JSON: {reason} at character {path[0] if path else 0}.",
            "json_invalid",
        )
    name = field_name(path) or source
    return FieldError(name, str(item["msg"]).removeprefix("Value error, "), str(item["type"]))


async def _invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker: registered for this class
    fields = [_field_error(item) for item in error.errors()]
    only_missing = all(f.code == "missing" for f in fields)
    kind = errors.MissingRequiredField if only_missing else errors.ValidationFailed
    summary = "; ".join(f"{f.field}: {f.message}" for f in fields[:3])
    more = f" (and {len(fields) - 3} more)" if len(fields) > 3 else ""
    return problem_response(request, kind(summary + more, errors=fields))


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the app as a problem document."""
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid_request)
