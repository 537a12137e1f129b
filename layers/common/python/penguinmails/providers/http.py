"""Requests to providers: one try each, with time-outs, over kept connections. The only module that knows urllib3."""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

CONNECTIONS = 8
"""Kept open per provider and process."""
_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_LONGEST_RETRY_AFTER = 86_400


class NoAnswer(Exception):
    """No connection, or no complete answer in time. What was sent may have arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body; of a body that is no JSON nothing is kept, and `rows` has those of a list."""

    status: int
    body: dict[str, Any]
    retry_after: int | None
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@lru_cache(maxsize=1)
def _pool() -> Any:
    import urllib3

    timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
    return urllib3.PoolManager(maxsize=CONNECTIONS, retries=False, timeout=timeout)


def ask(method: str, url: str, *, headers: dict[str, str], body: bytes | None = None) -> Answer:
    """One request; redirects are not followed. Raises NoAnswer."""
    from urllib3.exceptions import HTTPError

    try:
        response = _pool().request(method, url, headers=headers, body=body, redirect=False)
    except HTTPError as error:
        raise NoAnswer(type(error).__name__) from None
    after = response.headers.get("Retry-After", "")
    retry_after = min(int(after), _LONGEST_RETRY_AFTER) if after.isascii() and after.isdecimal() else None
    found = _parsed(response.data)
    if isinstance(found, list):
        rows: list[Any] = found  # pyright: ignore[reportUnknownVariableType]
        return Answer(response.status, {}, retry_after, [row for row in rows if isinstance(row, dict)])
    return Answer(response.status, found, retry_after)


def multipart(fields: list[tuple[str, Any]]) -> tuple[bytes, str]:
    """Fields as multipart/form-data and its content type; a file is a tuple of name, content and media type."""
    from urllib3 import encode_multipart_formdata

    return encode_multipart_formdata(fields)


def _parsed(content: bytes) -> dict[str, Any] | list[Any]:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    # What is no JSON is no answer of the provider's, but of something on the way.
    return found if isinstance(found, dict | list) else {}  # pyright: ignore[reportUnknownVariableType]
