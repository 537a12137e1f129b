"""Starting and resuming: what must hold before, and what is told after."""

from campaigns import recipient_rows, repository, service, step_rows
from campaigns.repository import CampaignRow
from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain import campaign_audience, send_quota
from penguinmails.domain.campaign_states import transition
from penguinmails.domain.provider_accounts import require_taken
from penguinmails.domain.sender_identity import require_postal_address
from penguinmails.errors import Conflict, NoRecipients, QuotaExceeded
from penguinmails.events.catalogue import CampaignLaunched
from penguinmails.events.emit import emit


def start(tx: Tx, present: CampaignRow) -> None:
    """Launch, schedule or resume a campaign that is held.

    Raises InvalidStateTransition, NoRecipients, QuotaExceeded, PostalAddressMissing, DomainNotVerified, ValidationFailed
    without the account of its provider, and Conflict without an email to send.
    """
    now = clock.now()
    to = transition(present.status, "start", now=now, start_date=present.start_date)
    _require_steps(tx, present)
    if present.send_strategy == "scheduled" and present.start_date is None:
        raise Conflict(
            "The campaign's send_strategy is scheduled. Set a start_date, or another strategy, then start it."
        )
    require_postal_address(tx)
    service.require_sender(tx, present.provider, present.from_email)
    require_taken(present.provider, {"from_email": present.from_email, "reply_to_email": present.reply_to_email})
    if present.status == "draft":
        _require_recipients(tx, present)
    _require_quota(tx)
    if present.end_date is not None and present.end_date <= now:
        raise Conflict("The campaign's end_date has passed. Set another, or null, and start it again.")
    plan_at = present.start_date if to.status == "scheduled" else now
    repository.set_status(tx, present.id, to.status, plan_at=plan_at, launched=to.event == "launched")
    if present.status == "paused":
        repository.resume_waiting_emails(tx, present.id)
    if to.event == "launched":
        launched = CampaignLaunched(campaign_id=present.id, name=present.name, status=to.status, launched_at=now)
        emit(tx, launched, workspace_id=present.workspace_id)


def _require_steps(tx: Tx, present: CampaignRow) -> None:
    emails = [step for step in step_rows.steps_of(tx, present.id) if step.step_type == "email"]
    if not emails:
        raise Conflict("The campaign has no email to send. Add a step of type email, then start it.")
    if present.campaign_type == "ab_test" and not any(step.variant for step in emails):
        raise Conflict("The campaign is an ab_test without a second version. Give an email a variant_b, then start it.")


def _require_recipients(tx: Tx, present: CampaignRow) -> None:
    if present.campaign_type == "triggered" or recipient_rows.any_enrolled(tx, present.id):
        return
    audience = campaign_audience.audience(
        tx, list_id=present.list_id, segment_id=present.segment_id, workspace_id=present.workspace_id
    )
    if campaign_audience.is_empty(tx, audience):
        raise NoRecipients(
            "The campaign's audience holds no contact. Choose another list, segment or workspace, or add contacts to it."
        )


def _require_quota(tx: Tx) -> None:
    if tx.mode == "test":
        return
    limit = send_quota.monthly_limit(tx)
    if limit is not None and send_quota.sent_this_month(tx) >= limit:
        raise QuotaExceeded(
            f"The plan sends {limit} emails per calendar month (UTC), and all are used. Choose a larger plan, or start "
            "the campaign next month."
        )
