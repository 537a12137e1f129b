"""Pausing a campaign: asked for by somebody, or because what it sends from or by is lost."""

from typing import Protocol
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain.campaign_states import PausedReason, Status, transition
from penguinmails.events.catalogue import CampaignPaused
from penguinmails.events.emit import emit


class Pausable(Protocol):
    """What has to be known of a campaign."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> Status: ...
    @property
    def workspace_id(self) -> UUID | None: ...


def pause_campaign(
    tx: Tx, campaign: Pausable, *, reason: PausedReason, paused_by: UUID | None = None, detail: str | None = None
) -> None:
    """Pause a campaign that is held, or make a scheduled one a draft again. Raises InvalidStateTransition."""
    now = clock.now()
    to = transition(campaign.status, "pause", now=now)
    tx.run(
        """
        UPDATE campaigns SET status = %(status)s, next_plan_at = NULL, paused_at = %(now)s, paused_reason = %(reason)s,
                             paused_detail = %(detail)s
        WHERE id = %(id)s
        """,
        {"id": campaign.id, "status": to.status, "now": now, "reason": reason, "detail": detail},
    )
    if to.event == "paused":
        paused = CampaignPaused(
            campaign_id=campaign.id,
            name=campaign.name,
            status=to.status,
            paused_at=now,
            reason=reason,
            detail=detail,
            paused_by=paused_by,
        )
        emit(tx, paused, workspace_id=campaign.workspace_id)
