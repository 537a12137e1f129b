"""Calls a Lambda handler as API Gateway's HTTP API would (payload format 2.0)."""

import base64
import json as jsonlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.support.secret_watch import remember_credential, remember_document, remember_headers, remember_text

ANSWERED: set[tuple[str, str, int]] = set()
"""Method, path and status of every answer of this process's tests."""

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class LambdaContext:
    """The part of Lambda's context object that handlers read."""

    function_name = "test"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:test"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Always half a minute."""
        return 30_000


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: str
    cookies: list[str]
    content: bytes = b""
    """The body as it came, for what is no text."""
    milliseconds: float = 0.0
    """How long the handler took."""

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return jsonlib.loads(self.body)

    @property
    def code(self) -> str | None:
        """The stable code of a problem document."""
        return self.json.get("code")


def event(
    method: str,
    path: str,
    *,
    json: Any = None,
    raw: bytes | None = None,
    query: dict[str, Any] | None = None,
    token: str | None = None,
    headers: dict[str, str] | None = None,
    cookies: list[str] | None = None,
    ip: str = "203.0.113.10",
) -> dict[str, Any]:
    """An API Gateway v2 event; `json` is encoded, `raw` is sent as it is."""
    body = jsonlib.dumps(json).encode() if json is not None else raw
    sent = {"host": "api.example.test", "x-forwarded-proto": "https", "user-agent": "tests"}
    if body is not None:
        sent |= {"content-type": "application/json", "content-length": str(len(body))}
    if token is not None:
        sent["authorization"] = f"Bearer {token}"
    sent |= {name.lower(): value for name, value in (headers or {}).items()}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}, doseq=True),
        "cookies": cookies or [],
        "headers": sent,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "test",
            "domainName": "api.example.test",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": ip,
                "userAgent": (headers or {}).get("User-Agent", "tests"),
            },
            "requestId": "test",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        },
        "body": None if body is None else base64.b64encode(body).decode(),
        "isBase64Encoded": body is not None,
    }


def call(handler: Handler, method: str, path: str, **request: Any) -> Answer:
    """Invoke a handler with an event made of `request` (see `event`) and read its answer."""
    sent = event(method, path, **request)
    _remember_secrets(sent, request)
    began = time.perf_counter()
    raw = handler(sent, LambdaContext())
    milliseconds = (time.perf_counter() - began) * 1000
    ANSWERED.add((method, path, raw["statusCode"]))
    body = raw.get("body") or ""
    content = base64.b64decode(body) if raw.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
    body = content.decode("utf-8", "replace")
    headers = {name.lower(): value for name, value in raw.get("headers", {}).items()}
    remember_text(body)
    for cookie in raw.get("cookies", []):
        remember_credential("cookie", cookie.partition(";")[0])
    return Answer(raw["statusCode"], headers, body, raw.get("cookies", []), content, milliseconds)


def _remember_secrets(sent: dict[str, Any], request: dict[str, Any]) -> None:
    remember_headers(sent["headers"])
    for cookie in sent["cookies"]:
        remember_credential("cookie", cookie)
    remember_document(request.get("json"))
    remember_text(request.get("raw"))
