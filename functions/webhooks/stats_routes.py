"""HTTP of a webhook's statistics."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.db import Tx, columns_of
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.problems import problems
from webhooks import service, stats_repository
from webhooks.quarters import QUARTER, quarter_of
from webhooks.stats_schemas import CommonError, Stats, WebhookDetails, WebhookStats
from webhooks.views import webhook_values

resource = APIRouter()

Manager = Annotated[Caller, access(Scope.MANAGE_WEBHOOKS)]
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


def _stats(tx: Tx, webhook_id: UUID, now: datetime, span: timedelta) -> Stats:
    row = stats_repository.stats_between(tx, webhook_id, quarter_of(now - span), quarter_of(now) + QUARTER)
    ended = row.success + row.failed
    return Stats(**columns_of(row), success_rate=row.success / ended if ended else None)


@resource.get("/{webhook_id}", operation_id="getWebhook", summary="Show a webhook", responses=problems(404))
async def get_webhook(webhook_id: UUID, caller: Manager) -> WebhookDetails:
    """One webhook, its health, and how it did in the last 24 hours."""
    with caller.transaction() as tx:
        row = service.existing(tx, webhook_id)
        stats = _stats(tx, webhook_id, clock.now(), _DAY)
    return WebhookDetails(**webhook_values(row), last_24_hours=stats)


@resource.get(
    "/{webhook_id}/stats", operation_id="getWebhookStats", summary="Show how a webhook does", responses=problems(404)
)
async def get_stats(webhook_id: UUID, caller: Manager) -> WebhookStats:
    """Deliveries by outcome, response times, and what fails most. Test posts are not counted.

    The figures are kept per quarter of an hour, so a span begins up to a quarter earlier.
    """
    now = clock.now()
    with caller.transaction() as tx:
        service.existing(tx, webhook_id)
        day, week = (_stats(tx, webhook_id, now, span) for span in (_DAY, _WEEK))
        errors = stats_repository.most_common_errors(tx, webhook_id, now - _WEEK)
    return WebhookStats(
        last_24_hours=day,
        last_7_days=week,
        common_errors=[CommonError(**columns_of(error)) for error in errors],
    )
