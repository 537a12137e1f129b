"""Mail that our own mail server hands over: whose it is, and whether it is an answer, a bounce or a complaint."""

from typing import Literal
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx, transaction
from penguinmails.domain.incoming_mail import is_relayed_by_us, mail_of
from penguinmails.domain.mail_reports import record_report
from penguinmails.errors import AuthenticationRequired, NotFound, PayloadTooLarge
from penguinmails.logging import count, logger
from provider_events import mail_system_reports, raw_mail, reply_repository, repository
from provider_events.mail_system_reports import SystemReport
from provider_events.replies import take_answer

MOST_BYTES = 4_000_000
"""Lambda takes 6 MB per request, in which a mail stands in base64."""
RelayOutcome = Literal["taken", "nothing_new", "known", "orphan", "ignored"]


def take_mail(content: bytes, *, sender: str, recipient: str, timestamp: str, signature: str) -> RelayOutcome:
    """Take one mail for one recipient of its envelope.

    Raises AuthenticationRequired, PayloadTooLarge, and NotFound for an address that nobody takes mail at.
    """
    now = clock.now()
    if not is_relayed_by_us(
        signature, timestamp=timestamp, sender=sender, recipient=recipient, content=content, now=now
    ):
        count("provider_events_refused_total", provider="smtp")
        logger.warning("mail refused that is not our mail server's")
        raise AuthenticationRequired(
            "The signature is wrong or older than five minutes. Check the mail server's key and clock."
        )
    if len(content) > MOST_BYTES:
        raise PayloadTooLarge(f"The mail has {len(content)} bytes; at most {MOST_BYTES} are taken in.")
    email_id = mail_of(recipient)
    tenant_id = _tenant(recipient, email_id)
    message = raw_mail.read_mail(content)
    if message is None:
        return _counted("ignored")
    reported = mail_system_reports.report_of(message, now)
    answer = None
    if reported is None:
        answer = raw_mail.answer_of(message, envelope_sender=sender, plus=email_id, now=now)
    with transaction(tenant_id=tenant_id, mode="live") as tx:
        if reported is not None:
            return _counted(_take_report(tx, reported, email_id))
        if answer is None:
            return _counted("ignored")
        return _counted("taken" if take_answer(tx, answer) else "known")


def _tenant(recipient: str, email_id: UUID | None) -> UUID:
    with transaction() as tx:
        found = (
            repository.tenant_of_email(tx, email_id)
            if email_id is not None
            else repository.tenant_of_domain(tx, recipient.rpartition("@")[2])
        )
    if found is None:
        raise NotFound("Nobody takes mail at this address.")
    return found


def _take_report(tx: Tx, reported: SystemReport, email_id: UUID | None) -> RelayOutcome:
    named = [found for found in (email_id, reported.email_id) if found is not None]
    mail = reply_repository.find_mail(tx, named)
    if mail is None:
        return "orphan"
    if reported.report is None:
        return "ignored"
    return "taken" if record_report(tx, mail.id, reported.report) else "nothing_new"


def _counted(outcome: RelayOutcome) -> RelayOutcome:
    count("inbound_mails_total", provider="smtp", outcome=outcome)
    return outcome
