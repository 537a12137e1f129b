"""Sends a batch of a campaign's mails: claim, hand over outside any transaction, record together with the events."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx, jsonb, transaction
from penguinmails.domain import mail_reports, simulation
from penguinmails.domain.mail_reports import Report
from penguinmails.domain.mail_servers import StoredServer, note_success, stored_server
from penguinmails.domain.opened_servers import opened_server
from penguinmails.domain.outcomes import record_outcome
from penguinmails.domain.provider_accounts import StoredAccount, stored_account
from penguinmails.domain.sender_domains import SigningDomain, signing_domains
from penguinmails.domain.sending import attempt, message_id
from penguinmails.events.catalogue import ContactBlock, EmailSent
from penguinmails.events.emit import emit_many
from penguinmails.ids import new_uuid7
from penguinmails.logging import count, logger
from penguinmails.queue import Record
from send_campaign_emails import admission, repository
from send_campaign_emails.by_server import by_server
from send_campaign_emails.repository import Claim, Content, Outcome
from send_campaign_emails.writing import Written, outcome_of, write

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
        wanted, refused = admission.admitted(tx, claims, clock.now())
        _load(tx, {claim.content_key for claim in wanted})
        domains = signing_domains(tx, {claim.from_email for claim in wanted}) if wanted else {}
        accounts = {
            name: account for name in {*map(_provider, wanted)} - {"smtp"} if (account := stored_account(tx, name))
        }
        server = stored_server(tx) if "smtp" in map(_provider, wanted) else None
        if refused:
            _store(tx, refused, record.mode)
    outcomes = _hand_over(record, wanted, domains, accounts, server)
    if outcomes:
        record_outcome(partial(_record, record, outcomes, server))


def _load(tx: Tx, keys: set[UUID]) -> None:
    missing = keys - _contents.keys()
    if missing:
        if len(_contents) + len(missing) > _MAX_CONTENTS:
            _contents.clear()
            missing = keys
        _contents.update((content.storage_key, content) for content in repository.contents(tx, sorted(missing)))


def _hand_over(
    record: Record,
    claims: Sequence[Claim],
    domains: dict[str, SigningDomain],
    accounts: dict[str, StoredAccount],
    server: StoredServer | None,
) -> list[Outcome]:
    if record.mode == "test":
        return [outcome_of(claim, simulation.refusal(claim.to_email, claim.attempts)) for claim in claims]
    until, date = time.monotonic() + PATIENCE_SECONDS, format_datetime(clock.now(), usegmt=True)
    outcomes: list[Outcome] = []
    for provider, group in groupby(sorted(claims, key=_provider), key=_provider):
        written = [_written(record, claim) for claim in group]
        outcomes += [mail for mail in written if isinstance(mail, Outcome)]
        mails = [mail for mail in written if not isinstance(mail, Outcome)]
        if provider == "smtp":
            outcomes += by_server(mails, partial(opened_server, record.tenant_id, server), date, domains, until)
        else:
            from send_campaign_emails.by_provider import by_provider

            outcomes += by_provider(mails, provider, accounts.get(provider), until)
    return outcomes


def _provider(claim: Claim) -> str:
    return claim.provider or "smtp"


def _written(record: Record, claim: Claim) -> Written | Outcome:
    """The mail, or the outcome for one that cannot be written or was begun too often."""
    written: list[Written] = []
    content = _contents.get(claim.content_key)
    refusal = attempt(claim.attempts, lambda: written.append(write(record.tenant_id, record.mode, claim, content)))
    return outcome_of(claim, refusal) if refusal is not None else written[0]


def _record(record: Record, outcomes: Sequence[Outcome], server: StoredServer | None) -> None:
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        blocked = {outcome.claim.campaign_id: outcome.error or "" for outcome in outcomes if outcome.blocks_campaign}
        if blocked:
            from penguinmails.domain import provider_refusal

            # First, as the planner holds a campaign while it writes to the ledger.
            provider_refusal.follow(tx, blocked, server)
        elif record.mode == "live" and any(_has_left_by_server(outcome) for outcome in outcomes):
            note_success(tx, server)
        _store(tx, outcomes, record.mode)


def _has_left_by_server(outcome: Outcome) -> bool:
    return outcome.status == "sent" and _provider(outcome.claim) == "smtp"


def _store(tx: Tx, outcomes: Sequence[Outcome], mode: str) -> None:
    now = clock.now()
    providers = {outcome.claim.id: _provider(outcome.claim) if mode == "live" else "simulated" for outcome in outcomes}
    columns: dict[str, list[Any]] = {
        "ids": [outcome.claim.id for outcome in outcomes],
        "attempts": [outcome.claim.attempts for outcome in outcomes],
        "statuses": [outcome.status for outcome in outcomes],
        "errors": [outcome.error for outcome in outcomes],
        "providers": [providers[outcome.claim.id] for outcome in outcomes],
        "message_ids": [outcome.message_id or message_id(outcome.claim.id) for outcome in outcomes],
        "sweep_ats": [
            None if outcome.retry_in_seconds is None else now + timedelta(seconds=outcome.retry_in_seconds)
            for outcome in outcomes
        ],
        "event_ids": [new_uuid7() for _ in outcomes],
        "types": [_HISTORY.get(outcome.status) for outcome in outcomes],
        "data": [jsonb(_data(outcome, providers[outcome.claim.id])) for outcome in outcomes],
        "reasons": [outcome.reason for outcome in outcomes],
        "paced_untils": [outcome.paced_until for outcome in outcomes],
    }
    settled = repository.record(tx, columns, now=now)
    lost = [outcome for outcome in outcomes if outcome.claim.id not in settled]
    if lost:
        logger.info("outcomes dropped: other workers', or reports, came before", extra={"emails": len(lost)})
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
                provider=providers[claim.id],
            )
            for claim in sent
        ],
    )
    for outcome in outcomes:
        if outcome.claim.id in settled:
            _report(tx, outcome, providers[outcome.claim.id], now)
    tx.after_commit(partial(_measure, Counter((providers[o.claim.id], o.status) for o in outcomes)))


def _measure(numbers: Mapping[tuple[str, str], int]) -> None:
    for (provider, status), number in numbers.items():
        count("esp_messages_total", number, provider=provider, type="campaign", result=_HISTORY.get(status, status))


def _report(tx: Tx, outcome: Outcome, source: str, now: datetime) -> None:
    """What became of a mail beyond being sent: refused for good while it was handed over, or acted out in test mode."""
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
