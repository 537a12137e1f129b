"""Sends one queued email: claim, hand over outside any transaction, record together with the event."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from penguinmails import clock
from penguinmails.aws import MAX_DELAY_SECONDS
from penguinmails.db import Tx, transaction
from penguinmails.domain import mail_reports, pace, simulation
from penguinmails.domain.emails import log_event, message, suppressed
from penguinmails.domain.incoming_mail import reply_address
from penguinmails.domain.mail_addresses import on_the_wire
from penguinmails.domain.mail_servers import StoredServer, note_refusal, note_success, stored_server
from penguinmails.domain.mail_signing import SenderNotVerified, signed
from penguinmails.domain.opened_accounts import opened
from penguinmails.domain.opened_servers import opened_server
from penguinmails.domain.outcomes import record_outcome
from penguinmails.domain.outgoing import dress
from penguinmails.domain.provider_accounts import OWN_SERVER, StoredAccount, stored_account
from penguinmails.domain.sender_domains import SigningDomain, signing_domains
from penguinmails.domain.sending import DELAYS_SECONDS, MAX_ATTEMPTS, SUPPRESSED, attempt, message_id
from penguinmails.domain.tracking_links import TrackedMail
from penguinmails.events.catalogue import ContactBlock, EmailSent
from penguinmails.events.emit import emit
from penguinmails.events.outbox import send_after_commit
from penguinmails.logging import count, logger
from penguinmails.mime import OutgoingMail
from penguinmails.providers import Handover, ProviderAccount, send
from penguinmails.queue import Record
from penguinmails.smtp import MailRefused
from penguinmails.smtp_connections import MailServer
from send_emails import repository
from send_emails.files import contents
from send_emails.repository import Claim, FileRow

_SWEEP_SLACK_SECONDS = 60
_ASKED_AGAIN_SECONDS = 3_600
_GRACE = timedelta(seconds=pace.GRACE_SECONDS)
_PATIENCE = timedelta(days=3)
"""How long a mail waits for its sender's domain to be verified again, or for the account it goes by to be put right."""


def handle(record: Record) -> None:
    """Send the email that a message names, unless that attempt was made already.

    A worker that dies between the mail server's acceptance and the record leaves the outcome unknown; the email is then
    sent again, under the same Message-ID. That is the one way in which a recipient gets it twice.
    """
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        claim = repository.claim(tx, UUID(record.body["email_id"]), int(record.body["attempts"]))
        if claim is not None and suppressed(tx, [claim.to_email]):
            _end(tx, claim, "suppressed", SUPPRESSED)
            return
        if claim is not None and _waits_for_its_turn(tx, record, claim):
            return
        files = repository.attachments(tx, claim.content_key) if claim is not None else []
        account = _account_row(tx, claim) if claim is not None else None
        server = stored_server(tx) if claim is not None and _by_smtp(claim) else None
        domains = signing_domains(tx, [claim.from_email]) if claim is not None else {}
    if claim is None:
        return
    handover = Handover("simulated", message_id(claim.id))
    if record.mode == "live":
        refusal, handover = _hand_over(record, claim, files, account or server, domains)
    else:
        refusal = simulation.refusal(claim.to_email, claim.attempts)
    record_outcome(lambda: _record(record, claim, server, refusal, handover))


def _waits_for_its_turn(tx: Tx, record: Record, claim: Claim) -> bool:
    """Put off what would go out faster than the plan allows; what has waited for its turn, and comes in time, leaves."""
    now = clock.now()
    if record.mode != "live" or (claim.paced_until and now <= claim.paced_until + _GRACE):
        return False
    seconds = pace.seconds_to_wait(tx, record.tenant_id)
    if seconds == 0:
        return False
    turn = now + timedelta(seconds=seconds)
    repository.put_off(tx, claim, until=turn, sweep_at=pace.sweep_at(turn, now))
    if seconds <= pace.LONGEST_DELAY_SECONDS:
        send_after_commit(tx, "emails", [message(claim.id, claim.attempts - 1)], delay_seconds=seconds)
    tx.after_commit(lambda: count("emails_paced_total"))
    return True


def _record(
    record: Record, claim: Claim, server: StoredServer | None, refusal: MailRefused | None, handover: Handover
) -> None:
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        if refusal is None:
            _sent(tx, claim, handover)
            if record.mode == "live":
                note_success(tx, server)
        elif isinstance(refusal, SenderNotVerified):
            _wait_for_repair(tx, claim, refusal, at_the_end="and was not within three days")
        elif refusal.scope == "account" and not refusal.is_permanent:
            _wait_for_repair(tx, claim, refusal, at_the_end="and nobody put that right within three days")
            if server is not None:
                note_refusal(tx, server, refusal.reason)
        elif refusal.bounce is not None:
            _bounced(tx, claim, refusal, handover.provider)
        elif refusal.is_permanent or claim.attempts >= MAX_ATTEMPTS:
            _end(tx, claim, "failed", refusal.reason)
        else:
            _delay(tx, claim, refusal)


def _by_smtp(claim: Claim) -> bool:
    return claim.wanted_provider in OWN_SERVER


def _account_row(tx: Tx, claim: Claim) -> StoredAccount | None:
    return stored_account(tx, claim.wanted_provider) if claim.wanted_provider else None


