"""SQL of the planner: what it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.campaign_states import Status


@dataclass(frozen=True, slots=True)
class ChangedContact:
    """A contact whom an action has changed."""

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None


def set_status(tx: Tx, campaign_id: UUID, status: Status, plan_at: datetime | None, now: datetime) -> None:
    """Launch a scheduled campaign, or complete an active one."""
    tx.run(
        """
        UPDATE campaigns
        SET status = %(status)s, next_plan_at = %(plan_at)s,
            launched_at = CASE WHEN %(status)s = 'active' THEN %(now)s ELSE launched_at END,
            completed_at = CASE WHEN %(status)s = 'completed' THEN %(now)s::timestamptz END
        WHERE id = %(id)s
        """,
        {"id": campaign_id, "status": status, "plan_at": plan_at, "now": now},
    )


def plan_again(tx: Tx, campaign_id: UUID, at: datetime) -> None:
    """Say when the planner looks at a campaign next."""
    tx.run("UPDATE campaigns SET next_plan_at = %(at)s WHERE id = %(id)s", {"id": campaign_id, "at": at})


def note_audience(
    tx: Tx, campaign_id: UUID, *, last: tuple[datetime, UUID] | None, taken_at: datetime | None, added: int
) -> None:
    """Remember how far the audience was enrolled."""
    tx.run(
        """
        UPDATE campaigns
        SET audience_from_time = coalesce(%(time)s, audience_from_time),
            audience_from_id = coalesce(%(last_id)s, audience_from_id),
            audience_taken_at = %(taken_at)s, total_contacts = total_contacts + %(added)s
        WHERE id = %(id)s
        """,
        {
            "id": campaign_id,
            "time": last[0] if last else None,
            "last_id": last[1] if last else None,
            "taken_at": taken_at,
            "added": added,
        },
    )


def end_recipients(tx: Tx, campaign_id: UUID, *, reason: str, limit: int) -> int:
    """Let recipients leave who have no mail on its way; how many."""
    return tx.run(
        """
        UPDATE campaign_contacts r
        SET status = 'exited', reason = %(reason)s, next_email_at = NULL, finished_at = clock_timestamp()
        FROM (SELECT tenant_id, mode, contact_id FROM campaign_contacts
              WHERE campaign_id = %(id)s AND next_email_at IS NOT NULL LIMIT %(limit)s FOR UPDATE SKIP LOCKED) due
        WHERE r.tenant_id = due.tenant_id AND r.mode = due.mode AND r.contact_id = due.contact_id AND r.campaign_id = %(id)s
        """,
        {"id": campaign_id, "reason": reason, "limit": limit},
    )


def keep_content(tx: Tx, step_id: UUID, storage_key: UUID, *, text: str, html: str | None, is_variant: bool) -> None:
    """Store the text that the mails of a step share."""
    tx.run(
        """
        WITH content AS (
          INSERT INTO content_objects (storage_key, tenant_id, mode, content_text, content_html)
          VALUES (%(key)s, %(tenant_id)s, %(mode)s, %(text)s, %(html)s)
        )
        UPDATE campaign_steps
        SET content_key = CASE WHEN %(is_variant)s THEN content_key ELSE %(key)s END,
            variant_content_key = CASE WHEN %(is_variant)s THEN %(key)s ELSE variant_content_key END
        WHERE id = %(id)s
        """,
        {
            "id": step_id,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "key": storage_key,
            "text": text,
            "html": html,
            "is_variant": is_variant,
        },
    )


def begin_tests(tx: Tx, step_ids: Sequence[UUID], now: datetime) -> None:
    """Let the time of A/B tests run that have not begun."""
    tx.run(
        "UPDATE campaign_steps SET test_started_at = %(now)s WHERE id = ANY(%(ids)s::uuid[]) AND test_started_at IS NULL",
        {"ids": list(step_ids), "now": now},
    )


def set_winner(tx: Tx, step_id: UUID, winner: str) -> None:
    """End an A/B test."""
    tx.run("UPDATE campaign_steps SET winner = %(winner)s WHERE id = %(id)s", {"id": step_id, "winner": winner})


def write_moves(tx: Tx, campaign_id: UUID, moves: dict[str, list[Any]], shared: dict[str, Any]) -> None:
    """Store a batch in one statement: its mails with the first entry of their history, and where each recipient stands.

    A mail that was stored before is not stored again, and its recipient leaves with the reason `sent_before`.
    """
    tx.run(
        """
        WITH new AS (
          SELECT * FROM unnest(%(contact_ids)s::uuid[], %(statuses)s::text[], %(step_ids)s::uuid[], %(reasons)s::text[],
                               %(steps_done)s::integer[], %(due_ats)s::timestamptz[], %(email_ids)s::uuid[],
                               %(event_ids)s::uuid[], %(variants)s::text[], %(subjects)s::text[], %(addresses)s::text[],
                               %(content_keys)s::uuid[], %(sweep_ats)s::timestamptz[])
            AS n (contact_id, status, step_id, reason, steps_done, due_at, email_id, event_id, variant, subject, to_email,
                  content_key, sweep_at)
        ), mails AS (
          INSERT INTO emails (id, tenant_id, mode, campaign_id, contact_id, step_id, variant, to_email, from_email,
                              reply_to, subject, email_type, status, content_key, created_at, next_sweep_at)
          SELECT n.email_id, %(tenant_id)s, %(mode)s, %(campaign_id)s, n.contact_id, n.step_id, n.variant, n.to_email,
                 %(from_email)s, %(reply_to)s, n.subject, 'marketing', 'queued', n.content_key, %(now)s, n.sweep_at
          FROM new n WHERE n.email_id IS NOT NULL
          ON CONFLICT (tenant_id, mode, campaign_id, contact_id, step_id) WHERE step_id IS NOT NULL DO NOTHING
          RETURNING id
        ), moved AS (
          -- Looked up in what was stored; a join could be planned as a walk through all of it for each.
          SELECT n.*, CASE WHEN n.email_id IS NOT NULL THEN n.email_id IN (SELECT id FROM mails) END AS is_stored FROM new n
        ), history AS (
          INSERT INTO email_events (id, tenant_id, mode, email_id, type, occurred_at)
          SELECT n.event_id, %(tenant_id)s, %(mode)s, n.email_id, 'queued', %(now)s
          FROM moved n WHERE n.is_stored
        )
        UPDATE campaign_contacts r
        SET status = CASE WHEN NOT n.is_stored THEN 'exited' ELSE n.status END,
            reason = CASE WHEN NOT n.is_stored THEN 'sent_before' ELSE n.reason END,
            current_step_id = coalesce(n.step_id, r.current_step_id),
            steps_completed = r.steps_completed + n.steps_done,
            started_at = coalesce(r.started_at, %(now)s),
            finished_at = CASE WHEN n.status IN ('completed', 'exited') OR NOT n.is_stored THEN %(now)s::timestamptz END,
            next_email_at = n.due_at
        FROM moved n
        WHERE r.tenant_id = %(tenant_id)s AND r.mode = %(mode)s AND r.campaign_id = %(campaign_id)s
          AND r.contact_id = n.contact_id
        """,
        {**moves, **shared, "campaign_id": campaign_id, "tenant_id": tx.tenant_id, "mode": tx.mode},
    )


def add_to_list(tx: Tx, list_id: UUID, contact_ids: Sequence[UUID]) -> None:
    """Put contacts on a static list that is still there."""
    tx.run(
        """
        INSERT INTO contact_lists (tenant_id, mode, contact_id, list_id, contact_created_at)
        SELECT c.tenant_id, c.mode, c.id, l.id, c.created_at
        FROM lists l JOIN contacts c ON c.tenant_id = l.tenant_id AND c.mode = l.mode
        WHERE l.id = %(list_id)s AND l.type = 'static' AND c.id = ANY(%(ids)s::uuid[])
        ON CONFLICT DO NOTHING
        """,
        {"list_id": list_id, "ids": list(contact_ids)},
    )


def add_tag(tx: Tx, tag: str, contact_ids: Sequence[UUID]) -> list[ChangedContact]:
    """Give contacts a tag that exists; those who did not have it."""
    return tx.all(
        """
        WITH held AS (
          SELECT id FROM contacts WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR NO KEY UPDATE
        ), added AS (
          INSERT INTO contact_tags (tenant_id, mode, contact_id, tag_id, contact_created_at)
          SELECT c.tenant_id, c.mode, c.id, t.id, c.created_at
          FROM held h JOIN contacts c ON c.id = h.id JOIN tags t ON t.tenant_id = c.tenant_id AND t.mode = c.mode
          WHERE t.name = %(tag)s
          ON CONFLICT DO NOTHING
          RETURNING contact_id
        )
        UPDATE contacts c SET updated_at = clock_timestamp() FROM added a WHERE c.id = a.contact_id
        RETURNING c.id, c.email, c.first_name, c.last_name
        """,
        {"tag": tag, "ids": list(contact_ids)},
        ChangedContact,
    )


def remove_tag(tx: Tx, tag: str, contact_ids: Sequence[UUID]) -> list[ChangedContact]:
    """Take a tag off contacts; those who had it."""
    return tx.all(
        """
        WITH held AS (
          SELECT id FROM contacts WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR NO KEY UPDATE
        ), removed AS (
          DELETE FROM contact_tags ct USING tags t, held h
          WHERE t.tenant_id = ct.tenant_id AND t.mode = ct.mode AND t.id = ct.tag_id AND t.name = %(tag)s
            AND ct.contact_id = h.id
          RETURNING ct.contact_id
        )
        UPDATE contacts c SET updated_at = clock_timestamp() FROM removed r WHERE c.id = r.contact_id
        RETURNING c.id, c.email, c.first_name, c.last_name
        """,
        {"tag": tag, "ids": list(contact_ids)},
        ChangedContact,
    )
