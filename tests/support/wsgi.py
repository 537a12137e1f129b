"""The whole API as one WSGI application (PEP 3333): each request becomes an API Gateway event for its Lambda handler."""

import base64
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from tests.support.http import LambdaContext, event
from tests.support.operations import handler_of

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    request = event(method, path, raw=body or None, headers=_headers(environ))
    request["rawQueryString"] = environ.get("QUERY_STRING", "")
    request["queryStringParameters"] = dict(parse_qsl(request["rawQueryString"], keep_blank_values=True))
    answer = handler_of(method, path)(request, LambdaContext())
    status = HTTPStatus(answer["statusCode"])
    headers = [*answer.get("headers", {}).items(), *(("set-cookie", value) for value in answer.get("cookies", ()))]
    start_response(f"{status.value} {status.phrase}", headers)
    body = answer.get("body") or ""
    return [] if method == "HEAD" else [base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()]


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    found = {
        name.removeprefix("HTTP_").replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found[name.replace("_", "-")] = environ[name]
    return found
