"""HTTP of replays: stored events are sent to a webhook again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from webhooks import replay_repository, replay_service, service
from webhooks.replay_repository import ReplayRow
from webhooks.replay_schemas import NewReplay, Replay, ReplayCount

resource = APIRouter(tags=["Webhooks"])

Manager = Annotated[Caller, access(Scope.MANAGE_WEBHOOKS)]


def _view(row: ReplayRow) -> Replay:
    return Replay.model_validate(columns_of(row))


@resource.post(
    "/{webhook_id}/replay",
    operation_id="replayWebhook",
    summary="Send events again",
    status_code=202,
    response_model=Replay,
    responses={**problems(404, 409), 200: {"model": ReplayCount, "description": "With `dry_run`."}},
)
async def replay(webhook_id: UUID, body: NewReplay, caller: Manager) -> Response:
    """Send stored events of up to 30 days to a webhook again, 100,000 at most, paced.

    The posts have the ids of the events, delivery ids of their own, and say `X-PenguinMails-Replay: true`. They are retried as
    others are. One replay of a webhook runs at a time. `dry_run` counts and sends nothing.
    """
    with caller.work() as work:
        webhook = service.existing(work.tx, webhook_id, lock=not body.dry_run)
        wanted = replay_service.selection(
            webhook,
            start=body.from_,
            end=body.to,
            event_types=body.event_types,
            event_filters=body.event_filters,
            only_undelivered=body.only_undelivered,
        )
        # What is posted leaves the platform, so it takes the scopes that subscribing takes.
        service.check_event_types(list(wanted.event_types), caller.scopes)
        if body.dry_run:
            return work.answer(200, ReplayCount(total=replay_service.count(work.tx, wanted)))
        row = replay_service.begin(work.tx, webhook, wanted, per_second=body.per_second, created_by=caller.principal.id)
        caller.audit(
            work.tx, "webhook_replay_started", resource_type="webhook", resource_id=str(webhook_id),
            details={"replay_id": str(row.id), "events": row.total},
        )  # fmt: skip
        return work.answer(202, _view(row))


@resource.get(
    "/{webhook_id}/replay",
    operation_id="listWebhookReplays",
    summary="List a webhook's replays",
    responses=problems(404),
)
async def list_replays(
    webhook_id: UUID, caller: Manager, page: Annotated[PageRequest, paged("created_at")]
) -> Page[Replay]:
    """What was sent again, and what came of it."""
    with caller.transaction() as tx:
        service.existing(tx, webhook_id)
        rows, total = replay_repository.list_replays(tx, webhook_id, page.keyset(replay_repository.KINDS))
    return page_of(page, rows, _view, total)


@resource.get(
    "/{webhook_id}/replay/{replay_id}",
    operation_id="getWebhookReplay",
    summary="Show a replay",
    responses=problems(404),
)
async def get_replay(webhook_id: UUID, replay_id: UUID, caller: Manager) -> Replay:
    """How far a replay is, and what became of its deliveries."""
    with caller.transaction() as tx:
        service.existing(tx, webhook_id)
        return _view(replay_service.existing(tx, webhook_id, replay_id))


@resource.post(
    "/{webhook_id}/replay/{replay_id}/cancel",
    operation_id="cancelWebhookReplay",
    summary="Stop a replay",
    response_model=Replay,
    responses=problems(404, 409),
)
async def cancel_replay(webhook_id: UUID, replay_id: UUID, caller: Manager) -> Response:
    """Send nothing more. What was not posted yet is given up; what was posted and failed is still tried again."""
    with caller.work() as work:
        service.existing(work.tx, webhook_id)
        row = replay_service.cancel(work.tx, webhook_id, replay_id)
        caller.audit(
            work.tx, "webhook_replay_cancelled", resource_type="webhook", resource_id=str(webhook_id),
            details={"replay_id": str(replay_id)},
        )  # fmt: skip
        return work.answer(200, _view(row))
