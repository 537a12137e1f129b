"""What the operations of the API have in common: tags, security schemes, headers, parameters and problem answers."""

from typing import Any

from penguinmails import errors
from penguinmails.errors import DomainError
from penguinmails.http.access import MODE_HEADER, REAUTH_HEADER
from penguinmails.http.idempotency import MAX_KEY_LENGTH
from penguinmails.http.problems import MEDIA_TYPE

ORIGIN = "https://api.penguinmails.com"
BASE_PATH = "/api/v1"

TAGS = {
    "Emails": "Send messages and follow what became of them.",
    "Mail providers": "Accounts with Postmark and Mailgun, through which mails can be sent instead of by the platform itself.",
    "Contacts": "The people whom an account writes to.",
    "Lists and segments": "Which contacts belong together: lists, rules, tags and custom fields.",
    "Campaigns": "Sequences of messages to many contacts.",
    "Analytics": "Figures about what was sent and what came back.",
    "Templates": "Texts that are used again.",
    "Domains": "The domains that an account sends from.",
    "Inbox": "Answers to messages, as conversations.",
    "Webhooks": "Have events posted to an endpoint of yours.",
    "Suppression": "Addresses that must not be written to.",
    "API keys": "Make, change and revoke the keys that programs call with, and see what they are used for.",
    "Account": "What the credential at hand is and may do; all that the account holds, and how it is closed.",
    "Accounts": "Open an account, prove an address, choose a password.",
    "Sessions": "Sign in and out, continue a session, confirm one's identity.",
    "Second factors": "One-time passwords and recovery codes.",
    "Team": "The people of an account, their roles and invitations.",
    "Workspaces": "Projects or clients inside an account, and who works in them.",
    "Staff": "What the platform's own staff may do.",
}
"""Every tag in the order of the documents. A tag that is missing here is refused, so that none appears unexplained."""

DESCRIPTION = f"""
Send `Authorization: Bearer` with an API key (`pm_live_…`, or `pm_test_…` for the separate test data) or with the access
token of a session. Requests and answers are JSON.

**Errors** are problem documents (RFC 9457) with a stable `code`; [each code is explained]({ORIGIN}/api/docs/errors).
**Lists** answer `{{data, pagination}}`: pass `next_cursor` as `cursor` for the next page, or page by `offset`.
**Rate limits** are told by the `X-RateLimit-*` and `RateLimit` headers; 429 says in `Retry-After` when to come back.
**Repeating a request safely:** send an `Idempotency-Key`; for 24 hours the same key gets the same answer.
**Unknown** query parameters are ignored, unknown body fields are refused.
""".strip()

INFO = {
    "title": "PenguinMails API",
    "description": DESCRIPTION,
    "contact": {"name": "PenguinMails", "url": f"{ORIGIN}/api/docs"},
}

SECURITY_SCHEMES = {
    "ApiKeyAuth": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "pm_live_… or pm_test_…",
        "description": "An API key, for servers. Never put it into a web page or an app.",
    },
    "SessionAuth": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `access_token` that signing in answers; one hour, then refresh it. Pages of the console send "
        "it as a cookie instead, and prove each write with `X-CSRF-Token`.",
    },
}

PARAMETERS = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Any text of your own, new for each new request. Repeating a request with it within 24 hours "
        "gets the first answer again instead of doing the work twice; with another body it gets 409.",
        # No example: the reference page would send it with every request that is tried out.
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
    },
    "Mode": {
        "name": MODE_HEADER,
        "in": "header",
        "required": False,
        "description": "Which data set a session works on: live unless it says test. An API key belongs to one of the two; "
        "with it, leave the header out or name that one.",
        # No default: the reference page would send it, and contradict a test key.
        "schema": {"type": "string", "enum": ["live", "test"]},
    },
    "ReauthToken": {
        "name": REAUTH_HEADER,
        "in": "header",
        "required": True,
        "description": "Token of a fresh confirmation of identity, from `POST /sessions/step-up`; good for 15 minutes.",
        "schema": {"type": "string"},
    },
}


def _header(description: str, schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"description": description, "schema": schema, "example": example}


