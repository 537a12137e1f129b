"""HTTP of analytics."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import StringConstraints

from analytics import repository
from analytics.questions import Asked, Question
from analytics.repository import FiguresRow
from analytics.schemas import CampaignAnalytics, ContactAnalytics, ContactMeta, EmailAnalytics, Meta
from analytics.service import series, steps, total
from analytics.views import activity_view, contact_summary_view, points_view, rates_view, steps_view, summary_view
from penguinmails import clock, ratelimit
from penguinmails.auth.scopes import Scope
from penguinmails.db import Tx
from penguinmails.errors import CampaignNotFound, NotFound, ValidationFailed
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Storable
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems

router = APIRouter(prefix="/api/v1/analytics", tags=["Analytics"])

Reader = Annotated[Caller, access(Scope.READ_ANALYTICS)]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=50), Storable]
_OVERVIEWS_PER_MINUTE = 60
_CAMPAIGNS_PER_MINUTE = 100


@router.get("/emails", operation_id="getEmailAnalytics", summary="Show figures about mails", responses=problems())
async def email_analytics(
    caller: Reader,
    asked: Asked,
    campaign_id: Annotated[UUID | None, Query(description="Only mails of this campaign, also when it is gone.")] = None,
    workspace: Annotated[Slug | None, Query(description="Only campaigns of the workspace with this slug.")] = None,
    tag: Annotated[Tag | None, Query(description="Only mails with this tag.")] = None,
) -> EmailAnalytics:
    """Counts, rates and a time series. At most one of `campaign_id`, `workspace` and `tag` can be given.

    A mail counts in the period in which the thing happened, so that an open today of a mail from last week is today's.
    60 requests per minute and account.
    """
    _limit(caller, "overview", _OVERVIEWS_PER_MINUTE)
    with caller.transaction() as tx:
        rows = _figures(tx, asked, *_slice(tx, campaign_id, workspace, tag))
    return EmailAnalytics(**_analytics(asked, rows))


@router.get(
    "/campaigns/{campaign_id}",
    operation_id="getCampaignAnalytics",
    summary="Show figures about a campaign",
    responses=problems(404),
)
async def campaign_analytics(campaign_id: UUID, caller: Reader, asked: Asked) -> CampaignAnalytics:
    """Counts, rates and a time series of one campaign, and the same by step and by version of an A/B test.

    100 requests per minute and account.
    """
    _limit(caller, "campaigns", _CAMPAIGNS_PER_MINUTE)
    with caller.transaction() as tx:
        name = repository.find_campaign(tx, campaign_id)
        if name is None:
            raise CampaignNotFound.of("campaign", campaign_id)
        rows = _figures(tx, asked, "campaign", str(campaign_id))
        known = repository.email_steps(tx, campaign_id)
    found = steps(rows, exclude_machine_opens=asked.exclude_machine_opens)
    return CampaignAnalytics(
        campaign_id=campaign_id, name=name, steps=steps_view(known, found), **_analytics(asked, rows)
    )


@router.get(
    "/contacts/{contact_id}",
    operation_id="getContactAnalytics",
    summary="Show the engagement of a contact",
    responses=problems(404),
)
async def contact_analytics(
    contact_id: UUID, caller: Reader, page: Annotated[PageRequest, paged("occurred_at")]
) -> ContactAnalytics:
    """What became of the mails to a contact, its score, and a page of what happened, newest first."""
    now = clock.now()
    with caller.transaction() as tx:
        contact = repository.find_contact(tx, contact_id)
        if contact is None:
            raise NotFound.of("contact", contact_id)
        figures = repository.contact_figures(tx, contact.email)
        rows, count = repository.list_activities(tx, page.keyset(repository.KINDS), contact.email)
    return ContactAnalytics(
        contact_id=contact.id,
        lead_score=contact.lead_score,
        summary=contact_summary_view(figures),
        rates=rates_view(figures),
        last_activity_at=figures.last_activity_at,
        last_email_opened_at=contact.last_email_opened_at,
        last_engaged_at=contact.last_engaged_at,
        last_campaign_id=contact.last_campaign_id,
        activities=page_of(page, rows, activity_view, count),
        meta=ContactMeta(last_updated=now),
    )


def _limit(caller: Caller, what: str, per_minute: int) -> None:
    """These read more than others do, so an account has a limit of its own for them; the headers tell the tighter one."""
    admitted, state = ratelimit.take(f"analytics_{what}:{caller.tenant_id}", limit=per_minute, burst=per_minute)
    present = caller.request.rate_limit
    if not admitted or present is None or state.remaining < present.remaining:
        caller.request.rate_limit = state
    if not admitted:
        raise ratelimit.refuse(state, "This endpoint")


def _slice(tx: Tx, campaign_id: UUID | None, workspace: str | None, tag: str | None) -> tuple[str, str]:
    given = {"campaign_id": campaign_id, "workspace": workspace, "tag": tag}
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise ValidationFailed.of(names[1], f"cannot be combined with {names[0]}; send one of them")
    if campaign_id is not None:
        if not repository.is_campaign(tx, campaign_id):
            raise ValidationFailed.of("campaign_id", "names no campaign of your account", "not_found")
        return "campaign", str(campaign_id)
    if tag is not None:
        return "tag", tag
    if workspace is None:
        return "all", ""
    found = repository.find_workspace(tx, workspace)
    if found is None:
        raise ValidationFailed.of("workspace", "names no workspace of your account", "not_found")
    return "workspace", str(found)


def _figures(tx: Tx, asked: Question, slice_: str, slice_key: str) -> list[FiguresRow]:
    return repository.figures(tx, asked.window.periods, slice_=slice_, slice_key=slice_key, email_type=asked.email_type)


def _analytics(asked: Question, rows: list[FiguresRow]) -> dict[str, Any]:
    """What both endpoints answer alike."""
    figures = series(rows, len(asked.window.periods.labels), exclude_machine_opens=asked.exclude_machine_opens)
    whole = total(figures)
    return {
        "summary": summary_view(whole),
        "rates": rates_view(whole),
        "time_series": points_view(asked.window.periods, figures),
        "meta": Meta(
            start_date=asked.window.days.first,
            end_date=asked.window.days.last,
            group_by=asked.window.group_by,
            timezone=asked.window.timezone,
            exclude_machine_opens=asked.exclude_machine_opens,
            last_updated=asked.window.asked_at,
        ),
    }
