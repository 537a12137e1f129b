"""Emails between the request that queues them and the worker that sends them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.domain.simulated import never_written_to
from penguinmails.domain.suppression import EVERYWHERE, SuppressionScope
from penguinmails.ids import new_uuid7

SWEEP_AFTER_SECONDS = 120
"""When the sweep takes over an email whose queue message was lost."""


def message(email_id: UUID, attempts: int) -> dict[str, Any]:
    """The queue message that asks for one attempt, the one after `attempts` others; its duplicate asks for a past one."""
    return {"email_id": email_id, "attempts": attempts}


def suppressed(tx: Tx, addresses: Sequence[str], scope: SuppressionScope = EVERYWHERE) -> set[str]:
    """Those among lower-cased addresses that must not be written to.

    They stand on a suppression list, the platform's, the account's, or that of a campaign's workspace or type, which `scope`
    names both; or they belong to a contact that opted out or bounced.
    Addresses of the simulator are never written to in live mode.
    """
    found = tx.all(
        """
        SELECT email FROM suppressed_among(%(addresses)s::text[], %(workspace_id)s, %(campaign_type)s)
        UNION
        SELECT email::text FROM contacts
        WHERE email = ANY(%(addresses)s::text[]) AND status IN ('unsubscribed', 'bounced')
        """,
        {
            "addresses": list(addresses),
            "workspace_id": scope.workspace_id,
            "campaign_type": scope.campaign_type,
        },
    )
    return set(found) | never_written_to(addresses, tx.mode)


def log_event(
    tx: Tx,
    email_ids: Sequence[UUID],
    event_type: str,
    data: dict[str, Any] | None = None,
    *,
    occurred_at: datetime | None = None,
) -> None:
    """Write what happened, just now unless `occurred_at` says when, into the history of each email."""
    tx.run(
        """
        INSERT INTO email_events (id, tenant_id, mode, email_id, type, data, occurred_at)
        SELECT new.id, %(tenant_id)s, %(mode)s, new.email_id, %(type)s, %(data)s,
               coalesce(%(occurred_at)s::timestamptz, clock_timestamp())
        FROM unnest(%(ids)s::uuid[], %(email_ids)s::uuid[]) AS new (id, email_id)
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "type": event_type,
            "data": jsonb(data or {}),
            "occurred_at": occurred_at,
            "ids": [new_uuid7() for _ in email_ids],
            "email_ids": list(email_ids),
        },
    )
