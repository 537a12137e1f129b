"""What is reported about a mail after it left: by mail servers, by providers, and by the simulator of test mode.

Reports come twice and in any order. The same reports always end in the same state and raise the same events: a mail's
state only ever rises (sent, delivered, bounced), and each kind of report but opens and clicks counts once per mail. Who does
not want mail any more and says so again later, by the same mail, is heard again: consent may have been given in between. A report
may come before the worker has recorded that it handed the mail over, and the worker may have died: the report stands for
the record then, and the mail is not sent again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain import mail_report_rows as rows
from penguinmails.domain.bounces import Bounce
from penguinmails.domain.emails import log_event
from penguinmails.domain.mail_report_rows import MailRow
from penguinmails.domain.simulated import is_simulated
from penguinmails.domain.suppression import suppress
from penguinmails.events.catalogue import (
    ContactBlock,
    ContactUnsubscribed,
    EmailBounced,
    EmailClicked,
    EmailDelivered,
    EmailOpened,
    EmailSent,
    EmailSpamReported,
    EmailUnsubscribed,
    Event,
)
from penguinmails.events.emit import emit
from penguinmails.smtp import MailRefused

Kind = Literal["delivered", "deferred", "bounced", "complained", "unsubscribed", "opened", "clicked"]
SOFT_BOUNCES_UNTIL_SUPPRESSED = 3
_RANKS = {"scheduled": 0, "queued": 0, "sending": 0, "sent": 1, "failed": 1, "delivered": 2, "bounced": 3}
_REPEATABLE = {"opened", "clicked", "deferred"}
_WISHES = {"complained", "unsubscribed"}
_OF_WHO_DELIVERS = {"delivered", "deferred", "bounced", "complained"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One thing that was reported. `source` says by whom: `smtp`, `postmark`, `mailgun` or `simulated`."""

    kind: Kind
    source: str
    occurred_at: datetime
    bounce: Bounce | None = None
    is_final: bool = True
    """False for a bounce after which the provider tries again by itself."""
    detail: str = ""
    """The reason of a bounce or delay, or the answer of the recipient's server."""
    url: str | None = None
    user_agent: str | None = None
    ip_address: str | None = None
    is_machine: bool = False
    """Whether an open or click is a program's, which looks at what no person has looked at."""


def state_after(present: str, report: Report) -> str:
    """The mail's state once a report is known; it does not depend on the order of several."""
    reached = report.kind
    if reached not in {"delivered", "bounced"} or not report.is_final or present not in _RANKS:
        return present
    return reached if _RANKS[reached] > _RANKS[present] else present


def record_report(tx: Tx, email_id: UUID, report: Report) -> bool:
    """Record a report with what follows from it; False when there is no such mail, or it says nothing new."""
    mail = rows.lock_mail(tx, email_id)
    if mail is None:
        return False
    if mail.status in {"queued", "sending"} and report.kind in _OF_WHO_DELIVERS:
        mail = _handed_over(tx, mail, report)
    is_new = report.kind in _REPEATABLE or not rows.was_reported(tx, mail.id, report.kind, report.bounce)
    state = state_after(mail.status, report)
    if state != mail.status:
        rows.set_state(tx, mail.id, state, error=report.detail if state == "bounced" else None)
    if not is_new:
        if state == "bounced" and mail.status != "bounced":
            # The history told of it while the provider still tried; figures count it from now on.
            log_event(tx, [mail.id], report.kind, _facts(report), occurred_at=report.occurred_at)
        is_wish = report.kind in _WISHES and not is_simulated(mail.to_email)
        if is_wish and not rows.was_reported(tx, mail.id, report.kind, None, since=report.occurred_at):
            _follow(tx, mail, report, delivered=True)
        return False
    log_event(tx, [mail.id], report.kind, _facts(report), occurred_at=report.occurred_at)
    event = _event(mail, report)
    if event is not None:
        emit(tx, event)
    if not is_simulated(mail.to_email):
        _follow(tx, mail, report, delivered="delivered" in {mail.status, state})
    return True


