"""The one middleware: request id, body checks, timing, access log, usage, headers, and the last-resort 500."""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penguinmails import errors, tracing
from penguinmails.auth import usage
from penguinmails.auth.principal import RateLimitState
from penguinmails.http.context import RequestContext, attach, route_template
from penguinmails.http.problems import problem_response
from penguinmails.logging import logger, measured

_SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
_METHODS_WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}


class RequestMiddleware:
    """Pure ASGI, so that it costs microseconds and sees every answer, the framework's own included."""

    def __init__(self, app: ASGIApp, max_body_bytes: int, media_types: Sequence[str]) -> None:
        """The largest body that the routes accept, and the types of body, the usual one first."""
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.media_types = media_types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        context = attach(scope)
        caller = Headers(scope=scope).get(tracing.FIELD)
        span = tracing.start(str(scope["method"]), "server", caller=caller, request_id=context.request_id)
        status = 500
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                started = True
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), context)
            await send(message)

        try:
            refusal = await self._refusal(scope, receive)
            if refusal is None:
                await self.app(scope, receive, send_with_headers)
            else:
                await problem_response(Request(scope), refusal)(scope, receive, send_with_headers)
        except Exception:
            logger.exception("request failed", extra={"route": route_template(scope)})
            if not started:
                crash = errors.DomainError(
                    f"The request could not be completed. Try again; if it fails again, quote {context.request_id} to support."
                )
                await problem_response(Request(scope), crash)(scope, receive, send_with_headers)
        finally:
            _record(scope, context, status, span)
            tracing.end()

    async def _refusal(self, scope: Scope, receive: Receive) -> errors.DomainError | None:
        if scope["method"] not in _METHODS_WITH_BODY:
            return None
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self.max_body_bytes:
            return errors.PayloadTooLarge(
                f"The body has {length} bytes; at most {self.max_body_bytes} are accepted here. Send less per request."
            )
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if length not in {"", "0"} and media_type not in self.media_types:
            stated = media_type or "of no stated type"
            wanted = " or ".join(self.media_types)
            return errors.UnsupportedMediaType(f"The body is {stated}. Send Content-Type: {wanted}.")
        return None


def _add_headers(headers: MutableHeaders, context: RequestContext) -> None:
    for name, value in _SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    headers["X-Request-Id"] = context.request_id
    if context.rate_limit is not None:
        for name, value in rate_limit_headers(context.rate_limit).items():
            headers[name] = value


def rate_limit_headers(state: RateLimitState) -> dict[str, str]:
    """The X-RateLimit headers, and the fields of the IETF draft (draft-ietf-httpapi-ratelimit-headers).

    X-RateLimit-Reset is epoch seconds; `t` and Retry-After are seconds from now.
    """
    headers = {
        "X-RateLimit-Limit": str(state.limit),
        "X-RateLimit-Remaining": str(state.remaining),
        "X-RateLimit-Reset": str(state.reset_at),
        "X-RateLimit-Window": "60",
        "RateLimit-Policy": f'"requests";q={state.limit};w=60',
        "RateLimit": f'"requests";r={state.remaining};t={max(state.retry_after, 1 if state.remaining == 0 else 0)}',
    }
    if state.retry_after:
        headers["Retry-After"] = str(state.retry_after)
    return headers


def _record(scope: Scope, context: RequestContext, status: int, span: tracing.Span) -> None:
    elapsed = context.elapsed_ms()
    route = route_template(scope)
    span.name = f"{scope['method']} {route}"
    logger.info(
        "request",
        extra={
            "request_id": context.request_id,
            "tenant_id": context.tenant_id,
            "key_id": context.key_id,
            "user_id": context.user_id,
            "method": scope["method"],
            "route": route,
            "status": status,
            "duration_ms": round(elapsed, 2),
            **span.fields(failed=status >= 500),
        },
    )
    plan = context.plan or "none"
    measured(
        {"api_requests_total": ("count", 1), "api_request_duration_ms": ("ms", elapsed)},
        route=route,
        method=str(scope["method"]),
        status=str(status),
        plan=plan,
    )
    if context.key_id is not None:
        usage.remember(
            context, method=scope["method"], route=route, status=status, milliseconds=context.since_gateway_ms()
        )
