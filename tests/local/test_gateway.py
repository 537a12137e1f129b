"""The local gateway does what API Gateway's HTTP API does."""

import asyncio
import base64
import io
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from local.environments import InvocationError, PayloadTooLarge
from local.gateway import MAX_BODY, Gateway, find_route
from local.services.process import free_port
from local.template import Route
from tests.support.aio import run_aside

Handler = Callable[[str, dict[str, Any]], Any]
ROUTES = [
    Route("GET", "/things", "ListThings", 29),
    Route("ANY", "/things/{id}", "AnyThing", 29),
    Route("GET", "/things/{id}", "GetThing", 29),
    Route("GET", "/things/special", "Special", 29),
    Route("ANY", "/things/{proxy+}", "Below", 29),
    Route("ANY", "/things/{id}/{proxy+}", "BelowThing", 29),
]
DEFAULT = Route("ANY", "$default", "Default", 29)


@pytest.mark.parametrize(
    ("method", "path", "function", "variables"),
    [
        ("GET", "/things", "ListThings", {}),
        ("GET", "/things/special", "Special", {}),
        ("GET", "/things/7", "GetThing", {"id": "7"}),
        ("DELETE", "/things/7", "AnyThing", {"id": "7"}),
        ("GET", "/things/7/a/b", "BelowThing", {"id": "7", "proxy": "a/b"}),
        ("GET", "/things/a%20b", "GetThing", {"id": "a b"}),
        ("POST", "/things", "Default", {}),
        ("GET", "/elsewhere", "Default", {}),
    ],
)
def test_the_most_specific_route_answers(method: str, path: str, function: str, variables: dict[str, str]) -> None:
    match = find_route([*ROUTES, DEFAULT], method, path)

    assert match is not None
    assert (match.route.function, match.path_parameters) == (function, variables)


def test_without_a_default_route_nothing_matches() -> None:
    assert find_route(ROUTES, "GET", "/elsewhere") is None


def test_a_short_address_is_spelt_out_and_nothing_else_of_it_changes() -> None:
    event = event_of("GET", "/v1/contacts/a%20b?q=%26&q=/v1/")

    assert event["requestContext"]["http"]["path"] == event["rawPath"] == "/api/v1/contacts/a b"
    assert event["rawQueryString"] == "q=%26&q=/v1/"


def through_gateway(handler: Handler, routes: list[Route], method: str, path: str, **request: Any) -> Any:
    """Status, headers and body of one request through a gateway in front of `handler`."""

    async def invoke(function: str, event: Any) -> Any:
        result = handler(function, event)
        return await result if asyncio.iscoroutine(result) else result

    async def run() -> Any:
        port = free_port()
        runner = web.AppRunner(Gateway(routes, invoke).app())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.request(method, f"http://127.0.0.1:{port}{path}", **request) as answer,
            ):
                return answer.status, answer.headers.copy(), await answer.read()
        finally:
            await runner.cleanup()

    return run_aside(run())


def event_of(method: str, path: str, **request: Any) -> dict[str, Any]:
    """The event that a request becomes."""
    events: list[dict[str, Any]] = []

    def keep(_function: str, event: dict[str, Any]) -> dict[str, Any]:
        events.append(event)
        return {"statusCode": 204}

    through_gateway(keep, [*ROUTES, DEFAULT], method, path, **request)
    return events[0]


def test_a_request_becomes_an_event_of_payload_format_two() -> None:
    event = event_of(
        "POST",
        "/things/7?a=1&a=2&b=%20x",
        data='{"x": 1}',
        headers={"Content-Type": "application/json", "X-Two": "one", "Cookie": "a=1; b=2", "User-Agent": "me"},
    )

    assert event["version"] == "2.0"
    assert event["routeKey"] == "ANY /things/{id}"
    assert event["rawPath"] == "/things/7"
    assert event["rawQueryString"] == "a=1&a=2&b=%20x"
    assert event["queryStringParameters"] == {"a": "1,2", "b": " x"}
    assert event["pathParameters"] == {"id": "7"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-two"] == "one"
    assert (event["body"], event["isBase64Encoded"]) == ('{"x": 1}', False)
    http = event["requestContext"]["http"]
    assert (http["method"], http["path"], http["sourceIp"], http["userAgent"]) == (
        "POST",
        "/things/7",
        "127.0.0.1",
        "me",
    )
    assert event["requestContext"]["stage"] == "$default"
    assert event["requestContext"]["timeEpoch"] > 1_700_000_000_000


def test_header_lists_are_joined_with_commas() -> None:
    headers = [("X-List", "a"), ("X-List", "b")]

    assert event_of("GET", "/things", headers=headers)["headers"]["x-list"] == "a,b"


def test_a_binary_body_is_base64() -> None:
    event = event_of("POST", "/x", data=b"\x00\xff", headers={"Content-Type": "application/octet-stream"})

    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\x00\xff"


def test_a_request_without_a_body_has_none() -> None:
    assert "body" not in event_of("GET", "/things")


def test_an_answer_keeps_status_headers_cookies_and_bytes() -> None:
    answer = {
        "statusCode": 201,
        "headers": {"X-Here": "yes", "Content-Type": "application/octet-stream"},
        "cookies": ["a=1; HttpOnly", "b=2"],
        "body": base64.b64encode(b"\x00\x01").decode(),
        "isBase64Encoded": True,
    }

    status, headers, body = through_gateway(lambda *_: answer, [DEFAULT], "GET", "/")

    assert (status, body, headers["X-Here"]) == (201, b"\x00\x01", "yes")
    assert headers.getall("Set-Cookie") == ["a=1; HttpOnly", "b=2"]


def test_an_answer_without_a_status_is_a_json_body() -> None:
    status, headers, body = through_gateway(lambda *_: {"hello": 1}, [DEFAULT], "GET", "/")

    assert (status, json.loads(body)) == (200, {"hello": 1})
    assert headers["Content-Type"].startswith("application/json")


def test_a_handler_that_crashes_is_a_500_without_a_stack() -> None:
    def crash(*_: object) -> None:
        raise InvocationError({"errorMessage": "secret detail", "stackTrace": ["line"]})

    status, _, body = through_gateway(crash, [DEFAULT], "GET", "/")

    assert (status, json.loads(body)) == (500, {"message": "Internal Server Error"})


def test_a_handler_that_takes_longer_than_the_route_allows_is_a_503() -> None:
    async def slow(*_: object) -> None:
        await asyncio.sleep(5)

    route = Route("ANY", "$default", "Slow", 0.05)

    status, _, body = through_gateway(slow, [route], "GET", "/")

    assert (status, json.loads(body)) == (503, {"message": "Service Unavailable"})


def test_a_body_above_ten_megabytes_is_a_413() -> None:
    status, _, body = through_gateway(lambda *_: None, [DEFAULT], "POST", "/", data=io.BytesIO(b"x" * (MAX_BODY + 1)))

    assert (status, json.loads(body)) == (413, {"message": "Request Entity Too Large"})


def test_an_event_above_what_an_invocation_carries_is_a_413() -> None:
    def too_large(*_: object) -> None:
        raise PayloadTooLarge({"errorType": "RequestEntityTooLargeException"})

    assert through_gateway(too_large, [DEFAULT], "POST", "/")[0] == 413


def test_an_unknown_path_without_a_default_route_is_a_404() -> None:
    status, _, body = through_gateway(lambda *_: None, ROUTES, "GET", "/elsewhere")

    assert (status, json.loads(body)) == (404, {"message": "Not Found"})
