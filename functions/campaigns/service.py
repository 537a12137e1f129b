"""The rules of drafting: a campaign's audience, sender and steps, and what of it may be changed once it runs."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from campaigns import repository, step_rows
from campaigns.repository import CampaignRow
from campaigns.step_rows import StepRow
from campaigns.steps import OrderedStep, ordered
from penguinmails.db import ForeignKeyViolation, Tx
from penguinmails.domain.campaign_states import DELETABLE, EDITABLE, LAUNCHED, refusal
from penguinmails.domain.campaign_stats import CampaignStats, campaign_stats
from penguinmails.domain.provider_accounts import OWN_SERVER, default_sender, require_taken
from penguinmails.domain.removals import cancel_waiting_emails
from penguinmails.domain.sender_domains import require_verified
from penguinmails.domain.templates import find_source
from penguinmails.errors import CampaignNotFound, Conflict, ValidationFailed
from penguinmails.ids import new_uuid7

_CANCELLED_AT_ONCE = 5_000
AUDIENCE = ("segment_id", "list_id", "workspace_id", "campaign_type")
FIELDS = (
    "name", "workspace_id", "description", "goal", "campaign_type", "segment_id", "list_id", "from_email", "from_name",
    "reply_to_email", "provider", "start_date", "end_date", "timezone", "send_strategy", "settings",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Details:
    """A campaign with its steps and counts."""

    campaign: CampaignRow
    steps: list[StepRow]
    stats: CampaignStats


def create_campaign(tx: Tx, values: dict[str, Any], created_by: UUID) -> Details:
    """Draft a campaign. Raises ValidationFailed for what does not fit together or does not exist."""
    steps = ordered(_with_templates(tx, values["steps"] or []))
    values = {**values, "workspace_id": _workspace(tx, values["workspace"]), "created_by": created_by}
    _check(tx, values)
    _check_audience(values)
    default_sender(tx, values["provider"])
    campaign_id = new_uuid7()
    with _explained(tx):
        repository.insert_campaign(tx, campaign_id, values)
    _keep_steps(tx, campaign_id, steps, present=[])
    return details(tx, existing(tx, campaign_id))


def existing(tx: Tx, campaign_id: UUID) -> CampaignRow:
    """A campaign. Raises CampaignNotFound."""
    found = repository.find_campaign(tx, campaign_id)
    if found is None:
        raise CampaignNotFound.of("campaign", campaign_id)
    return found


def hold(tx: Tx, campaign_id: UUID) -> CampaignRow:
    """A campaign that nobody else changes until the transaction ends. Raises CampaignNotFound."""
    found = repository.lock_campaign(tx, campaign_id)
    if found is None:
        raise CampaignNotFound.of("campaign", campaign_id)
    return found


def details(tx: Tx, campaign: CampaignRow) -> Details:
    """A campaign with its steps and counts."""
    return Details(campaign, step_rows.steps_of(tx, campaign.id), campaign_stats(tx, campaign.id))


def change_campaign(tx: Tx, present: CampaignRow, changes: dict[str, Any]) -> Details:
    """Change a campaign that is held.

    Raises InvalidStateTransition for a completed one, DomainNotVerified for another sender of a running one, Conflict,
    ValidationFailed.
    """
    if present.status not in EDITABLE:
        raise refusal(present.status, "it cannot be changed any more; clone it instead")
    if changes.get("workspace") is not None:
        changes = {**changes, "workspace_id": _workspace(tx, changes["workspace"])}
    values = {name: changes.get(name, getattr(present, name)) for name in FIELDS}
    _keep_audience(present, values)
    _check(tx, values)
    if set(AUDIENCE).intersection(changes):
        _check_audience(values)
    if changes.get("provider") is not None:
        default_sender(tx, values["provider"])
    sender = ("provider", "from_email")
    if present.status in {"active", "scheduled"} and any(values[name] != getattr(present, name) for name in sender):
        require_sender(tx, values["provider"], values["from_email"])
    with _explained(tx):
        repository.update_campaign(tx, present.id, values)
    if present.status == "active" and "settings" in changes:
        # Mails that waited for another window, or another day, may leave by what holds now.
        repository.resume_waiting_emails(tx, present.id)
    if changes.get("steps") is not None:
        kept = step_rows.steps_of(tx, present.id)
        _keep_steps(
            tx,
            present.id,
            ordered(_with_templates(tx, changes["steps"])),
            present=kept,
            all_stay=present.status in LAUNCHED,
        )
    return details(tx, existing(tx, present.id))


def require_sender(tx: Tx, provider: str | None, from_email: str | None) -> None:
    """Raise DomainNotVerified unless the account may send from a mailbox, by the provider; ValidationFailed without it."""
    if provider in OWN_SERVER:
        require_verified(tx, from_email, field="from_email")
    else:
        # Providers let their customers send from domains that they have verified there.
        default_sender(tx, provider)


def delete_campaign(tx: Tx, present: CampaignRow) -> None:
    """Remove a campaign that is held; mails that wait are never sent. Raises InvalidStateTransition for an active one."""
    if present.status not in DELETABLE:
        raise refusal(present.status, "pause it before you delete it")
    repository.delete_campaign(tx, present.id)
    # Those of most campaigns; what is left of a large one the job gives up, and no worker takes a mail without its campaign.
    cancel_waiting_emails(tx, present.id, _CANCELLED_AT_ONCE)


def clone_campaign(tx: Tx, present: CampaignRow, name: str | None, created_by: UUID) -> Details:
    """A draft with the same audience, sender and steps; its dates are left out, as they may have passed."""
    values = {field: getattr(present, field) for field in FIELDS}
    values |= {"name": name or f"{present.name[:248]} (copy)", "start_date": None, "end_date": None}
    campaign_id = new_uuid7()
    repository.insert_campaign(tx, campaign_id, {**values, "created_by": created_by})
    steps = step_rows.steps_of(tx, present.id)
    new_ids: dict[UUID | None, UUID | None] = {step.id: new_uuid7() for step in steps} | {None: None}
    step_rows.put_steps(tx, campaign_id, [_copied(step, new_ids) for step in steps])
    return details(tx, existing(tx, campaign_id))


def _copied(step: StepRow, new_ids: dict[UUID | None, UUID | None]) -> StepRow:
    condition = step.condition
    if condition is not None and condition["of"] is not None:
        condition = {**condition, "of": str(new_ids[UUID(condition["of"])])}
    return StepRow(
        id=new_ids[step.id] or step.id,
        step_order=step.step_order,
        name=step.name,
        step_type=step.step_type,
        subject=step.subject,
        html=step.html,
        text_body=step.text_body,
        variant=step.variant,
        winner=None,
        wait_value=step.wait_value,
        wait_unit=step.wait_unit,
        condition=condition,
        action=step.action,
        next_step_id=new_ids[step.next_step_id],
        false_next_step_id=new_ids[step.false_next_step_id],
    )


def _with_templates(tx: Tx, steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Steps with the texts of the templates that they name, where they bring none themselves."""
    return [_with_template(tx, step, place) for place, step in enumerate(steps)]


