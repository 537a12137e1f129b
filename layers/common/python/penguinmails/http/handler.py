"""Turns a router into a Lambda handler."""

import asyncio
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from mangum import Mangum
from pydantic_core import from_json
from starlette.responses import JSONResponse

from penguinmails import db_values
from penguinmails.http.idempotency import Replayed
from penguinmails.http.middleware import RequestMiddleware
from penguinmails.http.problems import install_problem_handlers
from penguinmails.settings import get_settings, refuse_unsafe_start

MAX_BODY_BYTES = 1_000_000
JSON_ALONE = ("application/json",)
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_SECRET_HEADER, _VIEWER_HEADER = "x-origin-secret", "x-viewer-address"

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


async def _replayed(_request: Request, replay: Exception) -> JSONResponse:
    assert isinstance(replay, Replayed)  # noqa: S101 - for the type checker: registered for this class
    return replay.response


def api_app(
    router: APIRouter, *, max_body_bytes: int = MAX_BODY_BYTES, media_types: Sequence[str] = JSON_ALONE
) -> FastAPI:
    """The ASGI application of one resource; the documents of all resources are generated at build time, not here."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(router)
    install_problem_handlers(app)
    app.add_exception_handler(Replayed, _replayed)
    app.add_middleware(RequestMiddleware, max_body_bytes=max_body_bytes, media_types=media_types)
    return app


def api_handler(
    router: APIRouter, *, max_body_bytes: int = MAX_BODY_BYTES, media_types: Sequence[str] = JSON_ALONE
) -> Handler:
    """The Lambda handler of one resource, for API Gateway's HTTP API payload format 2.0.

    Bodies of other types than `media_types` are refused before any route sees them.

    Routes are `async` and call the blocking drivers directly: an execution
    environment handles one request at a time, so a thread pool would only add its own cost.
    """
    refuse_unsafe_start()
    # Pydantic is loaded here anyway, and ten times as fast with the small documents of a page's rows.
    db_values.read_documents_by(from_json)
    app = api_app(router, max_body_bytes=max_body_bytes, media_types=media_types)
    serve = Mangum(app, lifespan="off")

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        _have_event_loop()
        refused = _refuse_strangers(event)
        return refused or serve(_with_viewer(event), context)

    return handler


def _have_event_loop() -> None:
    """Mangum takes the thread's loop as given; there is none once something has run and closed one of its own."""
    try:
        asyncio.get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())


def _refuse_strangers(event: dict[str, Any]) -> dict[str, Any] | None:
    """403 for who has not come through CloudFront, which alone knows the secret and says truly who calls."""
    secret = get_settings().origin_secret
    if not secret or hmac.compare_digest(event["headers"].get(_SECRET_HEADER, "").encode(), secret.encode()):
        return None
    return {
        "statusCode": 403,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps({"message": f"This address is closed. Call {get_settings().public_url} instead."}),
        "isBase64Encoded": False,
    }


def _with_viewer(event: dict[str, Any]) -> dict[str, Any]:
    """The event as if the caller had come directly: his own address, and no secret that could end in a log."""
    if not get_settings().origin_secret:
        return event
    headers: dict[str, str] = {name: value for name, value in event["headers"].items() if name != _SECRET_HEADER}
    request = event["requestContext"]
    address = headers.get(_VIEWER_HEADER) or request["http"]["sourceIp"]
    return {
        **event,
        "headers": headers,
        "requestContext": {**request, "http": {**request["http"], "sourceIp": address}},
    }
