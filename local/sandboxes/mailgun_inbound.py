"""Mailgun's routes: mail that comes in for an account's domain is forwarded to a URL, as a signed form.

`POST /sandbox/mailgun/incoming` with JSON (`api_key`, `from`, `to`, `subject`, `text`, `in_reply_to`) lets a mail come in.
"""

import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web

from local.sandboxes.mailgun import key_of, sign, signing_key_of
from local.sandboxes.mails import Hook, SentMails

_FORWARD = re.compile(r"""^forward\(["'](https?://[^"']+)["']\)$""")
File = tuple[str, str, bytes]
"""Name, media type and content."""


def routes(memory: SentMails) -> list[web.RouteDef]:
    """The path that creates a route, and the sandbox's own that lets a mail come in."""

    async def add_route(request: web.Request) -> web.Response:
        key = key_of(request, memory)
        if key is None:
            return web.Response(status=401, text="Forbidden")
        form = await request.post()
        urls = [found[1] for action in form.getall("action", []) if (found := _FORWARD.match(str(action)))]
        if "expression" not in form or not urls:
            return web.json_response({"message": "missing parameter: expression or action"}, status=400)
        memory.hooks.setdefault(f"mailgun-route:{key}", []).extend(Hook(url) for url in urls)
        return web.json_response({"message": "Route has been created", "route": {"id": uuid4().hex}})

    async def let_in(request: web.Request) -> web.Response:
        mail = await request.json()
        key = str(mail.get("api_key", ""))
        statuses: list[int] = []
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            for hook in memory.hooks.get(f"mailgun-route:{key}", []):
                async with session.post(hook.url, data=as_form(incoming_fields(mail, signing_key_of(key)))) as answer:
                    statuses.append(answer.status)
        return web.json_response({"forwarded": statuses})

    return [web.post("/v3/routes", add_route), web.post("/sandbox/mailgun/incoming", let_in)]


def incoming_fields(mail: Mapping[str, Any], signing_key: str) -> dict[str, str]:
    """What Mailgun posts about a mail: `from` and `to`, perhaps `subject`, `text`, `in_reply_to` and more `headers`."""
    headers = {
        "Message-Id": f"<{uuid4().hex}@example.com>",
        "From": mail["from"],
        "To": mail["to"],
        "Subject": mail.get("subject", "Re: Hello"),
        "Date": format_datetime(datetime.now(UTC)),
        **mail.get("headers", {}),
    }
    if "in_reply_to" in mail:
        headers["In-Reply-To"] = mail["in_reply_to"]
    text, timestamp, token = mail.get("text", "Yes, please."), str(int(time.time())), secrets.token_hex(25)
    return {
        "recipient": parseaddr(mail["to"])[1],
        "sender": parseaddr(mail["from"])[1],
        "from": headers["From"],
        "subject": headers["Subject"],
        "body-plain": f"{text}\r\n\r\n> Hello\r\n",
        "stripped-text": text,
        "message-headers": json.dumps(list(headers.items())),
        **headers,
        "timestamp": timestamp,
        "token": token,
        "signature": sign(signing_key, timestamp, token),
    }


def as_form(fields: Mapping[str, str], files: Sequence[File] = ()) -> aiohttp.FormData:
    """The fields as Mailgun sends them: urlencoded, or multipart when there are files."""
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    for number, (name, media_type, content) in enumerate(files, 1):
        form.add_field(f"attachment-{number}", content, filename=name, content_type=media_type)
    return form
