"""What the mail catcher holds, for people and for scripts."""

import base64
import html
import json
from dataclasses import asdict

from aiohttp import web

from local.services.mail import CaughtMail, MailCatcher

_STYLE = "body{font:15px system-ui;max-width:60rem;margin:2rem auto}pre{white-space:pre-wrap;background:#f6f6f6;padding:1rem}"


def _page(mail: CaughtMail) -> str:
    head = f"{html.escape(mail.received_at)} to {html.escape(', '.join(mail.recipients))}"
    return f"<h3>{html.escape(mail.subject)}</h3><p>{head}</p><pre>{html.escape(mail.text)}</pre>"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def mail_app(catcher: MailCatcher) -> web.Application:
    """`GET /` for people; `GET /api/messages?to=` and `GET /api/messages/{id}` for scripts."""

    async def show(_request: web.Request) -> web.Response:
        mails = "".join(_page(mail) for mail in reversed(catcher.all_mails()[-100:])) or "<p>No mail yet.</p>"
        text = f"<!doctype html><title>Caught mail</title><style>{_STYLE}</style><h1>Caught mail</h1>{mails}"
        return web.Response(text=text, content_type="text/html")

    async def find(request: web.Request) -> web.Response:
        recipient = request.query.get("to")
        mails = catcher.mails_to(recipient) if recipient else catcher.all_mails()
        return web.Response(
            text=json.dumps([asdict(mail) for mail in mails], default=_base64), content_type="application/json"
        )

    async def get(request: web.Request) -> web.Response:
        number = request.match_info["id"]
        for mail in catcher.all_mails():
            if str(mail.id) == number:
                return web.Response(text=json.dumps(asdict(mail), default=_base64), content_type="application/json")
        return web.json_response({"error": f"there is no mail {number}"}, status=404)

    app = web.Application()
    app.router.add_get("/", show)
    app.router.add_get("/api/messages", find)
    app.router.add_get("/api/messages/{id}", get)
    return app
