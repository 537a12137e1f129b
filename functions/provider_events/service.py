"""The rules of the providers' reports: whose they are, whether they are genuine, and that each is taken once."""

from datetime import datetime
from typing import Any, Literal

from penguinmails import clock
from penguinmails.auth.tokens import token_hash
from penguinmails.db import Tx, transaction
from penguinmails.domain.mail_reports import record_report
from penguinmails.domain.provider_secrets import provider_secret
from penguinmails.errors import AuthenticationRequired, NotFound
from penguinmails.logging import count, logger
from provider_events import mailgun, mailgun_inbound, postmark, postmark_inbound, repository
from provider_events.forms import Form
from provider_events.parsed import Parsed
from provider_events.replies import Answer, take_answer
from provider_events.repository import Endpoint

Outcome = Literal["taken", "nothing_new", "orphan", "ignored", "known"]


def take_postmark(token: str, authorization: str, body: dict[str, Any]) -> Outcome:
    """Take one of Postmark's reports. Raises NotFound, and AuthenticationRequired when it is not genuine."""
    endpoint, secret = _endpoint(token, "postmark")
    if not postmark.is_authentic(authorization, secret):
        raise _not_genuine(endpoint, "Send the user name and password that the provider's set-up has shown.")
    with transaction(tenant_id=endpoint.tenant_id, mode="live") as tx:
        return _take(tx, endpoint, postmark.parse(body, clock.now()))


def take_postmark_mail(token: str, authorization: str, body: dict[str, Any]) -> Outcome:
    """Take a mail that came in to Postmark. Raises NotFound, and AuthenticationRequired when it is not genuine."""
    endpoint, secret = _endpoint(token, "postmark")
    if not postmark.is_authentic(authorization, secret):
        raise _not_genuine(endpoint, "Send the user name and password that the provider's set-up has shown.")
    answer = postmark_inbound.parse(body, clock.now())
    if answer is None:
        return "ignored"
    with transaction(tenant_id=endpoint.tenant_id, mode="live") as tx:
        return _take_answer(tx, answer, "postmark")


def take_mailgun(token: str, body: dict[str, Any]) -> Outcome:
    """Take one of Mailgun's reports. Raises NotFound, and AuthenticationRequired when it is not genuine."""
    endpoint, now = _mailgun_endpoint(token, body)
    parsed = mailgun.parse(body, now)
    with transaction(tenant_id=endpoint.tenant_id, mode="live") as tx:
        _spend_token(tx, endpoint, mailgun.token_of(body), parsed.key)
        return _take(tx, endpoint, parsed)


def take_mailgun_mail(token: str, form: Form) -> Outcome:
    """Take a mail that came in to Mailgun. Raises NotFound, and AuthenticationRequired when it is not genuine."""
    endpoint, now = _mailgun_endpoint(token, form.fields)
    answer = mailgun_inbound.parse(form, now)
    if answer is None:
        return "ignored"
    with transaction(tenant_id=endpoint.tenant_id, mode="live") as tx:
        _spend_token(tx, endpoint, mailgun.token_of(form.fields), answer.message_id)
        return _take_answer(tx, answer, "mailgun")


def _mailgun_endpoint(token: str, signed: dict[str, Any]) -> tuple[Endpoint, datetime]:
    endpoint, secret = _endpoint(token, "mailgun")
    now = clock.now()
    if not mailgun.is_authentic(signed, secret, now):
        raise _not_genuine(
            endpoint, "The signature is wrong or older than five minutes. Check the webhook signing key."
        )
    return endpoint, now


def _spend_token(tx: Tx, endpoint: Endpoint, token: str, key: str) -> None:
    """What a token came with is part of its name: the same once more is harmless, anything else is forged."""
    name, came_with = f"token:{token_hash(token).hex()}", token_hash(key).hex()
    is_first = repository.add_once(tx, "mailgun", name, type_=came_with, email_id=None, outcome="token")
    if not is_first and repository.event_of_token(tx, name) != came_with:
        raise _not_genuine(endpoint, "The signature's token was used before.")


def _take_answer(tx: Tx, answer: Answer, provider: str) -> Outcome:
    outcome: Outcome = "taken" if take_answer(tx, answer) else "known"
    count("inbound_mails_total", provider=provider, outcome=outcome)
    return outcome


def _endpoint(token: str, provider: str) -> tuple[Endpoint, dict[str, Any]]:
    with transaction() as tx:
        found = repository.find_endpoint(tx, token_hash(token))
    secret = provider_secret(found.secret_ref) if found is not None and found.provider == provider else None
    if found is None or secret is None:
        raise NotFound("Nothing takes reports here. Copy the URL that the provider's set-up has shown.")
    return found, secret


def _take(tx: Tx, endpoint: Endpoint, parsed: Parsed) -> Outcome:
    outcome = _outcome(tx, parsed)
    provider, key, email_id = endpoint.provider, f"event:{parsed.key}", parsed.email_id
    if not repository.add_once(tx, provider, key, type_=parsed.type, email_id=email_id, outcome=outcome):
        return "known"
    if outcome == "taken" and not _record(tx, parsed):
        outcome = "nothing_new"
        repository.set_outcome(tx, provider, key, outcome)
    count("provider_events_total", provider=provider, outcome=outcome)
    return outcome


def _record(tx: Tx, parsed: Parsed) -> bool:
    return (
        parsed.email_id is not None and parsed.report is not None and record_report(tx, parsed.email_id, parsed.report)
    )


def _outcome(tx: Tx, parsed: Parsed) -> Outcome:
    if parsed.report is None:
        return "ignored"
    if parsed.email_id is None or not repository.is_our_mail(tx, parsed.email_id):
        return "orphan"
    return "taken"


def _not_genuine(endpoint: Endpoint, detail: str) -> AuthenticationRequired:
    count("provider_events_refused_total", provider=endpoint.provider)
    logger.warning(
        "report refused that is not the provider's",
        extra={"provider": endpoint.provider, "tenant_id": str(endpoint.tenant_id)},
    )
    return AuthenticationRequired(detail)
