"""SQL of steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from penguinmails.db import Tx, jsonb


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step as it is kept; links are ids."""

    id: UUID
    step_order: int
    name: str | None
    step_type: str
    subject: str | None
    html: str | None
    text_body: str | None
    variant: dict[str, Any] | None
    winner: str | None
    wait_value: int | None
    wait_unit: str | None
    condition: dict[str, Any] | None
    action: dict[str, Any] | None
    next_step_id: UUID | None
    false_next_step_id: UUID | None


def steps_of(tx: Tx, campaign_id: UUID) -> list[StepRow]:
    """The steps of a campaign in their order."""
    return tx.all(
        """
        SELECT id, step_order, name, step_type, subject, html, text_body, variant, winner, wait_value, wait_unit, condition,
               action, next_step_id, false_next_step_id
        FROM campaign_steps WHERE campaign_id = %(id)s ORDER BY step_order
        """,
        {"id": campaign_id},
        StepRow,
    )


def keep_only(tx: Tx, campaign_id: UUID, step_ids: Sequence[UUID]) -> None:
    """Remove all other steps."""
    tx.run(
        "DELETE FROM campaign_steps WHERE campaign_id = %(id)s AND NOT id = ANY(%(kept)s::uuid[])",
        {"id": campaign_id, "kept": list(step_ids)},
    )


def put_steps(tx: Tx, campaign_id: UUID, steps: Sequence[StepRow]) -> None:
    """Add steps, or change those that are there. A step whose text has changed gets a new content with its next mail."""
    tx.run(
        """
        INSERT INTO campaign_steps AS s (
          id, tenant_id, mode, campaign_id, step_order, name, step_type, subject, html, text_body, variant, wait_value,
          wait_unit, condition, action, next_step_id, false_next_step_id)
        SELECT n.id, %(tenant_id)s, %(mode)s, %(campaign_id)s, n.step_order, n.name, n.step_type, n.subject, n.html,
               n.text_body, n.variant, n.wait_value, n.wait_unit, n.condition, n.action, n.next_step_id,
               n.false_next_step_id
        FROM unnest(%(ids)s::uuid[], %(orders)s::integer[], %(names)s::text[], %(types)s::text[], %(subjects)s::text[],
                    %(htmls)s::text[], %(texts)s::text[], %(variants)s::jsonb[], %(wait_values)s::integer[],
                    %(wait_units)s::text[], %(conditions)s::jsonb[], %(actions)s::jsonb[], %(nexts)s::uuid[],
                    %(false_nexts)s::uuid[])
             AS n (id, step_order, name, step_type, subject, html, text_body, variant, wait_value, wait_unit, condition,
                   action, next_step_id, false_next_step_id)
        ON CONFLICT (id) DO UPDATE
        SET step_order = excluded.step_order, name = excluded.name, step_type = excluded.step_type,
            subject = excluded.subject, html = excluded.html, text_body = excluded.text_body, variant = excluded.variant,
            wait_value = excluded.wait_value, wait_unit = excluded.wait_unit, condition = excluded.condition,
            action = excluded.action, next_step_id = excluded.next_step_id,
            false_next_step_id = excluded.false_next_step_id,
            content_key = CASE WHEN (s.html, s.text_body) IS NOT DISTINCT FROM (excluded.html, excluded.text_body)
                               THEN s.content_key END,
            variant_content_key = CASE WHEN (s.html, s.text_body, s.variant)
                                            IS NOT DISTINCT FROM (excluded.html, excluded.text_body, excluded.variant)
                                       THEN s.variant_content_key END,
            winner = CASE WHEN s.variant IS NOT DISTINCT FROM excluded.variant THEN s.winner END,
            test_started_at = CASE WHEN s.variant IS NOT DISTINCT FROM excluded.variant THEN s.test_started_at END
        WHERE s.campaign_id = excluded.campaign_id
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "campaign_id": campaign_id,
            "ids": [step.id for step in steps],
            "orders": [step.step_order for step in steps],
            "names": [step.name for step in steps],
            "types": [step.step_type for step in steps],
            "subjects": [step.subject for step in steps],
            "htmls": [step.html for step in steps],
            "texts": [step.text_body for step in steps],
            "variants": [None if step.variant is None else jsonb(step.variant) for step in steps],
            "wait_values": [step.wait_value for step in steps],
            "wait_units": [step.wait_unit for step in steps],
            "conditions": [None if step.condition is None else jsonb(step.condition) for step in steps],
            "actions": [None if step.action is None else jsonb(step.action) for step in steps],
            "nexts": [step.next_step_id for step in steps],
            "false_nexts": [step.false_next_step_id for step in steps],
        },
    )
