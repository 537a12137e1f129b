"""The pace that a webhook asked for: posts above it wait in PostgreSQL, and one message comes back for all of them."""

from collections.abc import Mapping
from uuid import UUID

from dispatch_webhooks import repository
from dispatch_webhooks.repository import Claim
from penguinmails import ratelimit
from penguinmails.db import Tx
from penguinmails.domain.deliveries import wake_up
from penguinmails.events.outbox import send_after_commit


def come_back(tx: Tx, webhooks: Mapping[UUID, int]) -> None:
    """Have one worker come back to each webhook when it takes posts again; what waits for that is parked.

    In a transaction of its own: one that counts failures has locked other webhooks already.
    """
    for webhook_id in sorted(webhooks):
        if repository.pace(tx, webhook_id, webhooks[webhook_id]):
            send_after_commit(tx, "deliveries", [wake_up()], delay_seconds=webhooks[webhook_id])


def seconds_to_wait(claim: Claim) -> int:
    """How long the pace that the webhook asked for makes a post wait; 0 for one that may go out now.

    While others wait for their turn, one that has just come waits behind them.
    """
    if claim.max_per_second is None:
        return 0
    if claim.is_paced:
        return 1
    name = f"webhook:{claim.webhook_id}"
    admitted, state = ratelimit.take(name, limit=60 * claim.max_per_second, burst=claim.max_per_second)
    return 0 if admitted else state.retry_after
