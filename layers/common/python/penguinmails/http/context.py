"""Facts about the request under way that logs, audit rows and responses need."""

import re
import time
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from penguinmails.auth.principal import RateLimitState
from penguinmails.ids import new_request_id

_KEY = "penguinmails.context"
_LONGEST_MS = 30_000
_COUNTRY = re.compile("[A-Z0-9]{2}")


@dataclass(slots=True)
class RequestContext:
    """One per request; filled by the middleware and by the access check."""

    source_ip: str
    user_agent: str
    country: str = ""
    request_id: str = field(default_factory=new_request_id)
    started: float = field(default_factory=time.perf_counter)
    rate_limit: RateLimitState | None = None
    key_id: str | None = None
    tenant_id: str | None = None
    user_id: str | None = None
    plan: str | None = None
    gateway_epoch_ms: int = 0
    """When the gateway got the request, by its own clock; 0 when it did not say."""

    def elapsed_ms(self) -> float:
        """Milliseconds since the request entered the function."""
        return (time.perf_counter() - self.started) * 1000

    def since_gateway_ms(self) -> float:
        """Milliseconds since the gateway got the request: with what Lambda took to find or start an environment.

        The clocks are two. What the gateway would not have waited for is its clock's fault, and our own counts.
        """
        own = self.elapsed_ms()
        since = time.time() * 1000 - self.gateway_epoch_ms
        return max(own, since) if since <= _LONGEST_MS else own


def attach(scope: Scope) -> RequestContext:
    """Create the context of a request from API Gateway's event; a route of its own wins over the peer's address."""
    request = scope.get("aws.event", {}).get("requestContext", {})
    http = request.get("http", {})
    client = scope.get("client") or ("", 0)
    context = RequestContext(
        source_ip=http.get("sourceIp") or client[0],
        user_agent=(http.get("userAgent") or "")[:512],
        country=_country(Headers(scope=scope).get("cloudfront-viewer-country", "")),
        gateway_epoch_ms=request.get("timeEpoch", 0),
    )
    scope[_KEY] = context
    return context


def _country(code: str) -> str:
    """CloudFront's guess of the caller's country (ISO 3166-1 alpha-2), empty when there is none. For figures only:
    a caller that goes past CloudFront can claim any.
    """
    return code if _COUNTRY.fullmatch(code) else ""


def context_of(request: Request) -> RequestContext:
    """The context of the request under way."""
    return request.scope[_KEY]


def route_template(scope: Scope) -> str:
    """The route's template (`/api/v1/contacts/{contact_id}`), never the raw URL; `unmatched` when there is none."""
    if scope.get("route") is None:
        return "unmatched"
    # Not the route's own path: that of a route in a nested router lacks what the routers around it begin with.
    names = {str(value): name for name, value in scope.get("path_params", {}).items()}
    segments = [f"{{{names[part]}}}" if part in names else part for part in scope["path"].split("/")]
    return "/".join(segments)
