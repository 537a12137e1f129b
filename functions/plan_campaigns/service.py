"""Plans campaigns: each step takes the one that has waited longest and moves one batch of its recipients on."""

from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx, transaction
from penguinmails.domain import campaign_audience
from penguinmails.domain import sending_windows as windows
from penguinmails.domain.campaign_states import transition
from penguinmails.domain.campaign_stats import campaign_stats
from penguinmails.domain.enrolment import enrol
from penguinmails.errors import ServiceUnavailable
from penguinmails.events.catalogue import CampaignCompleted, CampaignLaunched
from penguinmails.events.emit import emit
from penguinmails.logging import count, logger
from plan_campaigns import batch, repository, writes
from plan_campaigns.repository import CampaignRow, Due

ENROLMENT_BATCH = 5_000
AT_LEAST_EVERY = timedelta(minutes=1)


def plan() -> int:
    """One campaign and one batch; 0 when no campaign is due. A campaign that fails does not keep the others waiting."""
    with transaction(role="jobs") as tx:
        due = repository.take_due_campaign(tx)
    if due is None:
        return 0
    try:
        _plan(due)
    except ServiceUnavailable:
        raise
    except batch.LimitRaced as limit:
        logger.info("campaign planned anew", extra={"campaign_id": str(due.id), "limit": str(limit)})
    except Exception:
        count("campaign_plans_failed_total")
        logger.exception("campaign not planned, tried again in two minutes", extra={"campaign_id": str(due.id)})
    return 1


def _plan(due: Due) -> None:
    with transaction(tenant_id=due.tenant_id, mode=due.mode) as tx:
        campaign = repository.lock_campaign(tx, due.id)
        if campaign is None or campaign.status not in {"scheduled", "active"}:
            return
        now = clock.now()
        if campaign.status == "scheduled":
            _arrive(tx, campaign, now)
            return
        again = _advance(tx, campaign, now)
        if again is not None:
            writes.plan_again(tx, campaign.id, again)


def _arrive(tx: Tx, campaign: CampaignRow, now: datetime) -> None:
    if campaign.start_date is not None and campaign.start_date > now:
        writes.plan_again(tx, campaign.id, campaign.start_date)
        return
    to = transition(campaign.status, "arrive", now=now)
    writes.set_status(tx, campaign.id, to.status, now, now)
    launched = CampaignLaunched(campaign_id=campaign.id, name=campaign.name, status=to.status, launched_at=now)
    emit(tx, launched, workspace_id=campaign.workspace_id)


def _advance(tx: Tx, campaign: CampaignRow, now: datetime) -> datetime | None:
    """When to go on; None when the campaign is completed."""
    if campaign.end_date is not None and campaign.end_date <= now:
        if writes.end_recipients(tx, campaign.id, reason="campaign_ended", limit=ENROLMENT_BATCH):
            return now
        return _finish_or_wait(tx, campaign, now, is_over=True)
    if campaign.audience_taken_at is None and campaign.campaign_type != "triggered":
        _enrol_some(tx, campaign, now)
        return now
    opening = windows.next_opening(campaign.settings["sending_window"], campaign.timezone, now)
    if opening > now:
        return opening
    again = batch.send_some(tx, campaign, now)
    return again if again is not None else _finish_or_wait(tx, campaign, now, is_over=False)


def _enrol_some(tx: Tx, campaign: CampaignRow, now: datetime) -> None:
    audience = campaign_audience.audience(
        tx, list_id=campaign.list_id, segment_id=campaign.segment_id, workspace_id=campaign.workspace_id
    )
    after: tuple[datetime, UUID] | None = None
    if campaign.audience_from_time is not None and campaign.audience_from_id is not None:
        after = (campaign.audience_from_time, campaign.audience_from_id)
    found, last = campaign_audience.members(tx, audience, after=after, limit=ENROLMENT_BATCH)
    added = enrol(tx, campaign.id, [contact.id for contact in found], now) if found else 0
    writes.note_audience(tx, campaign.id, last=last, taken_at=now if last is None else None, added=added)
    if last is None:
        tx.after_commit(batch.refresh_statistics)


def _finish_or_wait(tx: Tx, campaign: CampaignRow, now: datetime, *, is_over: bool) -> datetime | None:
    next_due = repository.next_due(tx, campaign.id)
    if next_due is not None:
        return min(max(next_due, now), now + AT_LEAST_EVERY)
    stays_open = campaign.campaign_type == "triggered" and not is_over
    if stays_open or repository.is_anybody_left(tx, campaign.id):
        return now + AT_LEAST_EVERY
    to = transition(campaign.status, "finish", now=now)
    writes.set_status(tx, campaign.id, to.status, None, now)
    completed = CampaignCompleted(
        campaign_id=campaign.id,
        name=campaign.name,
        status=to.status,
        completed_at=now,
        stats=asdict(campaign_stats(tx, campaign.id)),
    )
    emit(tx, completed, workspace_id=campaign.workspace_id)
    return None
