"""What the addresses of the simulator act out when a mail to one of them is sent in test mode."""

from datetime import datetime, timedelta

from penguinmails.domain.mail_reports import Report
from penguinmails.domain.simulated import behaviour
from penguinmails.smtp import MailRefused

_DELAY = "451 4.7.1 simulated delay, try again later"
_ACCEPTED = "250 2.0.0 simulated delivery"


def refusal(address: str, attempts: int) -> MailRefused | None:
    """The refusal of an attempt, which counts in `attempts`: the first one to an address that acts out a delay."""
    if behaviour(address) == "delayed" and attempts == 1:
        return MailRefused(_DELAY, is_permanent=False)
    return None


def reports(address: str, sent_at: datetime) -> list[Report]:
    """What is reported about a mail after it was sent, in order."""
    delivered = Report(kind="delivered", source="simulated", occurred_at=sent_at, detail=_ACCEPTED)
    match behaviour(address):
        case "delivered" | "delayed":
            return [delivered]
        case "bounced":
            return [_bounce(sent_at, "550 5.1.1 simulated bounce: no such mailbox", is_hard=True)]
        case "soft-bounced":
            return [_bounce(sent_at, "552 5.2.2 simulated bounce: the mailbox is full", is_hard=False)]
        case "complained":
            later = sent_at + timedelta(milliseconds=1)
            return [delivered, Report(kind="complained", source="simulated", occurred_at=later)]
        case "suppressed" | None:
            return []


def _bounce(at: datetime, detail: str, *, is_hard: bool) -> Report:
    return Report(
        kind="bounced", source="simulated", occurred_at=at, bounce="hard" if is_hard else "soft", detail=detail
    )
