"""Mails of campaigns that go out by the account's own Postmark or Mailgun."""

from collections.abc import Sequence

from penguinmails.domain.opened_accounts import opened
from penguinmails.domain.provider_accounts import StoredAccount
from penguinmails.domain.sending import message_id
from penguinmails.providers import send_many
from penguinmails.smtp import MailRefused, OutgoingMail
from send_campaign_emails.repository import Outcome
from send_campaign_emails.writing import Written, outcome_of


def by_provider(mails: Sequence[Written], provider: str, account: StoredAccount | None, until: float) -> list[Outcome]:
    """Hand mails over; what was not begun shares the fate of what stopped it, or goes back to the queue."""
    try:
        answers = send_many([(_mail(mail), mail.claim.id) for mail in mails], opened(provider, account), until)
    except MailRefused as refusal:
        return [outcome_of(mail.claim, refusal) for mail in mails]
    common = next((a for a in answers if isinstance(a, MailRefused) and a.scope != "mail"), None)
    return [_outcome(mail, answer, common) for mail, answer in zip(mails, answers, strict=True)]


def _outcome(mail: Written, answer: str | MailRefused | None, common: MailRefused | None) -> Outcome:
    if isinstance(answer, str):
        return outcome_of(mail.claim, None, message_id=answer)
    refusal = answer or common
    return (
        outcome_of(mail.claim, refusal) if refusal is not None else Outcome(mail.claim, "untried", retry_in_seconds=0)
    )


def _mail(mail: Written) -> OutgoingMail:
    claim = mail.claim
    return OutgoingMail(
        message_id=message_id(claim.id),
        sender=claim.from_email,
        recipient=mail.recipient,
        subject=claim.subject,
        text=mail.dressed.text,
        html=mail.dressed.html,
        reply_to=claim.reply_to,
        plain_headers=mail.dressed.headers,
    )
