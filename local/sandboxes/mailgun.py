"""Mailgun's HTTP interface: messages, domains, webhooks, their errors, and signed reports to webhooks."""

import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from email.utils import parseaddr
from hashlib import sha256
from typing import Any
from uuid import uuid4

from aiohttp import BasicAuth, web

from local.sandboxes.mails import API_KEY_PREFIX, Hook, SentMail, SentMails

Report = Callable[[SentMail], Awaitable[None]]


def signing_key_of(api_key: str) -> str:
    """With which key the sandbox signs an account's reports."""
    return f"signing-{api_key}"


def routes(memory: SentMails, report: Report) -> list[web.RouteDef]:
    """Mailgun's paths; `report` is told of every mail that was taken."""

    async def send(request: web.Request) -> web.Response:
        key = key_of(request, memory)
        if key is None:
            return web.Response(status=401, text="Forbidden")
        if request.match_info["domain"].startswith("missing."):
            return web.json_response({"message": f"Domain not found: {request.match_info['domain']}"}, status=404)
        mail = await _read(request, key)
        memory.requests.append(1)
        refusal = _refusal(mail)
        if refusal is not None:
            return refusal
        memory.add(mail)
        await report(mail)
        return web.json_response({"id": mail.id, "message": "Queued. Thank you."})

    async def events(request: web.Request) -> web.Response:
        key = key_of(request, memory)
        if key is None:
            return web.Response(status=401, text="Forbidden")
        found = [
            {"event": "accepted", "id": secrets.token_urlsafe(16), "recipient": mail.recipient}
            for mail in memory.of("mailgun", key)
            if mail.id.strip("<>") == request.query.get("message-id")
        ]
        return web.json_response({"items": found[: int(request.query.get("limit", 100))], "paging": {}})

    async def domain(request: web.Request) -> web.Response:
        if key_of(request, memory) is None:
            return web.Response(status=401, text="Forbidden")
        name = request.match_info["domain"]
        if name.startswith("missing."):
            return web.json_response({"message": "Domain not found"}, status=404)
        return web.json_response({"domain": {"name": name, "state": "active", "type": "custom"}})

    async def add_hook(request: web.Request) -> web.Response:
        key = key_of(request, memory)
        if key is None:
            return web.Response(status=401, text="Forbidden")
        form = await request.post()
        hook = Hook(str(form["url"]))
        known = memory.hooks.setdefault(f"mailgun:{key}", [])
        if hook not in known:
            known.append(hook)
        return web.json_response({"message": "Webhook has been created", "webhook": {"urls": [hook.url]}})

    return [
        web.post("/v3/{domain}/messages", send),
        web.get("/v3/domains/{domain}", domain),
        web.get("/v3/{domain}/events", events),
        web.post("/v3/domains/{domain}/webhooks", add_hook),
    ]


def report_of(mail: SentMail, *, signing_key: str | None = None) -> dict[str, Any]:
    """What Mailgun posts about a mail, signed anew each time."""
    timestamp, token = str(int(time.time())), secrets.token_hex(25)
    key = signing_key or signing_key_of(mail.api_key)
    data: dict[str, Any] = {
        "id": secrets.token_urlsafe(16),
        "timestamp": time.time(),
        "recipient": mail.recipient,
        "user-variables": mail.variables,
        "message": {"headers": {"message-id": mail.id.strip("<>"), "to": mail.recipient, "subject": mail.subject}},
        "log-level": "info",
    }
    match mail.fate:
        case "delivered":
            data |= {"event": "delivered", "delivery-status": {"code": 250, "message": "OK", "attempt-no": 1}}
        case "bounce":
            status = {"code": 550, "enhanced-code": "5.1.1", "message": "5.1.1 no such mailbox"}
            data |= {"event": "failed", "severity": "permanent", "reason": "bounce", "delivery-status": status}
        case "softbounce":
            status = {"code": 452, "enhanced-code": "4.2.2", "message": "4.2.2 mailbox full", "retry-seconds": 600}
            data |= {"event": "failed", "severity": "temporary", "reason": "generic", "delivery-status": status}
        case "complain":
            data |= {"event": "complained"}
    signature = {"timestamp": timestamp, "token": token, "signature": sign(key, timestamp, token)}
    return {"signature": signature, "event-data": data}


def sign(signing_key: str, timestamp: str, token: str) -> str:
    """Mailgun's signature."""
    return hmac.new(signing_key.encode(), f"{timestamp}{token}".encode(), sha256).hexdigest()


def key_of(request: web.Request, memory: SentMails) -> str | None:
    """The API key of a request; None without one that the sandbox takes."""
    try:
        auth = BasicAuth.decode(request.headers.get("Authorization", ""))
    except ValueError:
        return None
    is_taken = auth.password.startswith(API_KEY_PREFIX) and auth.password not in memory.revoked
    return auth.password if auth.login == "api" and is_taken else None


async def _read(request: web.Request, key: str) -> SentMail:
    form = await request.post()
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    # A Message-Id of the sender's own is kept, and is the answer's id then.
    message_id = texts.get("h:Message-Id") or f"<{uuid4().hex}@{request.match_info['domain']}>"
    files = [
        (file.filename, file.content_type, file.file.read())
        for file in form.getall("attachment", [])
        if isinstance(file, web.FileField)
    ]
    return SentMail(
        provider="mailgun",
        id=message_id,
        api_key=key,
        recipient=parseaddr(texts.get("to", ""))[1],
        sender=texts.get("from", ""),
        subject=texts.get("subject", ""),
        text=texts.get("text", ""),
        html=texts.get("html"),
        headers={name.removeprefix("h:"): value for name, value in texts.items() if name.startswith("h:")},
        variables={name.removeprefix("v:"): value for name, value in texts.items() if name.startswith("v:")},
        attachments=files,
    )


def _refusal(mail: SentMail) -> web.Response | None:
    name = mail.recipient.partition("@")[0]
    if "@" not in mail.sender:
        return web.json_response({"message": "from parameter is missing"}, status=400)
    if "@" not in mail.recipient or "invalid" in name:
        return web.json_response(
            {"message": "to parameter is not a valid address. please check documentation"}, status=400
        )
    if not mail.text and not mail.html:
        return web.json_response({"message": "Need at least one of 'text' or 'html' parameters specified"}, status=400)
    if "toofast" in name:
        return web.json_response({"message": "Too many requests"}, status=429, headers={"Retry-After": "7200"})
    if "outage" in name:
        return web.json_response({"message": "Internal Server Error"}, status=503)
    return None
