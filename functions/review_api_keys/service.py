"""Finds keys that somebody should look at, and writes to whoever made them; an owner, when that person has left."""

from collections.abc import Callable
from datetime import datetime

from penguinmails import audit
from penguinmails.auth.key_format import masked
from penguinmails.db import Tx, transaction
from penguinmails.domain.platform_mail import MailType, queue_mail
from penguinmails.logging import count
from penguinmails.vault import annotate_secret, delete_secret, secret_path
from review_api_keys import repository
from review_api_keys.repository import Concern

BATCH = 100


def review() -> int:
    """One batch of each kind; how many keys were dealt with, 0 when all is in order."""
    return (
        _tell(repository.failing_keys, repository.mark_alerted, "key_alert")
        + _tell(repository.old_keys, repository.mark_age_reminded, "key_age")
        + _tell(repository.expiring_keys, repository.mark_expiry_reminded, "key_expiry")
        + _record()
    )


def _record() -> int:
    """Bring records in Vault up to date: status at once, figures of use once a day; doing it twice does no harm."""
    with transaction(role="jobs") as tx:
        keys = repository.keys_to_record(tx, BATCH)
    for key in keys:
        path = secret_path("api_keys", str(key.tenant_id), str(key.id))
        if key.is_record_removed:
            delete_secret(path)
        else:
            annotate_secret(path, key.facts)
        with transaction(tenant_id=key.tenant_id) as tx:
            repository.mark_recorded(tx, key)
    return len(keys)


def _tell(
    find: Callable[[Tx, int], list[Concern]], mark: Callable[[Tx, Concern], datetime | None], mail_type: MailType
) -> int:
    with transaction(role="jobs") as tx:
        concerns = find(tx, BATCH)
    for concern in concerns:
        with transaction(tenant_id=concern.tenant_id, mode="live") as tx:
            marked_at = mark(tx, concern)
            if marked_at is not None:
                _write(tx, concern, mail_type, marked_at)
    return len(concerns)


def _write(tx: Tx, concern: Concern, mail_type: MailType, marked_at: datetime) -> None:
    facts = {"key_name": concern.name, "masked_key": masked(concern.key_prefix, concern.key_last4), **concern.facts}
    recipient = repository.recipient_of(tx, concern.created_by)
    if recipient is not None:
        dedupe_key = f"{mail_type}:{concern.id}:{marked_at:%Y%m%dT%H%M%S%f}"
        queue_mail(tx, user_id=recipient, mail_type=mail_type, dedupe_key=dedupe_key, variables=facts)
    if mail_type == "key_alert":
        count("api_key_alerts_total")
        audit.record(
            tx,
            event="api_key_alert",
            actor_type="system",
            resource_type="api_key",
            resource_id=str(concern.id),
            severity="warning",
            details=concern.facts,
        )