HEADERS = {
    "X-Request-Id": _header("Quote it to support.", {"type": "string"}, "req_7Hk2mQx9TzR4bW1cYp8NdE5v"),
    "X-RateLimit-Limit": _header("Requests per minute that the caller may send.", {"type": "integer"}, 60),
    "X-RateLimit-Remaining": _header("Requests that could be sent right now.", {"type": "integer"}, 59),
    "X-RateLimit-Reset": _header("When all of them can be sent again, in epoch seconds.", {"type": "integer"}, 1767225661),
    "X-RateLimit-Window": _header("Seconds that the limit is counted over.", {"type": "integer"}, 60),
    "RateLimit": _header(
        "The same by the IETF's draft: `r` remaining, `t` seconds.", {"type": "string"}, '"requests";r=59;t=0'
    ),
    "RateLimit-Policy": _header(
        "The limit by the IETF's draft: `q` requests in `w` seconds.", {"type": "string"}, '"requests";q=60;w=60'
    ),
    "Retry-After": _header("Seconds to wait before the next attempt.", {"type": "integer"}, 12),
    "WWW-Authenticate": _header(
        "How to present a credential.", {"type": "string"}, 'Bearer realm="PenguinMails API"'
    ),
}  # fmt: skip
_LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Window", "RateLimit",
           "RateLimit-Policy")  # fmt: skip

PROBLEM_NAMES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    412: "PreconditionFailed",
    413: "PayloadTooLarge",
    415: "UnsupportedMediaType",
    423: "Locked",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}

_EXAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "VALIDATION_ERROR": (
        "email: value is not a valid email address",
        {"errors": [{"field": "email", "message": "value is not a valid email address", "code": "value_error"}]},
    ),
    "MISSING_REQUIRED_FIELD": (
        "email: Field required",
        {"errors": [{"field": "email", "message": "Field required", "code": "missing"}]},
    ),
    "AUTHENTICATION_REQUIRED": ("Send an API key or an access token as `Authorization: Bearer ...`.", {}),
    "INSUFFICIENT_PERMISSIONS": (
        "This needs the scope manage_contacts. Use a key or role that has it.",
        {
            "required_scope": "manage_contacts",
            "required_scopes": ["manage_contacts"],
            "available_scopes": ["send_email"],
        },
    ),
    "RESOURCE_NOT_FOUND": (
        "There is no contact 0190a3c4-7d2e-7c31-9a55-1f2b3c4d5e6f. Check the id, and that it belongs to your account and mode.",
        {},
    ),
    "RATE_LIMIT_EXCEEDED": ("This API key may send 60 requests per minute. Try again in 12 s.", {"retry_after": 12}),
    "IDEMPOTENCY_IN_PROGRESS": (
        "A request with this Idempotency-Key is still running. Wait a second and send it again.",
        {"retry_after": 1},
    ),
    "INTERNAL_SERVER_ERROR": ("The request could not be completed. Try again; if it fails again, quote the request id.", {}),
    "SERVICE_UNAVAILABLE": ("The database cannot be reached. Nothing was changed; try again.", {"retry_after": 2}),
}  # fmt: skip
"""Details and further members where they tell more than the error's own description."""


def problem_responses(descriptions: dict[int, str]) -> dict[str, Any]:
    """The reusable answer of each status, with one example per code that has it."""
    return {PROBLEM_NAMES[status]: _problem_response(status, text) for status, text in sorted(descriptions.items())}


def _problem_response(status: int, description: str) -> dict[str, Any]:
    examples = {
        kind.code: {"summary": kind.title, "value": _example(kind)} for kind in _kinds() if kind.status == status
    }
    content: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Problem"}}
    if examples:
        content["examples"] = examples
    headers = ["X-Request-Id"]
    if status == 401:
        headers.append("WWW-Authenticate")
    if status in {429, 503}:
        headers.append("Retry-After")
    if status == 429:
        headers += _LIMITS
    return {"description": description, "headers": references(headers), "content": {MEDIA_TYPE: content}}


def _kinds() -> list[type[DomainError]]:
    found = {k.code: k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, DomainError)}
    return [found[code] for code in sorted(found)]


def _example(kind: type[DomainError]) -> dict[str, Any]:
    detail, members = _EXAMPLES.get(kind.code, ((kind.__doc__ or kind.title).strip().partition("\n\n")[0], {}))
    return {
        "type": f"{ORIGIN}/api/docs/errors#{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "code": kind.code,
        "request_id": "req_7Hk2mQx9TzR4bW1cYp8NdE5v",
        **members,
    }


def success_headers() -> dict[str, Any]:
    """What every successful answer carries."""
    return references(["X-Request-Id", *_LIMITS])


def references(headers: list[str]) -> dict[str, Any]:
    """References to the shared headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
