"""Postmark's HTTP interface: /email, /email/batch, /server, /webhooks, their errors, and reports to webhooks."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any
from uuid import uuid4

from aiohttp import web

from local.sandboxes.mails import API_KEY_PREFIX, Hook, SentMail, SentMails

_MOST_IN_A_BATCH = 500
_OF_THE_REQUEST = {429, 503}
_MOST_METADATA, _LONGEST_METADATA_NAME, _LONGEST_METADATA_VALUE = 10, 20, 80
_MOST_BYTES = 10 * 1024 * 1024
Report = Callable[[SentMail], Awaitable[None]]


class _Refused(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    @property
    def document(self) -> dict[str, Any]:
        return {"ErrorCode": self.code, "Message": self.message}


def routes(memory: SentMails, report: Report) -> list[web.RouteDef]:
    """Postmark's paths; `report` is told of every mail that was taken."""

    async def send(request: web.Request) -> web.Response:
        try:
            key, message = _key(request, memory), await request.json()
            memory.requests.append(1)
            mail = _take(message, key)
        except _Refused as refusal:
            return _answer(refusal)
        memory.add(mail)
        await report(mail)
        return web.json_response(_accepted(mail))

    async def send_batch(request: web.Request) -> web.Response:
        try:
            key, messages = _key(request, memory), await request.json()
            if not isinstance(messages, list) or len(messages) > _MOST_IN_A_BATCH:
                raise _Refused(422, 410, "Too many batch messages")
        except _Refused as refusal:
            return _answer(refusal)
        memory.requests.append(len(messages))  # pyright: ignore[reportUnknownArgumentType]
        answers: list[dict[str, Any]] = []
        for message in messages:
            try:
                mail = _take(message, key)
            except _Refused as refusal:
                if refusal.status in _OF_THE_REQUEST:
                    return _answer(refusal)
                answers.append(refusal.document)
                continue
            memory.add(mail)
            await report(mail)
            answers.append(_accepted(mail))
        return web.json_response(answers)

    async def search(request: web.Request) -> web.Response:
        try:
            key = _key(request, memory)
        except _Refused as refusal:
            return _answer(refusal)
        wanted = {name.removeprefix("metadata_"): value for name, value in request.query.items() if "metadata_" in name}
        stream = request.query.get("messagestream", "outbound")
        found = [
            {"MessageID": mail.id, "Metadata": mail.variables, "Subject": mail.subject, "Status": "Sent"}
            for mail in memory.of("postmark", key)
            if wanted.items() <= mail.variables.items() and mail.stream == stream
        ]
        return web.json_response({"TotalCount": len(found), "Messages": found[: int(request.query["count"])]})

    async def server(request: web.Request) -> web.Response:
        try:
            _key(request, memory)
        except _Refused as refusal:
            return _answer(refusal)
        return web.json_response({"ID": 1, "Name": "Sandbox", "DeliveryType": "Sandbox", "SmtpApiActivated": True})

    async def add_hook(request: web.Request) -> web.Response:
        try:
            key = _key(request, memory)
        except _Refused as refusal:
            return _answer(refusal)
        body = await request.json()
        auth = body.get("HttpAuth") or {}
        hook = Hook(body["Url"], auth.get("Username", ""), auth.get("Password", ""))
        memory.hooks.setdefault(f"postmark:{key}", []).append(hook)
        return web.json_response({"ID": 1, "Url": hook.url, "MessageStream": body.get("MessageStream", "outbound")})

    return [
        web.post("/email", send),
        web.post("/email/batch", send_batch),
        web.get("/server", server),
        web.get("/messages/outbound", search),
        web.post("/webhooks", add_hook),
    ]


