"""HTTP of a webhook's statistics."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.problems import problems
from webhooks import service, stats_repository
from webhooks.stats_repository import StatsRow
from webhooks.stats_schemas import CommonError, Stats, WebhookDetails, WebhookStats
from webhooks.views import webhook_values

resource = APIRouter()

Manager = Annotated[Caller, access(Scope.MANAGE_WEBHOOKS)]
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


def _stats(row: StatsRow) -> Stats:
    ended = row.success + row.failed
    return Stats(**columns_of(row), success_rate=row.success / ended if ended else None)


@resource.get("/{webhook_id}", operation_id="getWebhook", summary="Show a webhook", responses=problems(404))
async def get_webhook(webhook_id: UUID, caller: Manager) -> WebhookDetails:
    """One webhook, its health, and how it did in the last 24 hours."""
    with caller.transaction() as tx:
        row = service.existing(tx, webhook_id)
        stats = stats_repository.stats_since(tx, webhook_id, clock.now() - _DAY)
    return WebhookDetails(**webhook_values(row), last_24_hours=_stats(stats))


@resource.get(
    "/{webhook_id}/stats", operation_id="getWebhookStats", summary="Show how a webhook does", responses=problems(404)
)
async def get_stats(webhook_id: UUID, caller: Manager) -> WebhookStats:
    """Deliveries by outcome, response times, and what fails most. Test posts are not counted."""
    now = clock.now()
    with caller.transaction() as tx:
        service.existing(tx, webhook_id)
        day = stats_repository.stats_since(tx, webhook_id, now - _DAY)
        week = stats_repository.stats_since(tx, webhook_id, now - _WEEK)
        errors = stats_repository.most_common_errors(tx, webhook_id, now - _WEEK)
    return WebhookStats(
        last_24_hours=_stats(day),
        last_7_days=_stats(week),
        common_errors=[CommonError(**columns_of(error)) for error in errors],
    )
