"""Suppressing addresses: the one place that adds to the tenant's list. Whether one is suppressed says `domain.emails`."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.ids import new_uuid7

Reason = Literal["user_request", "spam_complaint", "hard_bounce", "soft_bounces", "manual"]


def suppress(tx: Tx, emails: Sequence[str], *, reason: Reason, source: str, added_by: UUID | None = None) -> set[str]:
    """Keep lower-case addresses from being written to; those that were not on the tenant's list before."""
    wanted = sorted(set(emails))
    added = tx.all(
        """
        INSERT INTO suppression_list (id, tenant_id, mode, email, reason, source, added_by)
        SELECT new.id, %(tenant_id)s, %(mode)s, new.email, %(reason)s, %(source)s, %(added_by)s
        FROM unnest(%(ids)s::uuid[], %(emails)s::text[]) AS new (id, email)
        ON CONFLICT DO NOTHING
        RETURNING email::text
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "ids": [new_uuid7() for _ in wanted],
            "emails": wanted,
            "reason": reason,
            "source": source,
            "added_by": added_by,
        },
    )
    return set(added)