def report_of(mail: SentMail) -> dict[str, Any]:
    """What Postmark posts about a mail."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    common = {
        "MessageID": mail.id,
        "Metadata": mail.variables,
        "ServerID": 1,
        "MessageStream": "outbound",
        "Tag": "",
    }
    if mail.fate == "delivered":
        details = "smtp;250 2.0.0 OK"
        return {
            **common, "RecordType": "Delivery", "Recipient": mail.recipient, "DeliveredAt": now, "Details": details
        }  # fmt: skip
    kinds = {"bounce": ("HardBounce", 1), "softbounce": ("SoftBounce", 4096), "complain": ("SpamComplaint", 512)}
    kind, code = kinds[mail.fate]
    return {
        **common,
        "RecordType": "SpamComplaint" if mail.fate == "complain" else "Bounce",
        "ID": uuid4().int % 10**9,
        "Type": kind,
        "TypeCode": code,
        "Name": kind,
        "Description": "Sandbox report",
        "Details": "smtp;550 5.1.1 no such mailbox" if mail.fate == "bounce" else "smtp;452 4.2.2 mailbox full",
        "Email": mail.recipient,
        "From": mail.sender,
        "BouncedAt": now,
        "DumpAvailable": False,
        "Inactive": mail.fate != "softbounce",
        "CanActivate": mail.fate == "bounce",
        "Subject": mail.subject,
    }


def _key(request: web.Request, memory: SentMails) -> str:
    key = request.headers.get("X-Postmark-Server-Token", "")
    if not key.startswith(API_KEY_PREFIX) or key in memory.revoked:
        raise _Refused(401, 10, "Request does not contain a valid Server token.")
    return key


def _take(message: Any, key: str) -> SentMail:
    if not isinstance(message, dict):
        raise _Refused(422, 402, "Received invalid JSON.")
    recipient, sender = parseaddr(str(message.get("To", "")))[1], str(message.get("From", ""))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    name = recipient.partition("@")[0]
    for address in (recipient, parseaddr(sender)[1]):
        if not address.rpartition("@")[0].isascii():
            raise _Refused(422, 300, f"Invalid email address '{address}': Unicode mailboxes are not supported.")
    if "@" not in sender:
        raise _Refused(422, 300, "Invalid 'From' address.")
    if "unconfirmed" in parseaddr(sender)[1].partition("@")[0]:
        raise _Refused(422, 400, "The 'From' address you supplied is not a Sender Signature on your account.")
    if "@" not in recipient or "invalid" in name:
        raise _Refused(422, 300, f"Invalid 'To' address: '{recipient}'.")
    if "inactive" in name:
        raise _Refused(422, 406, f"You tried to send to a recipient that has been marked as inactive: {recipient}.")
    if "toofast" in name:
        raise _Refused(429, 429, "Rate limit exceeded")
    if "outage" in name:
        raise _Refused(503, 0, "Service unavailable")
    fields: dict[str, Any] = message
    _check_metadata(fields.get("Metadata") or {})
    if not fields.get("TextBody") and not fields.get("HtmlBody"):
        raise _Refused(422, 300, "Provide either email TextBody or HtmlBody or both.")
    try:
        files = [
            (file["Name"], file["ContentType"], b64decode(file["Content"], validate=True))
            for file in fields.get("Attachments") or []
        ]
    except (KeyError, Base64Error):
        raise _Refused(422, 300, "An attachment is not valid.") from None
    texts = (str(fields.get(body) or "").encode() for body in ("TextBody", "HtmlBody"))
    if sum(map(len, texts)) + sum(len(file["Content"]) for file in fields.get("Attachments") or []) > _MOST_BYTES:
        raise _Refused(422, 300, "The message with its attachments is larger than 10 MB.")
    return SentMail(
        provider="postmark",
        id=str(uuid4()),
        api_key=key,
        recipient=recipient,
        sender=sender,
        subject=str(fields.get("Subject", "")),
        text=str(fields.get("TextBody") or ""),
        html=fields.get("HtmlBody"),
        headers={header["Name"]: header["Value"] for header in fields.get("Headers") or []},
        variables=dict(fields.get("Metadata") or {}),
        attachments=files,
        stream=str(fields.get("MessageStream", "outbound")),
    )


def _check_metadata(metadata: dict[str, Any]) -> None:
    """What https://postmarkapp.com/support/article/1125-custom-metadata-faq allows."""
    if len(metadata) > _MOST_METADATA:
        raise _Refused(422, 300, f"Metadata has more than {_MOST_METADATA} fields.")
    for name, value in metadata.items():
        if len(name) > _LONGEST_METADATA_NAME or len(str(value)) > _LONGEST_METADATA_VALUE:
            raise _Refused(
                422,
                300,
                "Invalid metadata content. Field names are limited to 20 characters and field values are limited to 80 "
                f"characters in length. The '{name}' field in your metadata content exceeds these limits.",
            )


def _accepted(mail: SentMail) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"To": mail.recipient, "SubmittedAt": at, "MessageID": mail.id, "ErrorCode": 0, "Message": "OK"}


def _answer(refusal: _Refused) -> web.Response:
    headers = {"Retry-After": "7200"} if refusal.status == 429 else {}
    return web.json_response(refusal.document, status=refusal.status, headers=headers)
