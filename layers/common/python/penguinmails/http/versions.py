"""Versions of single resources: ETag and If-Match (RFC 9110, sections 8.8.3 and 13.1.1).

A client that sends the ETag it has read changes that version or none.
"""

from hashlib import sha256
from typing import Annotated

from fastapi import Header

from penguinmails.errors import PreconditionFailed
from penguinmails.http.models import ResponseModel

_DIGEST_CHARACTERS = 32

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=1000, description="ETag that you have read; another version gives 412."),
]
"""Annotation of a route's parameter `if_match: IfMatch = None`."""

ETAG_HEADER = {
    "headers": {"ETag": {"description": "Version of the resource, for If-Match.", "schema": {"type": "string"}}}
}
"""What `responses={200: ETAG_HEADER}` declares."""


def etag_of(view: ResponseModel) -> str:
    """The ETag of a representation, with its quotes. It changes with every edit, and not with what is counted meanwhile."""
    edited = view.model_dump_json(exclude=dict(view.unversioned))
    return f'"{sha256(edited.encode()).hexdigest()[:_DIGEST_CHARACTERS]}"'


def require_version(if_match: str | None, view: ResponseModel) -> None:
    """Raise PreconditionFailed unless If-Match is absent, `*`, or names the present version among its ETags."""
    if if_match is None or if_match.strip() == "*":
        return
    # Weak ETags (W/"...") never match here: RFC 9110 asks for the strong comparison.
    if etag_of(view) not in {tag.strip() for tag in if_match.split(",")}:
        raise PreconditionFailed(
            "The resource has changed since you read it. Get it again, apply your change to what you get, "
            "and send its new ETag in If-Match."
        )