def _hand_over(
    record: Record,
    claim: Claim,
    files: Sequence[FileRow],
    by: StoredAccount | StoredServer | None,
    domains: dict[str, SigningDomain],
) -> tuple[MailRefused | None, Handover]:
    taken: list[Handover] = []

    def hand_over() -> None:
        tracked = TrackedMail(record.tenant_id, record.mode, claim.id)
        dressed = dress(tracked, text=claim.content_text, html=claim.content_html, following=claim.following())
        # Providers take answers and bounces in by themselves.
        ours = reply_address(claim.id) if _by_smtp(claim) else None
        mail = OutgoingMail(
            message_id=message_id(claim.id),
            sender=claim.from_email,
            recipient=on_the_wire(claim.to_email),
            subject=claim.subject,
            text=dressed.text,
            html=dressed.html,
            reply_to=claim.reply_to or ours,
            return_path=ours,
            headers=claim.headers,
            plain_headers=dressed.headers,
            attachments=contents(record.tenant_id, files),
        )
        seal = partial(signed, sender=claim.from_email, domains=domains)
        taken.append(send(mail, claim.id, _opened(record, claim, by), seal, was_tried=claim.attempts > 1))

    refusal = attempt(claim.attempts, hand_over)
    return refusal, taken[0] if taken else Handover(claim.wanted_provider or "smtp", message_id(claim.id))


def _opened(record: Record, claim: Claim, by: StoredAccount | StoredServer | None) -> ProviderAccount | MailServer:
    if claim.wanted_provider is None or claim.wanted_provider == "smtp":
        return opened_server(record.tenant_id, by if isinstance(by, StoredServer) else None)
    return opened(claim.wanted_provider, by if isinstance(by, StoredAccount) else None)


def _sent(tx: Tx, claim: Claim, handover: Handover) -> None:
    now, provider = clock.now(), handover.provider
    if not repository.settle(tx, claim, status="sent", provider=provider, message_id=handover.message_id, sent_at=now):
        _taken_over(claim)
        return
    log_event(tx, [claim.id], "sent", {"provider": provider}, occurred_at=now)
    contact = repository.find_contact(tx, claim.to_email)
    emit(
        tx,
        EmailSent(
            email_id=claim.id,
            campaign_id=claim.campaign_id,
            to=claim.to_email,
            subject=claim.subject,
            contact=contact
            and ContactBlock(
                id=contact.id, email=contact.email, first_name=contact.first_name, last_name=contact.last_name
            ),
            sent_at=now,
            provider=provider,
        ),
    )
    _measure(tx, claim, provider, "sent")
    if provider == "simulated":
        for report in simulation.reports(claim.to_email, now):
            mail_reports.record_report(tx, claim.id, report)


def _bounced(tx: Tx, claim: Claim, refusal: MailRefused, source: str) -> None:
    if not repository.settle(tx, claim, status="bounced", error=refusal.reason):
        _taken_over(claim)
        return
    mail_reports.record_report(tx, claim.id, mail_reports.bounce_report(refusal, source, clock.now()))
    _measure(tx, claim, source, "bounced")


def _end(tx: Tx, claim: Claim, status: str, reason: str) -> None:
    if not repository.settle(tx, claim, status=status, error=reason):
        _taken_over(claim)
        return
    log_event(tx, [claim.id], status, {"reason": reason})
    _measure(tx, claim, claim.wanted_provider, status)


def _wait_for_repair(tx: Tx, claim: Claim, refusal: MailRefused, *, at_the_end: str) -> None:
    until = claim.due_at + _PATIENCE
    if clock.now() >= until:
        _end(tx, claim, "failed", f"{refusal.reason}, {at_the_end}")
        return
    reason = f"{refusal.reason}; the mail waits for it until {until:%Y-%m-%d %H:%M} UTC"
    if not repository.give_back(tx, claim, reason=reason, seconds=_ASKED_AGAIN_SECONDS):
        _taken_over(claim)
    elif claim.error != reason:
        log_event(tx, [claim.id], "deferred", {"reason": reason, "retry_in_seconds": _ASKED_AGAIN_SECONDS})
        _measure(tx, claim, claim.wanted_provider, "deferred")


def _delay(tx: Tx, claim: Claim, refusal: MailRefused) -> None:
    reason, delay = refusal.reason, max(DELAYS_SECONDS[claim.attempts - 1], refusal.retry_after or 0)
    by_queue = delay <= MAX_DELAY_SECONDS
    slack = _SWEEP_SLACK_SECONDS if by_queue else 0
    if not repository.settle(tx, claim, status="queued", error=reason, sweep_after_seconds=delay + slack):
        _taken_over(claim)
        return
    log_event(tx, [claim.id], "deferred", {"reason": reason, "retry_in_seconds": delay})
    _measure(tx, claim, claim.wanted_provider, "deferred")
    if by_queue:
        send_after_commit(tx, "emails", [message(claim.id, claim.attempts)], delay_seconds=delay)


def _measure(tx: Tx, claim: Claim, provider: str | None, result: str) -> None:
    kind = "transactional" if claim.campaign_id is None else "campaign"
    by = provider or "smtp"
    tx.after_commit(lambda: count("esp_messages_total", provider=by, type=kind, result=result))


def _taken_over(claim: Claim) -> None:
    logger.info("outcome dropped: another worker's, or a report, came before", extra={"email_id": str(claim.id)})
    count("emails_outcome_after_lease_total")
