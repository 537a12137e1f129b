"""Sends one queued mail: claim, send outside any transaction, record."""

from datetime import timedelta
from uuid import UUID

from penguinmails import clock
from penguinmails.auth.tokens import new_token, token_hash
from penguinmails.db import transaction
from penguinmails.domain.opened_servers import platform_server
from penguinmails.domain.outcomes import record_outcome
from penguinmails.domain.platform_mail import LinkPurpose, compose
from penguinmails.ids import new_uuid7
from penguinmails.logging import count, logger
from penguinmails.mime import OutgoingMail
from penguinmails.queue import Record
from penguinmails.settings import get_settings
from penguinmails.smtp import MailRefused, send
from send_platform_mail import repository
from send_platform_mail.repository import MailRow

MAX_ATTEMPTS = 6
_LINKS: dict[str, tuple[LinkPurpose, timedelta]] = {
    "verify_email": ("verify_email", timedelta(hours=24)),
    "reset_password": ("reset_password", timedelta(hours=1)),
    "staff_added": ("reset_password", timedelta(hours=24)),
}


def handle(record: Record) -> None:
    """Send the mail that a message names, unless it was sent already."""
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        mail = repository.claim(tx, UUID(record.body["mail_id"]))
        token = None
        if mail is not None and mail.invitation_id is not None:
            token = new_token()
            repository.keep_invitation_token(tx, mail.invitation_id, token_hash(token))
        elif mail is not None and mail.user_id is not None and mail.type in _LINKS:
            token = new_token()
            purpose, lifetime = _LINKS[mail.type]
            repository.insert_link_token(
                tx,
                token_id=new_uuid7(),
                user_id=mail.user_id,
                purpose=purpose,
                token_hash=token_hash(token),
                expires_at=clock.now() + lifetime,
            )
    if mail is None:
        return
    failure = _send(mail, token)
    record_outcome(lambda: _record(record, mail, failure))


def _record(record: Record, mail: MailRow, failure: MailRefused | None) -> None:
    result = "sent"
    with transaction(tenant_id=record.tenant_id, mode=record.mode) as tx:
        if failure is None:
            repository.record_sent(tx, mail.id)
        else:
            is_final = failure.is_permanent or mail.attempts >= MAX_ATTEMPTS
            repository.record_failure(
                tx, mail.id, error=failure.reason, is_final=is_final, delay_seconds=60 * 2**mail.attempts
            )
            logger.warning("platform mail not sent", extra={"mail_id": str(mail.id), "final": is_final})
            result = "failed" if is_final else "deferred"
    count("esp_messages_total", provider="smtp", type="platform", result=result)


def _send(mail: MailRow, token: str | None) -> MailRefused | None:
    text = compose(mail.type, name=mail.name, token=token, variables=mail.variables)
    outgoing = OutgoingMail(
        message_id=f"<{mail.id.hex}.{mail.attempts}@penguinmails.com>",
        sender=get_settings().mail_from,
        recipient=mail.email,
        subject=text.subject,
        text=text.text,
    )
    try:
        send(outgoing, platform_server())
    except MailRefused as refusal:
        return refusal
    return None
