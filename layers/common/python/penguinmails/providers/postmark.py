"""Postmark's HTTP API (https://postmarkapp.com/developer/api/email-api, /server-api and /overview for error codes)."""

import json
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from penguinmails.mime import OutgoingMail
from penguinmails.providers.account import EMAIL_ID, AccountRefused, ProviderAccount, Stream
from penguinmails.providers.http import Answer, NoAnswer, ask
from penguinmails.settings import get_settings
from penguinmails.smtp import MailRefused, Scope

_INACTIVE_RECIPIENT = 406
_OF_THE_ACCOUNT = {10, 100, 405, 413, 429}
"""Codes that the customer or Postmark can end: wrong token, maintenance, no credits, account under review, too fast."""
_UNTIL_REPAIRED = {10, 400, 401, 405, 412, 413}
"""Codes that every mail of the sender would get: of these, and a sender that is not known (400) or not confirmed (401)."""
_TOO_FAST = 429
_MOST_IN_A_BATCH = 500
_MOST_BYTES_IN_A_BATCH = 40_000_000
"""Postmark takes 50 MB."""


def send(mail: OutgoingMail, email_id: UUID, account: ProviderAccount) -> str:
    """Postmark's MessageID. Opens and links stay untouched: the platform has its own tracking."""
    body = _document(mail, email_id, _stream(account, "single"))
    answer = _ask("/email", body, account)
    if answer.status == 200 and answer.body.get("ErrorCode") == 0:
        return str(answer.body["MessageID"])
    raise _refusal(answer)


def find(_mail: OutgoingMail, email_id: UUID, account: ProviderAccount, stream: Stream) -> str | None:
    """Postmark's MessageID of a mail that it has taken; None when it has not, or does not say.

    It is looked for in its own stream, as Postmark else looks through its transactional one alone.
    https://postmarkapp.com/developer/api/messages-api#outbound-message-search
    """
    query = urlencode(
        {"count": 1, "offset": 0, "messagestream": _stream(account, stream), f"metadata_{EMAIL_ID}": email_id}
    )
    url = f"{get_settings().postmark_url}/messages/outbound?{query}"
    try:
        answer = ask("GET", url, headers=_headers(account))
    except NoAnswer as failure:
        raise MailRefused(f"Postmark did not answer ({failure})", is_permanent=False) from None
    found = answer.body.get("Messages") if answer.status == 200 else None
    return str(found[0]["MessageID"]) if found else None


def send_many(
    mails: Sequence[tuple[OutgoingMail, UUID]], account: ProviderAccount, until: float
) -> list[str | MailRefused | None]:
    """For each mail Postmark's MessageID or the refusal; None for what was not begun.

    They go to the account's broadcast stream, in as few requests as they fit in. Nothing is begun after the moment `until`
    of the monotonic clock, or after a refusal that all mails would get.
    """
    stream = _stream(account, "bulk")
    answers: list[str | MailRefused | None] = []
    for documents in _batches(_document(mail, email_id, stream) for mail, email_id in mails):
        is_over = time.monotonic() > until or any(_is_common(answer) for answer in answers)
        answers += [None] * len(documents) if is_over else _send_batch(documents, account)
    return answers


def _stream(account: ProviderAccount, stream: Stream) -> str:
    if stream == "bulk":
        return account.settings.get("broadcast_stream", "broadcast")
    return account.settings.get("message_stream", "outbound")


def _is_common(answer: str | MailRefused | None) -> bool:
    return isinstance(answer, MailRefused) and answer.scope != "mail"


def _batches(documents: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for document in documents:
        if batch and (len(batch) == _MOST_IN_A_BATCH or size + len(document) > _MOST_BYTES_IN_A_BATCH):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += len(document)
    if batch:
        yield batch


def _send_batch(documents: list[bytes], account: ProviderAccount) -> list[str | MailRefused | None]:
    try:
        answer = _ask("/email/batch", b"[" + b",".join(documents) + b"]", account)
    except MailRefused as refusal:
        return [refusal] * len(documents)
    if answer.status == 200 and len(answer.rows) == len(documents):
        return [
            str(row["MessageID"])
            if row.get("ErrorCode") == 0 and "MessageID" in row
            else _refusal(Answer(422, row, None))
            for row in answer.rows
        ]
    return [_refusal(answer)] * len(documents)


def _document(mail: OutgoingMail, email_id: UUID, stream: str) -> bytes:
    headers = {**mail.headers, **mail.plain_headers}
    document: dict[str, Any] = {
        "From": mail.sender,
        "To": mail.recipient,
        "Subject": mail.subject,
        "TextBody": mail.text,
        "HtmlBody": mail.html,
        "ReplyTo": mail.reply_to,
        "MessageStream": stream,
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
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


def _ask(path: str, body: bytes, account: ProviderAccount) -> Answer:
    try:
        return ask("POST", get_settings().postmark_url + path, headers=_headers(account), body=body)
    except NoAnswer as failure:
        raise MailRefused(f"Postmark did not answer ({failure})", is_permanent=False) from None


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
    scope: Scope = "mail"
    if answer.status == 401 or code in _UNTIL_REPAIRED:
        scope = "account"
    elif _TOO_FAST in {answer.status, code}:
        scope = "moment"
    if answer.status == 422 and code not in _OF_THE_ACCOUNT:
        bounce = "hard" if code == _INACTIVE_RECIPIENT else None
        return MailRefused(reason, is_permanent=True, bounce=bounce, scope=scope)
    if answer.status in {413, 415}:
        return MailRefused(reason, is_permanent=True)
    return MailRefused(reason, is_permanent=False, retry_after=answer.retry_after, scope=scope)


def _message(answer: Answer) -> str:
    return str(answer.body.get("Message") or answer.body.get("message") or "")[:300]
