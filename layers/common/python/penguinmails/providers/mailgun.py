"""Mailgun's HTTP API (https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages and /domains)."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from penguinmails.mime import OutgoingMail
from penguinmails.providers.account import EMAIL_ID, AccountRefused, ProviderAccount, Stream
from penguinmails.providers.http import Answer, NoAnswer, ask, multipart
from penguinmails.settings import get_settings
from penguinmails.smtp import MailRefused, Scope

_HOSTS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
_ABOUT_THE_MAIL = {400, 413}
"""Other refusals concern the account (401, 402, 403, 404, 429) or Mailgun (5xx), and may end."""
_SCOPES: dict[int, Scope] = {401: "account", 402: "account", 403: "account", 404: "account", 429: "moment"}


def send(mail: OutgoingMail, email_id: UUID, account: ProviderAccount) -> str:
    """Mailgun's id of the message, angle brackets included. Its own tracking stays off: the platform has one."""
    fields: list[tuple[str, Any]] = [
        ("from", mail.sender),
        ("to", mail.recipient),
        ("subject", mail.subject),
        ("text", mail.text),
        ("o:tracking", "no"),
        (f"v:{EMAIL_ID}", str(email_id)),
        ("h:Message-Id", mail.message_id),
        *((f"h:{name}", value) for name, value in {**mail.headers, **mail.plain_headers}.items()),
        *(("attachment", (file.file_name, file.content, file.content_type)) for file in mail.attachments),
    ]
    if mail.html is not None:
        fields.append(("html", mail.html))
    if mail.reply_to is not None:
        fields.append(("h:Reply-To", mail.reply_to))
    if account.settings.get("test_mode") == "yes":
        fields.append(("o:testmode", "yes"))
    body, content_type = multipart(fields)
    url = f"{_base(account)}/v3/{_domain(account)}/messages"
    try:
        answer = ask("POST", url, headers={**_authorisation(account), "Content-Type": content_type}, body=body)
    except NoAnswer as failure:
        raise MailRefused(f"Mailgun did not answer ({failure})", is_permanent=False) from None
    if answer.status == 200 and "id" in answer.body:
        return str(answer.body["id"])
    reason = f"Mailgun: {answer.status} {_message(answer)}"
    raise MailRefused(
        reason,
        is_permanent=answer.status in _ABOUT_THE_MAIL,
        retry_after=answer.retry_after,
        scope=_SCOPES.get(answer.status, "mail"),
    )


def find(mail: OutgoingMail, _email_id: UUID, account: ProviderAccount, _stream: Stream) -> str | None:
    """Mailgun's id of a mail that it has taken; None when it has not, or the key may not ask.

    https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/events
    """
    message_id = mail.message_id.strip("<>")
    query = urlencode({"event": "accepted", "message-id": message_id, "limit": 1})
    try:
        answer = ask("GET", f"{_base(account)}/v3/{_domain(account)}/events?{query}", headers=_authorisation(account))
    except NoAnswer as failure:
        raise MailRefused(f"Mailgun did not answer ({failure})", is_permanent=False) from None
    return mail.message_id if answer.status == 200 and answer.body.get("items") else None


def send_many(
    mails: Sequence[tuple[OutgoingMail, UUID]], account: ProviderAccount, until: float
) -> list[str | MailRefused | None]:
    """For each mail Mailgun's id or the refusal; None for what was not begun.

    Each mail is a request of its own, some at once: Mailgun's batches have one Message-ID for all recipients.
    """
    from penguinmails.providers.bulk import each

    return each(mails, lambda mail, email_id: send(mail, email_id, account), until)


def check(account: ProviderAccount) -> None:
    """Read the sending domain. Raises AccountRefused."""
    domain = account.settings["domain"]
    url = f"{_base(account)}/v3/domains/{quote(domain, safe='')}"
    try:
        answer = ask("GET", url, headers=_authorisation(account))
    except NoAnswer:
        raise AccountRefused("Mailgun did not answer; try again in a minute") from None
    if answer.status == 401:
        raise AccountRefused("Mailgun does not know the API key in this region; check the key and the region")
    if answer.status == 404:
        raise AccountRefused(f"the Mailgun account has no domain {domain} in this region; check both")
    if answer.status != 200:
        raise AccountRefused(f"Mailgun answered {answer.status}: {_message(answer)}")


def _base(account: ProviderAccount) -> str:
    return get_settings().mailgun_url or _HOSTS[account.settings.get("region", "us")]


def _domain(account: ProviderAccount) -> str:
    return quote(account.settings["domain"], safe="")


def _authorisation(account: ProviderAccount) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"api:{account.secret['api_key']}".encode()).decode()}


def _message(answer: Answer) -> str:
    return str(answer.body.get("message") or "")[:300]
