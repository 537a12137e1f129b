"""Mails of campaigns that go out by a mail server: the account's own, or the platform's."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from penguinmails import mime
from penguinmails.domain.incoming_mail import reply_address
from penguinmails.domain.mail_signing import signed
from penguinmails.domain.sender_domains import SigningDomain
from penguinmails.domain.sending import attempt
from penguinmails.smtp import MailRefused, send_content
from penguinmails.smtp_connections import MailServer
from send_campaign_emails.repository import Outcome
from send_campaign_emails.writing import Written, outcome_of


def by_server(
    mails: Sequence[Written],
    opened: Callable[[], MailServer],
    date: str,
    domains: dict[str, SigningDomain],
    until: float,
) -> list[Outcome]:
    """Hand mails over one by one. What the server refuses to all of them it is asked once only.

    `date` as in the mails' header, `until` in monotonic seconds: what was not begun then goes back to the queue.
    """
    outcomes: list[Outcome] = []
    common: MailRefused | None = None
    server: MailServer | None = None
    try:
        server = opened()
    except MailRefused as refusal:
        common = refusal
    for mail in mails:
        if server is None or common is not None:
            outcomes.append(outcome_of(mail.claim, common))
        elif time.monotonic() > until:
            outcomes.append(Outcome(mail.claim, "untried", retry_in_seconds=0))
        else:
            refusal = attempt(mail.claim.attempts, partial(_send, mail, server, date, domains))
            outcomes.append(outcome_of(mail.claim, refusal))
            common = refusal if refusal is not None and refusal.scope != "mail" else None
    return outcomes


def _send(mail: Written, server: MailServer, date: str, domains: dict[str, SigningDomain]) -> None:
    outgoing, ours = mail.outgoing(), reply_address(mail.claim.id)
    if ours is not None and not outgoing.reply_to:
        # Another one for each mail, so that it is none of the headers that are kept.
        outgoing = replace(outgoing, plain_headers={**outgoing.plain_headers, "Reply-To": ours})
    content = signed(mime.compose(outgoing, date), outgoing.sender, domains)
    send_content(ours or outgoing.sender, outgoing.recipient, content, server)