def _with_template(tx: Tx, step: dict[str, Any], place: int) -> dict[str, Any]:
    if step["template_id"] is None:
        return step
    source = find_source(tx, step["template_id"])
    if source is None:
        raise ValidationFailed.of(f"steps.{place}.template_id", "names no template of yours in this mode", "not_found")
    bodies = {"html_body": source.html_body, "text_body": source.text_body}
    has_body = step["html_body"] is not None or step["text_body"] is not None
    return {**step, "subject": step["subject"] or source.subject, **({} if has_body else bodies)}


def _workspace(tx: Tx, named: str | None) -> UUID:
    found = repository.workspaces(tx, named)
    if not found:
        raise ValidationFailed.of("workspace", "names no workspace of your account", "not_found")
    if named is None and len(found) > 1:
        raise ValidationFailed.of("workspace", "is required, as your account has more than one", "missing")
    return found[0]


def _check(tx: Tx, values: dict[str, Any]) -> None:
    if values["segment_id"] is not None and values["list_id"] is not None:
        raise ValidationFailed.of(
            "segment_id", "cannot be combined with list_id; send one of them, and null for the other"
        )
    require_taken(values["provider"], {name: values[name] for name in ("from_email", "reply_to_email")})
    start, end = values["start_date"], values["end_date"]
    if start is not None and end is not None and start >= end:
        raise ValidationFailed.of("end_date", "must lie after start_date")
    allowed = repository.max_daily_limit(tx)
    if values["settings"]["daily_limit"] > max(allowed, 10):
        raise ValidationFailed.of("settings.daily_limit", f"must be at most {allowed}, as your plan has it")


