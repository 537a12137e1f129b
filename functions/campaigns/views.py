"""Campaigns as answers show them."""

from typing import Any
from uuid import UUID

from campaigns.repository import CampaignRow
from campaigns.schemas import Campaign, CampaignDetails, CampaignSettings, Stats
from campaigns.service import Details
from campaigns.step_rows import StepRow
from campaigns.step_schemas import Step
from penguinmails.db import columns_of


def campaign_view(row: CampaignRow) -> Campaign:
    """A campaign as lists show it."""
    return Campaign.model_validate(_values(row))


def details_view(details: Details) -> CampaignDetails:
    """A campaign with its steps and counts."""
    orders = {step.id: step.step_order for step in details.steps}
    return CampaignDetails.model_validate(
        {
            **_values(details.campaign),
            "steps": [_step(step, orders) for step in details.steps],
            "total_contacts": details.campaign.total_contacts,
            "stats": Stats(**columns_of(details.stats)),
        }
    )


def _values(row: CampaignRow) -> dict[str, Any]:
    return {**columns_of(row), "settings": CampaignSettings.model_validate(row.settings)}


def _step(step: StepRow, orders: dict[UUID, int]) -> Step:
    is_condition = step.condition is not None
    condition = step.condition
    if condition is not None and condition["of"] is not None:
        condition = {**condition, "of": orders[UUID(condition["of"])]}
    following = None if step.next_step_id is None else orders[step.next_step_id]
    return Step(
        id=step.id,
        order=step.step_order,
        type=step.step_type,  # pyright: ignore[reportArgumentType]
        name=step.name,
        subject=step.subject,
        html_body=step.html,
        text_body=step.text_body,
        variant_b=step.variant,
        winner=step.winner,  # pyright: ignore[reportArgumentType]
        wait=None if step.wait_value is None else {"value": step.wait_value, "unit": step.wait_unit},
        condition=condition,
        action=step.action,
        next=None if is_condition else following,
        on_true=following if is_condition else None,
        on_false=None if step.false_next_step_id is None else orders[step.false_next_step_id],
    )
