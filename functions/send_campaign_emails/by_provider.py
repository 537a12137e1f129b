"""Mails of campaigns that go out by the account's own Postmark or Mailgun."""

from collections.abc import Sequence

from penguinmails.domain.opened_accounts import opened
from penguinmails.domain.provider_accounts import StoredAccount
from penguinmails.providers import send_many
from penguinmails.smtp import MailRefused
from send_campaign_emails.repository import Outcome
from send_campaign_emails.writing import Written, outcome_of


def by_provider(mails: Sequence[Written], provider: str, account: StoredAccount | None, until: float) -> list[Outcome]:
    """Hand mails over; what was not begun shares the fate of what stopped it, or goes back to the queue."""
    tried = {mail.claim.id for mail in mails if mail.claim.attempts > 1}
    pairs = [(mail.outgoing(), mail.claim.id) for mail in mails]
    try:
        answers = send_many(pairs, opened(provider, account), until, tried=tried)
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
