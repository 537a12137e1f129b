"""Mail providers behind one small interface: hand a mail over, or see whether the account works.

`send` answers with the provider's id of the mail, and raises smtp.MailRefused: temporary (perhaps with `retry_after`
seconds), or permanent with the reason, and with `bounce` when it says something about the recipient. `check` raises
AccountRefused. Each adapter says in its docstring which of the vendor's pages it follows.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from penguinmails.mime import OutgoingMail
from penguinmails.providers import mailgun, postmark
from penguinmails.providers.account import AccountRefused, ProviderAccount, Stream
from penguinmails.smtp import MailRefused
from penguinmails.smtp import send as send_by_smtp
from penguinmails.smtp_connections import MailServer

__all__ = ["PROVIDERS", "AccountRefused", "Handover", "Provider", "ProviderAccount", "check", "send", "send_many"]

Provider = Literal["postmark", "mailgun"]
PROVIDERS: tuple[Provider, ...] = ("postmark", "mailgun")
_NOT_THERE = ""
_ADAPTERS = {"postmark": postmark, "mailgun": mailgun}


@dataclass(frozen=True, slots=True)
class Handover:
    """Who took a mail over, and under which id."""

    provider: str
    message_id: str


def send(
    mail: OutgoingMail,
    email_id: UUID,
    by: ProviderAccount | MailServer,
    seal: Callable[[bytes], bytes],
    *,
    was_tried: bool = False,
) -> Handover:
    """Hand a mail over to an account's provider, or to a mail server.

    `seal` signs what a mail server gets; providers sign for themselves. What `was_tried` before, perhaps without an
    answer, a provider is first asked for, so that it does not send it twice.
    """
    if isinstance(by, MailServer):
        send_by_smtp(mail, by, seal)
        return Handover("smtp", mail.message_id)
    taken = _taken(by, "single", mail, email_id) if was_tried else None
    return Handover(by.provider, taken or _ADAPTERS[by.provider].send(mail, email_id, by))


def send_many(
    mails: Sequence[tuple[OutgoingMail, UUID]],
    account: ProviderAccount,
    until: float,
    *,
    tried: Set[UUID] = frozenset(),
) -> list[str | MailRefused | None]:
    """Hand bulk mail over: for each mail the provider's id or the refusal, None for what was not begun.

    For those that were `tried` before, perhaps without an answer, the provider is asked first, as for single mails. Nothing
    is begun after the moment `until` of the monotonic clock.
    """
    from penguinmails.providers.bulk import each

    again = [(mail, email_id) for mail, email_id in mails if email_id in tried]
    # What is not there is sent; what could not be asked for is left alone.
    asked = each(again, lambda mail, email_id: _taken(account, "bulk", mail, email_id) or _NOT_THERE, until)
    answers = {email_id: answer for (_, email_id), answer in zip(again, asked, strict=True) if answer != _NOT_THERE}
    rest = [(mail, email_id) for mail, email_id in mails if email_id not in answers]
    sent = _ADAPTERS[account.provider].send_many(rest, account, until) if rest else []
    answers.update((email_id, answer) for (_, email_id), answer in zip(rest, sent, strict=True))
    return [answers[email_id] for _, email_id in mails]


def _taken(account: ProviderAccount, stream: Stream, mail: OutgoingMail, email_id: UUID) -> str | None:
    """The provider's id of a mail that it took although its answer was lost. Raises MailRefused when it cannot be asked."""
    return _ADAPTERS[account.provider].find(mail, email_id, account, stream)


def check(account: ProviderAccount) -> None:
    """See whether provider takes the credentials, by a call that sends nothing. Raises AccountRefused."""
    _ADAPTERS[account.provider].check(account)