def _check_audience(values: dict[str, Any]) -> None:
    named = next((name for name in ("segment_id", "list_id") if values[name] is not None), None)
    if values["campaign_type"] == "triggered" and named is not None:
        raise ValidationFailed.of(
            named,
            "does not belong to a triggered campaign, whose recipients are enrolled with POST /campaigns/{id}/recipients",
        )


def _keep_audience(present: CampaignRow, values: dict[str, Any]) -> None:
    changed = [name for name in AUDIENCE if values[name] != getattr(present, name)]
    if changed and present.status in LAUNCHED:
        raise Conflict(
            f"The campaign has been launched, so {' and '.join(changed)} cannot be changed. "
            "Enrol further recipients with POST /campaigns/{id}/recipients, or clone it."
        )


def _keep_steps(
    tx: Tx, campaign_id: UUID, steps: Sequence[OrderedStep], *, present: list[StepRow], all_stay: bool = False
) -> None:
    known = {step.id: step for step in present}
    for step in steps:
        given = step.values["id"]
        if given is not None and given not in known:
            raise ValidationFailed.of(
                f"steps.{step.place}.id", "is of no step of this campaign; leave it out", "not_found"
            )
        if all_stay and given is not None and known[given].step_type != step.values["type"]:
            raise ValidationFailed.of(f"steps.{step.place}.type", "cannot be changed once the campaign was launched")
    ids = {step.order: step.values["id"] or new_uuid7() for step in steps}
    if len(set(ids.values())) < len(ids):
        raise ValidationFailed.of("steps", "names the id of a step twice")
    missing = [step for step in present if step.id not in set(ids.values())]
    if all_stay and missing:
        raise Conflict(
            f"The campaign has been launched, so its steps stay: send the id of step {missing[0].step_order} too. "
            "Texts may be changed and steps added."
        )
    _check_lists(tx, steps)
    step_rows.keep_only(tx, campaign_id, list(ids.values()))
    if steps:
        step_rows.put_steps(tx, campaign_id, [_row(step, ids) for step in steps])


def _check_lists(tx: Tx, steps: Sequence[OrderedStep]) -> None:
    named = {
        s.place: s.values["action"]["list_id"] for s in steps if s.values["action"] and s.values["action"]["list_id"]
    }
    found = repository.static_lists_among(tx, list(named.values())) if named else set[UUID]()
    for place, list_id in named.items():
        if list_id not in found:
            raise ValidationFailed.of(f"steps.{place}.action.list_id", "is of no static list of yours", "not_found")


def _row(step: OrderedStep, ids: dict[int, UUID]) -> StepRow:
    values = step.values
    condition, action, wait = values["condition"], values["action"], values["wait"] or {}
    if condition is not None:
        condition = {"sign": condition["sign"], "of": str(ids[condition["of"]]) if condition["of"] else None}
    if action is not None:
        action = {**action, "list_id": str(action["list_id"]) if action["list_id"] else None}
    return StepRow(
        id=ids[step.order],
        step_order=step.order,
        name=values["name"],
        step_type=values["type"],
        subject=values["subject"],
        html=values["html_body"],
        text_body=values["text_body"],
        variant=values["variant_b"],
        winner=None,
        wait_value=wait.get("value"),
        wait_unit=wait.get("unit"),
        condition=condition,
        action=action,
        next_step_id=None if step.next is None else ids[step.next],
        false_next_step_id=None if step.on_false is None else ids[step.on_false],
    )


@contextmanager
def _explained(tx: Tx) -> Generator[None]:
    try:
        with tx.savepoint():
            yield
    except ForeignKeyViolation as violation:
        field = {"campaigns_list": "list_id", "campaigns_segment": "segment_id"}.get(violation.constraint, "workspace")
        raise ValidationFailed.of(field, "names nothing in your account and mode", "not_found") from None
