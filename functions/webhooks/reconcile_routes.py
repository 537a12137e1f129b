"""HTTP of the question whether everything arrived."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from penguinmails.auth.scopes import Scope
from penguinmails.errors import ValidationFailed
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Moment
from penguinmails.http.pages import PageRequest, continued, make_cursor
from penguinmails.http.problems import problems
from penguinmails.ids import event_public_id
from webhooks import reconcile_service, service
from webhooks.reconcile_schemas import Gap, Reconciliation

resource = APIRouter()

Manager = Annotated[Caller, access(Scope.MANAGE_WEBHOOKS)]


@resource.get(
    "/{webhook_id}/reconcile",
    operation_id="reconcileWebhook",
    summary="Check whether everything arrived",
    responses=problems(404),
)
async def reconcile(
    webhook_id: UUID,
    caller: Manager,
    page: Annotated[PageRequest, continued("gaps", reconcile_service.MOST_GAPS)],
    start: Annotated[
        Moment | None, Query(alias="from", description="Events from this moment on; a day before `to` when absent.")
    ] = None,
    end: Annotated[
        Moment | None, Query(alias="to", description="Events before this moment; now when absent or later.")
    ] = None,
) -> Reconciliation:
    """Every event of a span of up to 31 days, counted by what became of it, and the ids of those that did not arrive.

    The span is widened to whole quarters of an hour; `start` and `end` say to what.
    """
    if page.after is not None and (start is None or end is None):
        raise ValidationFailed.of("cursor", "takes from and to along: start and end of the page that it came with")
    with caller.transaction() as tx:
        webhook = service.existing(tx, webhook_id)
        account = reconcile_service.reconcile(tx, webhook, start, end, page.after)
    goes_on_at = account.next_position
    return Reconciliation(
        start=account.start,
        end=account.end,
        **account.counts,
        is_exact=account.is_exact,
        first_sequence=account.first_sequence,
        last_sequence=account.last_sequence,
        missing=sum(gap.state == "missing" for gap in account.gaps),
        gaps=[
            Gap(
                event_id=event_public_id(gap.event_id),
                type=gap.type,
                created_at=gap.created_at,
                sequence=gap.sequence,
                state=gap.state,
            )
            for gap in account.gaps
        ],
        more_gaps=goes_on_at is not None,
        next_cursor=None if goes_on_at is None else make_cursor(page.sort_by, page.order, *goes_on_at),
    )
