"""Only CloudFront reaches the API of a deployed platform, and it says who calls."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Request

from penguinmails.http.access import public
from penguinmails.http.context import context_of
from penguinmails.http.handler import api_handler
from penguinmails.settings import get_settings
from tests.support.http import LambdaContext, event

SECRET = "k9" * 24
router = APIRouter()


@router.get("/api/v1/echo", dependencies=[public()])
async def echo(request: Request) -> dict[str, Any]:
    """What the route is told."""
    return {"address": context_of(request).source_ip, "headers": sorted(request.headers.keys())}


HANDLER = api_handler(router)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ORIGIN_SECRET", SECRET)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def _ask(headers: dict[str, str]) -> dict[str, Any]:
    return HANDLER(event("GET", "/api/v1/echo", headers=headers, ip="192.0.2.1"), LambdaContext())


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("headers", [{}, {"X-Origin-Secret": ""}, {"X-Origin-Secret": "k9"}, {"X-Origin-Secret": "ü"}])
def test_who_goes_past_cloudfront_is_sent_to_the_public_address(headers: dict[str, str]) -> None:
    answer = _ask(headers)

    assert answer["statusCode"] == 403
    assert get_settings().public_url in json.loads(answer["body"])["message"]


@pytest.mark.usefixtures("closed")
def test_the_caller_s_address_is_what_cloudfront_says_and_the_secret_goes_no_further() -> None:
    answer = _ask({"X-Origin-Secret": SECRET, "X-Viewer-Address": "203.0.113.77"})

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["address"] == "203.0.113.77"
    assert "x-origin-secret" not in json.loads(answer["body"])["headers"]


def test_without_cloudfront_nobody_can_claim_an_address() -> None:
    assert json.loads(_ask({"X-Viewer-Address": "203.0.113.77"})["body"])["address"] == "192.0.2.1"


def test_the_secret_is_not_shown_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORIGIN_SECRET", SECRET)
    get_settings.cache_clear()

    shown = repr(get_settings())

    get_settings.cache_clear()
    assert SECRET not in shown
