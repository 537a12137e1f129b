"""Mail providers behind one small interface: hand a mail over, or see whether the account works.

`send` answers with the provider's id of the mail, and raises smtp.MailRefused: temporary (perhaps with `retry_after`
seconds), or permanent with the reason, and with `bounce` when it says something about the recipient. `check` raises
AccountRefused. Each adapter says in its docstring which of the vendor's pages it follows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from penguinmails.providers import mailgun, postmark
from penguinmails.providers.account import AccountRefused, ProviderAccount
from penguinmails.smtp import MailRefused, OutgoingMail
from penguinmails.smtp import send as send_by_smtp
from penguinmails.smtp_connections import MailServer

__all__ = ["PROVIDERS", "AccountRefused", "Handover", "Provider", "ProviderAccount", "check", "send", "send_many"]

Provider = Literal["postmark", "mailgun"]
PROVIDERS: tuple[Provider, ...] = ("postmark", "mailgun")
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
    adapter = _ADAPTERS[by.provider]
    taken = adapter.find(mail, email_id, by) if was_tried else None
    return Handover(by.provider, taken or adapter.send(mail, email_id, by))


def send_many(
    mails: Sequence[tuple[OutgoingMail, UUID]], account: ProviderAccount, until: float
) -> list[str | MailRefused | None]:
    """Hand bulk mail over: for each mail the provider's id or the refusal, None for what was not begun."""
    return _ADAPTERS[account.provider].send_many(mails, account, until)


def check(account: ProviderAccount) -> None:
    """See whether provider takes the credentials, by a call that sends nothing. Raises AccountRefused."""
    _ADAPTERS[account.provider].check(account)
