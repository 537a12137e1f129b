"""Headers of a customer's own that posts carry, such as a token for the gateway before the endpoint."""

import re
from collections.abc import Mapping

from penguinmails.errors import FieldError, ValidationFailed

MAX_HEADERS = 10
MAX_VALUE = 1_024
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_RESERVED = {
    "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive",
    "proxy-authorization", "proxy-connection", "te", "traceparent", "trailer", "transfer-encoding", "upgrade", "user-agent",
}  # fmt: skip
_RESERVED_PREFIXES = ("x-penguinmails-", "webhook-")


def check_headers(headers: Mapping[str, str]) -> None:
    """Raises ValidationFailed for headers that cannot be sent or are ours to send. Never quotes a value."""
    errors: list[FieldError] = []
    if len(headers) > MAX_HEADERS:
        errors.append(FieldError("custom_headers", f"has more than {MAX_HEADERS} headers", "size"))
    if len({name.lower() for name in headers}) < len(headers):
        errors.append(FieldError("custom_headers", "names a header twice", "duplicate"))
    for position, (name, value) in enumerate(headers.items()):
        known = name if _NAME.fullmatch(name) else f"[{position}]"
        if not _NAME.fullmatch(name):
            errors.append(FieldError(f"custom_headers.{known}", "is not the name of a header", "name"))
        elif name.lower() in _RESERVED or name.lower().startswith(_RESERVED_PREFIXES):
            errors.append(FieldError(f"custom_headers.{known}", "is set by the platform", "reserved"))
        if len(value) > MAX_VALUE or not _VALUE.fullmatch(value):
            problem = f"needs a value of 1 to {MAX_VALUE} printable ASCII characters without spaces at its ends"
            errors.append(FieldError(f"custom_headers.{known}", problem, "value"))
    if errors:
        raise ValidationFailed("Some headers cannot be sent; see errors.", errors=errors)
