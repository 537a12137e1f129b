"""Posts to customers' endpoints: to vetted addresses only, with a limit on everything.

The event loop and its connections live as long as the process, so that endpoints are met over kept connections.
"""

import asyncio
import socket
import time
from collections.abc import Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from math import ceil
from typing import Any, TypeVar
from uuid import UUID

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from penguinmails import clock
from penguinmails.domain.endpoints import check_url, vet
from penguinmails.errors import ValidationFailed
from penguinmails.webhook_posts.look_ups import LookUps
from penguinmails.webhook_posts.request import SignedRequest
from penguinmails.webhook_posts.timing import TimedLoop, Timing, step, timed

Result = TypeVar("Result")

_MAX_BODY = 10 * 1024
_MAX_HEADERS = 4 * 1024
_LONGEST_RETRY_AFTER = 7 * 86_400
"""Seconds. What a Retry-After asks for beyond it is taken for this, as events are kept for 30 days only."""
_tenant: ContextVar[UUID] = ContextVar("tenant")
"""Whose post is under way: the HTTP client has no way to tell its resolver."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a post: an answer, or the reason why there was none."""

    status_code: int | None
    headers: dict[str, str]
    body: str
    error: str | None
    duration_ms: int
    retry_after: int | None = None
    timing: Timing = field(default_factory=Timing)

    @property
    def is_success(self) -> bool:
        """Any 2xx; a redirect is not followed and not a success."""
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def is_gone(self) -> bool:
        """The receiver says that nobody will ever listen there again."""
        return self.status_code == 410


class _VettedResolver(AbstractResolver):
    """Resolves a name and hands out its addresses only when every one of them may be connected to."""

    def __init__(self) -> None:
        """Made for one event loop."""
        self._look_ups = LookUps()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        with step("dns_ms"):
            found = await self._look_ups.addresses(host, family, _tenant.get())
        vet([str(address[0]) for *_, address in found], host=host)
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST
            )
            for kind, _, _, _, address in found
        ]

    async def close(self) -> None:
        """Wait for the threads."""
        self._look_ups.close()


def _vetted_socket(place: tuple[Any, ...]) -> socket.socket:
    """A socket for an address that may be connected to. Every connection comes by here, however its host is written."""
    family, kind, protocol, _, address = place
    vet([str(address[0])], host=str(address[0]))
    return socket.socket(family, kind, protocol)


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    return TimedLoop()


@lru_cache(maxsize=1)
def _resolver() -> _VettedResolver:
    return _VettedResolver()


@lru_cache(maxsize=1)
def _session() -> aiohttp.ClientSession:
    async def open_session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=_resolver(), use_dns_cache=False, limit=0, socket_factory=_vetted_socket
        )
        return aiohttp.ClientSession(
            connector=connector, trust_env=False, cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=("User-Agent",)
        )

    return _loop().run_until_complete(open_session())


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Carry out work that posts, on the loop that keeps the connections."""
    _session()
    return _loop().run_until_complete(work)


def close() -> None:
    """End all connections, for the end of the process."""
    if _session.cache_info().currsize:
        _loop().run_until_complete(_session().close())
        _loop().run_until_complete(_resolver().close())
        _session.cache_clear()
        _resolver.cache_clear()
    if _loop.cache_info().currsize:
        _loop().close()
        _loop.cache_clear()


async def post(request: SignedRequest) -> Outcome:
    """Post within the time-out, which covers the whole exchange. Raises nothing but cancellation."""
    token = _tenant.set(request.tenant_id)
    try:
        with timed() as timing:
            return replace(await _post(request, timing), timing=timing)
    finally:
        _tenant.reset(token)


async def _post(request: SignedRequest, timing: Timing) -> Outcome:
    session, started = _session(), time.perf_counter()
    headers = {**request.custom_headers, **request.headers}
    try:
        # Rules may have changed since the URL was stored.
        check_url(request.url, field="endpoint_url")
        async with (
            asyncio.timeout(request.timeout_seconds),
            session.post(
                request.url,
                data=request.body,
                headers=headers,
                allow_redirects=False,
            ) as response,
        ):
            timing.first_byte_ms = _elapsed_ms(started)
            body = await _read_some(response)
            return Outcome(
                status_code=response.status,
                headers=_some_headers(response),
                body=body,
                error=None,
                duration_ms=_elapsed_ms(started),
                retry_after=_seconds(response.headers.get("Retry-After")),
            )
    except TimeoutError:
        return _no_answer(f"no complete answer within {request.timeout_seconds} s", started)
    except ValidationFailed as refusal:
        return _no_answer(refusal.detail, started)
    except aiohttp.ClientConnectorError as error:
        return _no_answer(f"no connection: {error.os_error.strerror or error.os_error}", started)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return _no_answer(f"{type(error).__name__}: {error}", started)


async def _read_some(response: aiohttp.ClientResponse) -> str:
    """The beginning of the body, counted after decompression; the rest is not fetched."""
    read = bytearray()
    while len(read) < _MAX_BODY and (chunk := await response.content.read(_MAX_BODY - len(read))):
        read += chunk
    return read.decode("utf-8", "replace").replace("\x00", "\ufffd")


def _some_headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    kept: dict[str, str] = {}
    size = 0
    for name, value in response.headers.items():
        size += len(name) + len(value)
        if size > _MAX_HEADERS:
            break
        kept[name] = value.encode("utf-8", "replace").decode()
    return kept


def _seconds(retry_after: str | None) -> int | None:
    """Seconds from now that a Retry-After asks for, as a number or a date (RFC 9110, 10.2.3); None for anything else."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdecimal():
        # Of a number of thousands of digits the first are enough; Python refuses to read all.
        return min(int(retry_after.lstrip("0")[:18] or "0"), _LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    seconds = ceil((moment.replace(tzinfo=moment.tzinfo or UTC) - clock.now()).total_seconds())
    return min(max(0, seconds), _LONGEST_RETRY_AFTER)


def _no_answer(reason: str, started: float) -> Outcome:
    return Outcome(None, {}, "", reason[:500].replace("\x00", ""), _elapsed_ms(started))


def _elapsed_ms(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
