"""HTTP of the links in mails. Their readers are recipients and their mail programs, so nothing here asks for a key."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from penguinmails.domain.tracking_links import read
from penguinmails.errors import NotFound
from penguinmails.http.access import public
from penguinmails.http.context import RequestContext
from track import pages, service

router = APIRouter(prefix="/t", include_in_schema=False)

# One address is often a whole company's, or a mail provider's picture proxy.
_VISITS_PER_MINUTE = 10_000
Reader = Annotated[RequestContext, public(per_minute=_VISITS_PER_MINUTE)]
_NEVER_KEPT = {"Cache-Control": "no-store, private", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
_PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


@router.api_route("/o/{token}", methods=["GET", "HEAD"])
async def show_pixel(token: str, request: Request, context: Reader) -> Response:
    """A picture of one transparent point. Loading it says that the mail was opened."""
    mail = read("open", token)
    if mail is None:
        raise NotFound("This picture belongs to no mail of ours.")
    if request.method == "GET":
        service.record_open(mail, user_agent=context.user_agent, source_ip=context.source_ip)
    return Response(_PIXEL, media_type="image/gif", headers=_NEVER_KEPT)


@router.api_route("/c/{token}", methods=["GET", "HEAD"])
async def follow_link(
    token: str, request: Request, context: Reader, u: Annotated[str, Query(max_length=8_000)] = ""
) -> Response:
    """Lead to where the sender's link led. The address is part of what was signed, so it leads nowhere else."""
    mail = read("click", token, u)
    if mail is None or urlsplit(u).scheme not in {"http", "https"}:
        raise NotFound("This link is not ours, or a part of it was lost on the way. Open it from the mail again.")
    is_head = request.method == "HEAD"
    service.record_click(mail, u, user_agent=context.user_agent, source_ip=context.source_ip, is_head=is_head)
    return Response(status_code=302, headers={**_NEVER_KEPT, "Location": service.location(u)})


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
async def ask_before_unsubscribing(token: str, context: Reader) -> Response:
    """A page with one button. Looking at it changes nothing, since scanners of mails follow every link."""
    mail = read("unsubscribe", token)
    found = mail and service.subscription(mail)
    if found is None:
        return _page(404, pages.UNKNOWN)
    return _page(200, pages.question(found.sender, found.address))


@router.post("/u/{token}")
async def unsubscribe(token: str, context: Reader) -> Response:
    """End the subscription: by the page's button, or by a mail program (one-click, RFC 8058)."""
    mail = read("unsubscribe", token)
    found = mail and service.subscription(mail)
    if mail is None or found is None:
        return _page(404, pages.UNKNOWN)
    service.unsubscribe(mail, user_agent=context.user_agent, source_ip=context.source_ip)
    return _page(200, pages.done(found.sender, found.address))


def _page(status: int, html: str) -> Response:
    headers = {**_NEVER_KEPT, "Content-Security-Policy": pages.POLICY}
    return Response(html, status_code=status, media_type="text/html", headers=headers)
