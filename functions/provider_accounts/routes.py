"""HTTP of provider accounts."""

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from penguinmails.domain.mail_servers import StoredServer, stored_server
from penguinmails.http.access import session
from penguinmails.http.caller import Caller
from penguinmails.http.problems import problems
from penguinmails.providers import PROVIDERS, Provider
from provider_accounts import repository, service
from provider_accounts.repository import AccountRow
from provider_accounts.schemas import ConfiguredProvider, MailgunAccount, PostmarkAccount, Providers, ProviderView

router = APIRouter(prefix="/api/v1/tenant/esp", tags=["Mail providers"])

Admin = Annotated[Caller, session("owner", "admin")]
_SHOWN_ONCE = frozenset({"webhook_url", "webhook_password"})
_SHOWN_SETTINGS = ("default_sender", "domain", "region", "message_stream", "broadcast_stream")


def _fields(provider: str, row: AccountRow | None) -> dict[str, Any]:
    settings = row.settings if row is not None else {}
    return {
        "provider": provider,
        "status": row.status if row is not None else "not_configured",
        "status_detail": row and row.status_detail,
        "key_last4": row and row.key_last4,
        "checked_at": row and row.checked_at,
        **{name: settings.get(name) for name in _SHOWN_SETTINGS},
    }


def _built_in(own: StoredServer | None) -> ProviderView:
    fields: dict[str, Any] = {**_fields("smtp", None), "status": "active", "server": "shared"}
    if own is not None:
        shown = {name: getattr(own, name) for name in ("status", "status_detail", "checked_at", "host")}
        fields |= {**shown, "server": "own"}
    return ProviderView(**fields)


@router.get("/providers", operation_id="listMailProviders", summary="List mail providers", responses=problems())
async def list_mail_providers(caller: Admin) -> Providers:
    """The built-in server, the account's own or the one that accounts share, and each provider with the state of the account
    with it.
    """
    with caller.transaction() as tx:
        rows = {row.provider: row for row in repository.list_accounts(tx)}
        own = stored_server(tx)
    accounts = [ProviderView(**_fields(provider, rows.get(provider))) for provider in PROVIDERS]
    return Providers(data=[_built_in(own), *accounts])


@router.post(
    "/postmark",
    operation_id="configurePostmark",
    summary="Set up Postmark",
    response_model=ConfiguredProvider,
    responses=problems(409),
)
async def configure_postmark(body: PostmarkAccount, caller: Admin) -> Response:
    """Keep a Postmark server's token, once Postmark has taken it. Enter the URL, user name and password of the answer
    as a webhook at Postmark, with all its events, and with `/inbound` behind the path as its inbound webhook, so that
    answers come in; they are shown only here. Calling it again replaces all of it.
    """
    settings = {
        "default_sender": body.default_sender,
        "message_stream": body.message_stream,
        "broadcast_stream": body.broadcast_stream,
    }
    return _configure(caller, "postmark", settings, {"api_key": body.api_key})


@router.post(
    "/mailgun",
    operation_id="configureMailgun",
    summary="Set up Mailgun",
    response_model=ConfiguredProvider,
    responses=problems(409),
)
async def configure_mailgun(body: MailgunAccount, caller: Admin) -> Response:
    """Keep a Mailgun domain's key, once Mailgun has taken it. Enter the URL of the answer as webhook of all event types
    at Mailgun, and with `/inbound` behind it as `forward` of a route, so that answers come in; it is shown only here.
    Calling it again replaces all of it.
    """
    settings = {
        "domain": body.domain,
        "default_sender": body.default_sender,
        "region": body.region,
        "test_mode": "yes" if body.test_mode else "no",
    }
    return _configure(caller, "mailgun", settings, {"api_key": body.api_key, "signing_key": body.signing_key})


def _configure(caller: Caller, provider: Provider, settings: dict[str, str], secret: dict[str, str]) -> Response:
    with caller.work() as work:
        made = service.configure(work.tx, provider, settings, secret)
        caller.audit(work.tx, "provider_configured", resource_type="provider_account", resource_id=provider)
        answer = ConfiguredProvider(
            **_fields(provider, made.account),
            webhook_url=made.webhook_url,
            webhook_username=service.WEBHOOK_USER if made.webhook_password is not None else None,
            webhook_password=made.webhook_password,
        )
        return work.answer(200, answer, without=_SHOWN_ONCE)


@router.post(
    "/postmark/test",
    operation_id="testPostmark",
    summary="Test the Postmark account",
    response_model=ProviderView,
    responses=problems(404, 409),
)
async def test_postmark(caller: Admin) -> Response:
    """Ask Postmark whether the account works. Nothing is sent; `status` and `status_detail` say what came of it."""
    return _test(caller, "postmark")


@router.post(
    "/mailgun/test",
    operation_id="testMailgun",
    summary="Test the Mailgun account",
    response_model=ProviderView,
    responses=problems(404, 409),
)
async def test_mailgun(caller: Admin) -> Response:
    """Ask Mailgun whether the account works. Nothing is sent; `status` and `status_detail` say what came of it."""
    return _test(caller, "mailgun")


def _test(caller: Caller, provider: Provider) -> Response:
    with caller.work() as work:
        return work.answer(200, ProviderView(**_fields(provider, service.test_account(work.tx, provider))))


@router.delete(
    "/postmark", operation_id="removePostmark", summary="Remove Postmark", status_code=204, responses=problems(404)
)
async def remove_postmark(caller: Admin) -> None:
    """Forget the account and its credentials. Mails that were to go out by it wait, and fail after three days."""
    _remove(caller, "postmark")


@router.delete(
    "/mailgun", operation_id="removeMailgun", summary="Remove Mailgun", status_code=204, responses=problems(404)
)
async def remove_mailgun(caller: Admin) -> None:
    """Forget the account and its credentials. Mails that were to go out by it wait, and fail after three days."""
    _remove(caller, "mailgun")


def _remove(caller: Caller, provider: Provider) -> None:
    with caller.transaction() as tx:
        service.remove(tx, provider)
        caller.audit(tx, "provider_removed", resource_type="provider_account", resource_id=provider)
