"""Sends a batch of a campaign's mails: claim, hand over outside any transaction, record together with the events."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any
from uuid import UUID

from penguinmails import clock, mime
from penguinmails.db import Tx, jsonb, transaction
from penguinmails.domain import campaign_texts, mail_reports, simulation
from penguinmails.domain.emails import suppressed
from penguinmails.domain.incoming_mail import reply_address
from penguinmails.domain.mail_reports import Report
from penguinmails.domain.mail_signing import signed
from penguinmails.domain.outcomes import record_outcome
from penguinmails.domain.outgoing import dress
from penguinmails.domain.rendering import MissingVariable, TemplateFault
from penguinmails.domain.sender_domains import SigningDomain, signing_domains
from penguinmails.domain.sending import DELAYS_SECONDS, MAX_ATTEMPTS, SUPPRESSED, attempt, message_id, on_the_wire
from penguinmails.domain.tracking_links import TrackedMail
from penguinmails.events.catalogue import ContactBlock, EmailSent
from penguinmails.events.emit import emit_many
from penguinmails.ids import new_uuid7
from penguinmails.logging import count, logger
from penguinmails.queue import Record
from penguinmails.smtp import MailRefused, send_content
from send_campaign_emails import repository
from send_campaign_emails.repository import Claim, Content, Outcome

PATIENCE_SECONDS = 60
"""After that, mails of the batch that were not begun go back to the queue, long before the function is stopped."""
_MAX_CONTENTS = 64
_HISTORY = {
    "sent": "sent",
    "failed": "failed",
    "queued": "deferred",
    "suppressed": "suppressed",
    "cancelled": "cancelled",
}
_contents: dict[UUID, Content] = {}


def handle(record: Record) -> None:
    """Send the mails that a message names, unless those attempts were made already.

    A worker that dies between the mail server's acceptance and the record leaves outcomes unknown: up to a batch of
    mails is then sent again, each under the Message-ID that it had.
    """
    mails = [(UUID(email_id), int(attempts)) for email_id, attempts in record.body["emails"]]
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        claims = repository.claim(tx, mails)
        if len(claims) < len(mails):
            repository.park(tx, [email_id for email_id, _ in mails])
        wanted, refused = _checked(tx, claims)
        _load(tx, {claim.content_key for claim in wanted})
        domains = signing_domains(tx, {claim.from_email for claim in wanted}) if wanted else {}
        if refused:
            _store(tx, refused, record.mode)
    outcomes = _hand_over(record, wanted, domains)
    if outcomes:
        record_outcome(partial(_record, record, outcomes))


def _checked(tx: Tx, claims: Sequence[Claim]) -> tuple[list[Claim], list[Outcome]]:
    """Who may be written to at this moment, and the outcomes for the others: consent may have ended since the plan."""
    if not claims:
        return [], []
    refused = suppressed(tx, [claim.to_email for claim in claims])
    wanted: list[Claim] = []
    outcomes: list[Outcome] = []
    for claim in claims:
        if claim.contact_id is None:
            outcomes.append(Outcome(claim, "cancelled", "the contact was deleted"))
        elif claim.to_email in refused:
            outcomes.append(Outcome(claim, "suppressed", SUPPRESSED))
        else:
            wanted.append(claim)
    return wanted, outcomes


def _load(tx: Tx, keys: set[UUID]) -> None:
    missing = keys - _contents.keys()
    if missing:
        if len(_contents) + len(missing) > _MAX_CONTENTS:
            _contents.clear()
            missing = keys
        _contents.update((content.storage_key, content) for content in repository.contents(tx, sorted(missing)))


def _hand_over(record: Record, claims: Sequence[Claim], domains: dict[str, SigningDomain]) -> list[Outcome]:
    if record.mode == "test":
        return [_simulated(claim) for claim in claims]
    outcomes: list[Outcome] = []
    began, date = time.monotonic(), format_datetime(clock.now(), usegmt=True)
    for claim in claims:
        if time.monotonic() - began > PATIENCE_SECONDS:
            outcomes.append(Outcome(claim, "untried", retry_in_seconds=0))
        else:
            mail = TrackedMail(record.tenant_id, record.mode, claim.id)
            outcomes.append(_outcome(claim, attempt(claim.attempts, partial(_send, mail, claim, date, domains))))
    return outcomes


def _simulated(claim: Claim) -> Outcome:
    return _outcome(claim, simulation.refusal(claim.to_email, claim.attempts))


def _outcome(claim: Claim, refusal: MailRefused | None) -> Outcome:
    if refusal is None:
        return Outcome(claim, "sent")
    if refusal.bounce is not None:
        return Outcome(claim, "bounced", refusal.reason, bounce=refusal.bounce)
    if refusal.is_permanent or claim.attempts >= MAX_ATTEMPTS:
        return Outcome(claim, "failed", refusal.reason)
    return Outcome(claim, "queued", refusal.reason, DELAYS_SECONDS[claim.attempts - 1])


def _send(mail: TrackedMail, claim: Claim, date: str, domains: dict[str, SigningDomain]) -> None:
    content, values = _contents[claim.content_key], claim.values()
    try:
        html = content.content_html and campaign_texts.fill(content.content_html, values, is_html=True)
        text = campaign_texts.filled_text(content.content_text, html, values)
    except MissingVariable as missing:
        raise ValueError(f"the contact has no {missing.name} any more") from None
    except TemplateFault as fault:
        raise ValueError(fault.message) from None
    recipient = on_the_wire(claim.to_email)
    dressed = dress(mail, text=text, html=html, following=claim.following())
    ours = reply_address(claim.id)
    answers = {"Reply-To": ours} if ours is not None and not claim.reply_to else {}
    message = mime.compose(
        message_id=message_id(claim.id),
        date=date,
        sender=claim.from_email,
        recipient=recipient,
        subject=claim.subject,
        text=dressed.text,
        html=dressed.html,
        reply_to=claim.reply_to,
        plain_headers={**dressed.headers, **answers},
    )
    send_content(ours or claim.from_email, recipient, signed(message, claim.from_email, domains))


def _record(record: Record, outcomes: Sequence[Outcome]) -> None:
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        _store(tx, outcomes, record.mode)


def _store(tx: Tx, outcomes: Sequence[Outcome], mode: str) -> None:
    now, provider = clock.now(), "smtp" if mode == "live" else "simulated"
    columns: dict[str, list[Any]] = {
        "ids": [outcome.claim.id for outcome in outcomes],
        "attempts": [outcome.claim.attempts for outcome in outcomes],
        "statuses": [outcome.status for outcome in outcomes],
        "errors": [outcome.error for outcome in outcomes],
        "message_ids": [message_id(outcome.claim.id) for outcome in outcomes],
        "sweep_ats": [
            None if outcome.retry_in_seconds is None else now + timedelta(seconds=outcome.retry_in_seconds)
            for outcome in outcomes
        ],
        "event_ids": [new_uuid7() for _ in outcomes],
        "types": [_HISTORY.get(outcome.status) for outcome in outcomes],
        "data": [jsonb(_data(outcome, provider)) for outcome in outcomes],
    }
    settled = repository.record(tx, columns, provider=provider, now=now)
    lost = [outcome for outcome in outcomes if outcome.claim.id not in settled]
    if lost:
        logger.warning("outcomes came after the lease and were dropped", extra={"emails": len(lost)})
        count("emails_outcome_after_lease_total", value=len(lost))
    sent = [outcome.claim for outcome in outcomes if outcome.status == "sent" and outcome.claim.id in settled]
    emit_many(
        tx,
        [
            EmailSent(
                email_id=claim.id,
                campaign_id=claim.campaign_id,
                to=claim.to_email,
                subject=claim.subject,
                contact=ContactBlock(
                    id=claim.contact_id, email=claim.to_email, first_name=claim.first_name, last_name=claim.last_name
                )
                if claim.contact_id is not None
                else None,
                sent_at=now,
                provider=provider,
            )
            for claim in sent
        ],
    )
    _report(tx, [outcome for outcome in outcomes if outcome.claim.id in settled], provider, now)
    for status in sorted({outcome.status for outcome in outcomes}):
        count("emails_total", value=sum(outcome.status == status for outcome in outcomes), status=status)


def _report(tx: Tx, outcomes: Sequence[Outcome], source: str, now: datetime) -> None:
    """What became of mails beyond being sent: refused for good while they were handed over, or acted out in test mode."""
    for outcome in outcomes:
        if outcome.status == "bounced":
            report = Report(
                kind="bounced", source=source, occurred_at=now, bounce=outcome.bounce, detail=outcome.error or ""
            )
            mail_reports.record_report(tx, outcome.claim.id, report)
        elif outcome.status == "sent" and source == "simulated":
            for report in simulation.reports(outcome.claim.to_email, now):
                mail_reports.record_report(tx, outcome.claim.id, report)


def _data(outcome: Outcome, provider: str) -> dict[str, Any]:
    if outcome.status == "sent":
        return {"provider": provider}
    reason = {"reason": outcome.error}
    return reason if outcome.retry_in_seconds is None else {**reason, "retry_in_seconds": outcome.retry_in_seconds}
