"""HTTP of the documentation: public, cacheable, answered 304 when the client has it already."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from docs import error_pages, security_txt, service
from docs.access import Anyone
from docs.service import Document
from penguinmails.errors import NotFound
from penguinmails.http.context import RequestContext

_pages = APIRouter(prefix="/api/docs", include_in_schema=False)

_A_WHILE = "public, max-age=300"
_FOR_GOOD = "public, max-age=31536000, immutable"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere and nothing inline; `data:` is for the icons inside Swagger UI's style sheet."""


def _answer(request: Request, context: RequestContext, document: Document, *, cache: str = _A_WHILE) -> Response:
    """A document with its ETag (RFC 9110, section 8.8.3)."""
    # What a cache keeps for everybody must not carry the figures of the one who happened to ask first.
    context.rate_limit = None
    headers = {"Cache-Control": cache, "ETag": document.etag}
    if document.media_type.startswith("text/html"):
        headers["Content-Security-Policy"] = _PAGE_POLICY
    if _has_it_already(request.headers.get("if-none-match", ""), document.etag):
        return Response(status_code=304, headers=headers)
    return Response(document.content, media_type=document.media_type, headers=headers)


def _has_it_already(if_none_match: str, etag: str) -> bool:
    """Weak comparison, as If-None-Match demands: a cache that compresses on the way marks the tag as weak."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags


@_pages.get("")
async def show_reference(request: Request, context: Anyone) -> Response:
    """The page that lets one read and try every endpoint."""
    return _answer(request, context, service.reference_page())


@_pages.get("/openapi.json")
async def get_openapi_json(request: Request, context: Anyone) -> Response:
    """The OpenAPI 3.0.3 document."""
    return _answer(request, context, service.openapi_json())


@_pages.get("/openapi.yaml")
async def get_openapi_yaml(request: Request, context: Anyone) -> Response:
    """The same document as YAML."""
    return _answer(request, context, service.openapi_yaml())


@_pages.get("/errors")
async def show_errors(request: Request, context: Anyone) -> Response:
    """What each error code means; the `type` of every problem leads here."""
    return _answer(request, context, error_pages.catalogue())


@_pages.get("/assets/{version}/{name}")
async def get_asset(version: str, name: str, request: Request, context: Anyone) -> Response:
    """A script, style sheet or picture of the pages; `version` is in the address so that it can be kept for good."""
    asset = service.asset(name)
    if asset is None:
        raise NotFound.of("file", name)
    return _answer(request, context, asset, cache=_FOR_GOOD if version == service.assets_version() else _A_WHILE)


router = APIRouter()
router.include_router(_pages)
router.include_router(security_txt.router)
