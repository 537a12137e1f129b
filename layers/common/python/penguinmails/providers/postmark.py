"""Postmark's HTTP API (https://postmarkapp.com/developer/api/email-api, /server-api and /overview for error codes)."""

import json
from base64 import b64encode
from email.utils import parseaddr
from uuid import UUID

from penguinmails.providers.account import EMAIL_ID, AccountRefused, ProviderAccount
from penguinmails.providers.http import Answer, NoAnswer, ask
from penguinmails.settings import get_settings
from penguinmails.smtp import MailRefused, OutgoingMail

_INACTIVE_RECIPIENT = 406
_OF_THE_ACCOUNT = {10, 100, 405, 413, 429}
"""Codes that the customer or Postmark can end: wrong token, maintenance, no credits, account under review, too fast."""


def send(mail: OutgoingMail, email_id: UUID, account: ProviderAccount) -> str:
    """Postmark's MessageID. Opens and links stay untouched: the platform has its own tracking."""
    headers = {**mail.headers, **mail.plain_headers}
    document = {
        "From": mail.sender,
        "To": mail.recipient,
        "Subject": mail.subject,
        "TextBody": mail.text,
        "HtmlBody": mail.html,
        "ReplyTo": mail.reply_to,
        "MessageStream": account.settings.get("message_stream", "outbound"),
        "TrackOpens": False,
        "TrackLinks": "None",
        "Metadata": {EMAIL_ID: str(email_id)},
        "Headers": [
            {"Name": name, "Value": value}
            for name, value in [
                *headers.items(),
                ("Message-ID", mail.message_id),
                ("X-PM-KeepID", "true"),
            ]
        ],
        "Attachments": [
            {"Name": file.file_name, "Content": b64encode(file.content).decode(), "ContentType": file.content_type}
            for file in mail.attachments
        ],
    }
    body = json.dumps({name: value for name, value in document.items() if value is not None}).encode()
    try:
        answer = ask("POST", f"{get_settings().postmark_url}/email", headers=_headers(account), body=body)
    except NoAnswer as failure:
        raise MailRefused(f"Postmark did not answer ({failure})", is_permanent=False) from None
    if answer.status == 200 and answer.body.get("ErrorCode") == 0:
        return str(answer.body["MessageID"])
    raise _refusal(answer)


def check(account: ProviderAccount) -> None:
    """Read the server that the token is for. Raises AccountRefused."""
    if parseaddr(account.settings["default_sender"])[1] == "":
        raise AccountRefused("the default sender is not an address")
    try:
        answer = ask("GET", f"{get_settings().postmark_url}/server", headers=_headers(account))
    except NoAnswer:
        raise AccountRefused("Postmark did not answer; try again in a minute") from None
    if answer.status == 401:
        raise AccountRefused("Postmark does not know the server API token; copy it from the server's API Tokens page")
    if answer.status != 200:
        raise AccountRefused(f"Postmark answered {answer.status}: {_message(answer)}")


def _headers(account: ProviderAccount) -> dict[str, str]:
    return {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "X-Postmark-Server-Token": account.secret["api_key"],
    }


def _refusal(answer: Answer) -> MailRefused:
    code = answer.body.get("ErrorCode")
    reason = f"Postmark: {answer.status} {code or ''} {_message(answer)}"
    if answer.status == 422 and code not in _OF_THE_ACCOUNT:
        return MailRefused(reason, is_permanent=True, bounce="hard" if code == _INACTIVE_RECIPIENT else None)
    if answer.status in {413, 415}:
        return MailRefused(reason, is_permanent=True)
    return MailRefused(reason, is_permanent=False, retry_after=answer.retry_after)


def _message(answer: Answer) -> str:
    return str(answer.body.get("Message") or answer.body.get("message") or "")[:300]