def _handed_over(tx: Tx, mail: MailRow, report: Report) -> MailRow:
    now = clock.now()
    rows.mark_sent(tx, mail.id, provider=report.source, now=now)
    log_event(tx, [mail.id], "sent", {"provider": report.source}, occurred_at=now)
    sent = EmailSent(
        email_id=mail.id,
        campaign_id=mail.campaign_id,
        to=mail.to_email,
        subject=mail.subject,
        contact=_contact(mail),
        sent_at=now,
        provider=report.source,
    )
    emit(tx, sent)
    return replace(mail, status="sent")


def bounce_report(refusal: MailRefused, source: str, at: datetime) -> Report:
    """The report of a refusal that came at once, while the mail was handed over."""
    return Report(kind="bounced", source=source, occurred_at=at, bounce=refusal.bounce or "soft", detail=refusal.reason)


def _facts(report: Report) -> dict[str, Any]:
    facts = {
        "source": report.source,
        "bounce_type": report.bounce,
        "reason": report.detail or None,
        "url": report.url,
        "user_agent": report.user_agent,
        "is_machine": report.is_machine or None,
        "will_retry": not report.is_final or None,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _follow(tx: Tx, mail: MailRow, report: Report, *, delivered: bool) -> None:
    """What a report does to the address."""
    match report.kind, report.bounce:
        case "delivered", _:
            rows.forget_soft_bounces(tx, mail.to_email, before=report.occurred_at)
        case "bounced", "hard":
            suppress(tx, [mail.to_email], reason="hard_bounce", source=report.source)
            rows.mark_contact(tx, mail.to_email, "bounced")
        case "bounced", _ if not delivered:
            if rows.count_soft_bounce(tx, mail.to_email, report.occurred_at) >= SOFT_BOUNCES_UNTIL_SUPPRESSED:
                suppress(tx, [mail.to_email], reason="soft_bounces", source=report.source)
        case "complained", _:
            suppress(tx, [mail.to_email], reason="spam_complaint", source=report.source)
        case "unsubscribed", _:
            suppress(tx, [mail.to_email], reason="user_request", source=report.source)
            if rows.mark_contact(tx, mail.to_email, "unsubscribed") and (contact := _contact(mail)) is not None:
                emit(tx, ContactUnsubscribed(contact=contact, reason="user_request", method=report.source))
        case "opened" | "clicked", _:
            rows.count_engagement(tx, mail, report.kind, report.occurred_at, is_machine=report.is_machine)
        case _:
            pass


def _event(mail: MailRow, report: Report) -> Event | None:
    about: dict[str, Any] = {
        "email_id": mail.id,
        "campaign_id": mail.campaign_id,
        "to": mail.to_email,
        "subject": mail.subject,
        "contact": _contact(mail),
    }
    at = report.occurred_at
    seen: dict[str, Any] = {
        "user_agent": report.user_agent,
        "ip_address": report.ip_address,
        "is_machine": report.is_machine,
    }
    event: Event | None = None
    match report.kind:
        case "delivered":
            event = EmailDelivered(**about, delivered_at=at, smtp_response=report.detail or None)
        case "bounced":
            kind = report.bounce or "soft"
            event = EmailBounced(**about, bounce_type=kind, bounce_reason=report.detail, bounced_at=at)
        case "complained":
            event = EmailSpamReported(**about, reported_at=at)
        case "unsubscribed":
            event = EmailUnsubscribed(**about, unsubscribed_at=at)
        case "opened":
            event = EmailOpened(**about, opened_at=at, **seen)
        case "clicked":
            event = EmailClicked(**about, url=report.url or "", clicked_at=at, **seen)
        case "deferred":
            pass
    return event


def _contact(mail: MailRow) -> ContactBlock | None:
    if mail.contact_id is None:
        return None
    return ContactBlock(id=mail.contact_id, email=mail.to_email, first_name=mail.first_name, last_name=mail.last_name)
