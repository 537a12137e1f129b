"""HTTP of the providers' reports. They stand in no document: only the providers call them."""

from typing import Annotated, Any

from fastapi import APIRouter, Request

from penguinmails.http.access import public
from penguinmails.http.context import RequestContext
from provider_events import relayed, service
from provider_events.forms import read_form

router = APIRouter(prefix="/webhooks", include_in_schema=False)

_REPORTS_PER_MINUTE = 6_000
Provider = Annotated[RequestContext, public(per_minute=_REPORTS_PER_MINUTE)]
Body = dict[str, Any]


@router.post("/postmark/{endpoint}")
async def take_postmark_report(endpoint: str, body: Body, request: Request, _provider: Provider) -> dict[str, str]:
    """One report, as https://postmarkapp.com/developer/webhooks/webhooks-overview describes it."""
    return {"outcome": service.take_postmark(endpoint, request.headers.get("authorization", ""), body)}


@router.post("/postmark/{endpoint}/inbound")
async def take_postmark_mail(endpoint: str, body: Body, request: Request, _provider: Provider) -> dict[str, str]:
    """One mail that came in, as https://postmarkapp.com/developer/webhooks/inbound-webhook describes it."""
    return {"outcome": service.take_postmark_mail(endpoint, request.headers.get("authorization", ""), body)}


@router.post("/mailgun/{endpoint}")
async def take_mailgun_report(endpoint: str, body: Body, _provider: Provider) -> dict[str, str]:
    """One report, as https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads describes it."""
    return {"outcome": service.take_mailgun(endpoint, body)}


@router.post("/mailgun/{endpoint}/inbound")
async def take_mailgun_mail(endpoint: str, request: Request, _provider: Provider) -> dict[str, str]:
    """One mail that came in, as https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store describes."""
    form = read_form(request.headers.get("content-type", ""), await request.body())
    return {"outcome": service.take_mailgun_mail(endpoint, form)}


@router.post("/smtp/inbound")
async def take_relayed_mail(request: Request, _provider: Provider) -> dict[str, str]:
    """One mail (message/rfc822) for one recipient, from our own mail server."""
    outcome = relayed.take_mail(
        await request.body(),
        sender=request.headers.get("x-mail-from", ""),
        recipient=request.headers.get("x-rcpt-to", ""),
        timestamp=request.headers.get("x-relay-timestamp", ""),
        signature=request.headers.get("x-relay-signature", ""),
    )
    return {"outcome": outcome}
