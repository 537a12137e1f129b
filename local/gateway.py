"""API Gateway's HTTP API on one machine: routes of the template, payload format 2.0, and the gateway's own answers.

In front of it, as in CloudFront, `/v1/...` is spelt out to `/api/v1/...`.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

from aiohttp import web
from yarl import URL

from local.environments import InvocationError, PayloadTooLarge
from local.template import ACCOUNT, Route

MAX_BODY = 10 * 1024 * 1024
_TEXT_TYPES = re.compile(r"^(text/.*|application/(json|xml|javascript|.*\+json|.*\+xml))$")
_DROPPED_HEADERS = {"connection", "transfer-encoding", "content-length", "keep-alive"}

Invoke = Callable[[str, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Match:
    """The route of a request and what its variables hold."""

    route: Route
    path_parameters: dict[str, str]


def spelt_out(path: str) -> str:
    """The path that CloudFront asks the API for (infrastructure/edge.yaml)."""
    return f"/api{path}" if path.startswith("/v1/") else path


def find_route(routes: Sequence[Route], method: str, path: str) -> Match | None:
    """The most specific route, in API Gateway's order: full match, then greedy, then $default; a verb before ANY."""
    candidates: list[tuple[tuple[int, int, int, int], Match]] = []
    for route in routes:
        if route.path == "$default" or route.method not in {"ANY", method}:
            continue
        variables = _match_path(route.path, path)
        if variables is not None:
            greedy = "+}" in route.path
            specificity = (int(greedy), -len(route.path.split("/")), len(variables), int(route.method == "ANY"))
            candidates.append((specificity, Match(route, variables)))
    if candidates:
        return min(candidates, key=lambda candidate: candidate[0])[1]
    return next((Match(route, {}) for route in routes if route.path == "$default"), None)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pattern = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", re.escape(template))
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", pattern))


def _match_path(template: str, path: str) -> dict[str, str] | None:
    found = _pattern(template).fullmatch(path)
    return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


def build_event(request: web.Request, match: Match, body: bytes) -> dict[str, Any]:
    """The event of a request, payload format 2.0."""
    now = datetime.now(UTC)
    headers = {
        name.lower(): ",".join(request.headers.getall(name)) for name in request.headers if name.lower() != "cookie"
    }
    raw_path, _, raw_query = request.raw_path.partition("?")
    peer = request.remote or "127.0.0.1"
    headers |= {
        "x-forwarded-for": peer,
        "x-forwarded-port": str(request.url.port or 80),
        "x-forwarded-proto": "http",
        "x-amzn-trace-id": f"Root=1-{int(now.timestamp()):08x}-{uuid4().hex[:24]}",
    }
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": match.route.key,
        "rawPath": unquote(raw_path),
        "rawQueryString": raw_query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": request.host,
            "domainPrefix": request.host.split(".")[0],
            "http": {
                "method": request.method,
                "path": unquote(raw_path),
                "protocol": f"HTTP/{request.version.major}.{request.version.minor}",
                "sourceIp": peer,
                "userAgent": request.headers.get("User-Agent", ""),
            },
            "requestId": uuid4().hex,
            "routeKey": match.route.key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    cookies = [part.strip() for value in request.headers.getall("Cookie", []) for part in value.split(";")]
    if cookies:
        event["cookies"] = cookies
    query: dict[str, str] = {}
    for name, value in parse_qsl(raw_query, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    if query:
        event["queryStringParameters"] = query
    if match.path_parameters:
        event["pathParameters"] = match.path_parameters
    if body:
        is_text = _TEXT_TYPES.match(request.content_type or "") is not None
        event["isBase64Encoded"] = not is_text
        try:
            event["body"] = body.decode() if is_text else base64.b64encode(body).decode()
        except UnicodeDecodeError:
            event["isBase64Encoded"], event["body"] = True, base64.b64encode(body).decode()
    return event


def build_response(answer: Any) -> web.Response:
    """The HTTP answer of what a function returned; anything without a statusCode is a JSON body of its own."""
    if not isinstance(answer, Mapping) or "statusCode" not in answer:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return web.Response(text=text, content_type="application/json")
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode()
    response = web.Response(status=int(answer["statusCode"]), body=content)
    for name, value in (answer.get("headers") or {}).items():
        if name.lower() not in _DROPPED_HEADERS:
            response.headers[name] = str(value)
    for cookie in answer.get("cookies") or []:
        response.headers.add("Set-Cookie", cookie)
    return response


def _own_answer(status: int, message: str) -> web.Response:
    """What API Gateway says by itself."""
    return web.json_response({"message": message}, status=status)


class Gateway:
    """Serves the routes; `invoke` runs a function by its name."""

    def __init__(self, routes: Sequence[Route], invoke: Invoke) -> None:
        """See the class."""
        self._routes = list(routes)
        self._invoke = invoke
        self._abandoned: set[asyncio.Future[Any]] = set()

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.Response:
        request = request.clone(rel_url=URL(spelt_out(request.raw_path), encoded=True))
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _own_answer(413, "Request Entity Too Large")
        match = find_route(self._routes, request.method, request.raw_path.partition("?")[0])
        if match is None:
            return _own_answer(404, "Not Found")
        invocation = asyncio.ensure_future(self._invoke(match.route.function, build_event(request, match, body)))
        try:
            # Only the wait ends with the time-out: the function goes on, and keeps its environment busy until it is done.
            answer = await asyncio.wait_for(asyncio.shield(invocation), match.route.timeout_seconds)
        except TimeoutError:
            self._abandon(invocation)
            return _own_answer(503, "Service Unavailable")
        except asyncio.CancelledError:
            self._abandon(invocation)
            raise
        except PayloadTooLarge as error:
            if error.document["errorType"] == "RequestEntityTooLargeException":
                return _own_answer(413, "Request Entity Too Large")
            return _own_answer(500, "Internal Server Error")
        except InvocationError:
            return _own_answer(500, "Internal Server Error")
        try:
            return build_response(answer)
        except (ValueError, TypeError, AttributeError):
            return _own_answer(500, "Internal Server Error")

    def _abandon(self, invocation: asyncio.Future[Any]) -> None:
        """Nobody waits for the outcome any more; a reference keeps the invocation from being collected."""
        self._abandoned.add(invocation)

        def forget(done: asyncio.Future[Any]) -> None:
            self._abandoned.discard(done)
            if not done.cancelled():
                done.exception()

        invocation.add_done_callback(forget)
