"""SQL of the planner: what it reads. Everything is read and written for a batch of recipients, never for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from penguinmails.db import Mode, Tx
from penguinmails.domain.campaign_states import Status

LEASE_SECONDS = 120
"""When another planner takes a campaign over whose planner died."""


@dataclass(frozen=True, slots=True)
class Due:
    """A campaign that is to be planned now."""

    id: UUID
    tenant_id: UUID
    mode: Mode


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """What the planner must know of a campaign."""

    id: UUID
    name: str
    workspace_id: UUID
    campaign_type: str
    status: Status
    segment_id: UUID | None
    list_id: UUID | None
    from_email: str | None
    from_name: str | None
    reply_to_email: str | None
    provider: str | None
    default_sender: str | None
    start_date: datetime | None
    end_date: datetime | None
    timezone: str
    send_strategy: str
    settings: dict[str, Any]
    audience_from_time: datetime | None
    audience_from_id: UUID | None
    audience_taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step."""

    id: UUID
    step_type: str
    subject: str | None
    html: str | None
    text_body: str | None
    variant: dict[str, Any] | None
    content_key: UUID | None
    variant_content_key: UUID | None
    test_started_at: datetime | None
    winner: str | None
    wait_value: int | None
    wait_unit: str | None
    condition: dict[str, Any] | None
    action: dict[str, Any] | None
    next_step_id: UUID | None
    false_next_step_id: UUID | None

    def content_of(self, variant: str) -> UUID | None:
        """The stored content of a version."""
        return self.variant_content_key if variant == "b" else self.content_key


@dataclass(frozen=True, slots=True)
class DueRow:
    """A recipient whose turn it is, with the contact's fields."""

    contact_id: UUID
    current_step_id: UUID | None
    due_at: datetime
    waited_for: str | None
    """Why they waited until now, as the ledger's code."""
    last_opened_at: datetime | None
    contact_status: str
    email: str
    first_name: str | None
    last_name: str | None
    company: str | None
    job_title: str | None
    phone: str | None
    city: str | None
    state: str | None
    country: str | None
    lead_source: str | None
    external_id: str | None
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SignRow:
    """What a recipient did with one mail of the campaign."""

    contact_id: UUID
    step_id: UUID
    opened: bool
    clicked: bool
    replied: bool


@dataclass(frozen=True, slots=True)
class RoomRow:
    """What the tenant's limits leave at this moment; None is unlimited."""

    rate_per_second: int
    monthly_limit: int | None
    used_this_month: int
    planned_today: int
    free_from: datetime | None


def take_due_campaign(tx: Tx) -> Due | None:
    """The campaign, of any tenant that may send, that has waited longest; it is not taken again for two minutes."""
    return tx.one(
        """
        UPDATE campaigns SET next_plan_at = clock_timestamp() + make_interval(secs => %(lease)s)
        WHERE id = (SELECT id FROM campaigns c WHERE next_plan_at <= clock_timestamp()
                      AND EXISTS (SELECT FROM tenants t WHERE t.id = c.tenant_id AND t.status = 'active')
                    ORDER BY next_plan_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, tenant_id, mode
        """,
        {"lease": LEASE_SECONDS},
        Due,
    )


def lock_campaign(tx: Tx, campaign_id: UUID) -> CampaignRow | None:
    """A campaign, locked: who pauses it waits for the batch at hand, and then no other one follows."""
    return tx.one(
        """
        SELECT id, name, workspace_id, campaign_type, status, segment_id, list_id, from_email, from_name, reply_to_email,
               provider,
               (SELECT a.settings ->> 'default_sender' FROM provider_accounts a WHERE a.provider = campaigns.provider)
                 AS default_sender,
               start_date, end_date, timezone, send_strategy, settings, audience_from_time, audience_from_id, audience_taken_at
        FROM campaigns WHERE id = %(id)s FOR UPDATE
        """,
        {"id": campaign_id},
        CampaignRow,
    )


def steps_of(tx: Tx, campaign_id: UUID) -> list[StepRow]:
    """The steps in their order. Contents of a year ago are left out, so that no mail outlives the one that it shares."""
    return tx.all(
        """
        SELECT id, step_type, subject, html, text_body, variant,
               (SELECT storage_key FROM content_objects o
                WHERE o.storage_key = s.content_key AND o.created_at > now() - interval '12 months') AS content_key,
               (SELECT storage_key FROM content_objects o
                WHERE o.storage_key = s.variant_content_key AND o.created_at > now() - interval '12 months')
                 AS variant_content_key,
               test_started_at, winner, wait_value, wait_unit, condition, action, next_step_id, false_next_step_id
        FROM campaign_steps s WHERE campaign_id = %(id)s ORDER BY step_order
        """,
        {"id": campaign_id},
        StepRow,
    )


def room(tx: Tx, *, mailbox: str, day: date) -> RoomRow:
    """What the plan, the month and the mailbox's day leave."""
    row = tx.one(
        """
        SELECT l.send_rate_per_second AS rate_per_second, l.max_emails_per_month AS monthly_limit,
               coalesce((SELECT value FROM usage_counters
                         WHERE metric = 'emails'
                           AND period_start = date_trunc('month', now() AT TIME ZONE 'UTC')::date), 0) AS used_this_month,
               coalesce((SELECT planned FROM mailbox_days WHERE mailbox = %(mailbox)s AND day = %(day)s), 0) AS planned_today,
               (SELECT free_from FROM send_paces) AS free_from
        FROM tenant_limits l WHERE l.tenant_id = %(tenant_id)s
        """,
        {"tenant_id": tx.tenant_id, "mailbox": mailbox, "day": day},
        RoomRow,
    )
    return row or RoomRow(0, 0, 0, 0, None)


def lock_due(tx: Tx, campaign_id: UUID, *, now: datetime, limit: int) -> list[DueRow]:
    """Recipients whose turn it is, who wait longest first; those that another planner holds are left to it."""
    return tx.all(
        """
        SELECT r.contact_id, r.current_step_id, r.next_email_at AS due_at, r.reason AS waited_for,
               c.last_email_opened_at AS last_opened_at, c.status AS contact_status, c.email,
               c.first_name, c.last_name, c.company, c.job_title, c.phone, c.city, c.state, c.country, c.lead_source,
               c.external_id, c.attributes
        FROM campaign_contacts r
        JOIN contacts c ON c.tenant_id = r.tenant_id AND c.mode = r.mode AND c.id = r.contact_id
        WHERE r.campaign_id = %(id)s AND r.next_email_at <= %(now)s
        ORDER BY r.next_email_at, r.contact_id
        LIMIT %(limit)s
        FOR UPDATE OF r SKIP LOCKED
        """,
        {"id": campaign_id, "now": now, "limit": limit},
        DueRow,
    )


def signs(tx: Tx, campaign_id: UUID, contact_ids: Sequence[UUID]) -> list[SignRow]:
    """What recipients did with the mails that they got from a campaign."""
    return tx.all(
        """
        SELECT e.contact_id, e.step_id, e.opens > 0 AS opened, e.clicks > 0 AS clicked,
               EXISTS (SELECT 1 FROM email_events v
                       WHERE v.tenant_id = e.tenant_id AND v.mode = e.mode AND v.email_id = e.id
                         AND v.type = 'replied') AS replied
        FROM emails e
        WHERE e.campaign_id = %(id)s AND e.contact_id = ANY(%(contact_ids)s::uuid[]) AND e.step_id IS NOT NULL
        """,
        {"id": campaign_id, "contact_ids": list(contact_ids)},
        SignRow,
    )


def next_due(tx: Tx, campaign_id: UUID) -> datetime | None:
    """When the next recipient's turn comes; None when all are at the end or have a mail on its way."""
    return tx.one(
        "SELECT min(next_email_at) FROM campaign_contacts WHERE campaign_id = %(id)s AND next_email_at IS NOT NULL",
        {"id": campaign_id},
    )


def is_anybody_left(tx: Tx, campaign_id: UUID) -> bool:
    """Whether some recipient has not come to the end."""
    return tx.one(
        """
        SELECT EXISTS (SELECT 1 FROM campaign_contacts WHERE campaign_id = %(id)s AND status = 'enrolled')
            OR EXISTS (SELECT 1 FROM campaign_contacts WHERE campaign_id = %(id)s AND status = 'active')
        """,
        {"id": campaign_id},
    )


def better_variant(tx: Tx, step_id: UUID, *, by_clicks: bool) -> str:
    """The version that was opened (or clicked) more often per mail sent; the first one when they are equal."""
    return tx.one(
        """
        SELECT CASE WHEN coalesce(max(score) FILTER (WHERE variant = 'b'), 0)
                       > coalesce(max(score) FILTER (WHERE variant = 'a'), 0) THEN 'b' ELSE 'a' END
        FROM (SELECT variant, (CASE WHEN %(by_clicks)s THEN clicked ELSE opened END)::numeric / sent AS score
              FROM campaign_stats WHERE step_id = %(id)s AND sent > 0) s
        """,
        {"id": step_id, "by_clicks": by_clicks},
    )


def refresh_statistics(tx: Tx) -> None:
    """Have the database look at how its tables are filled now, as it would do by itself within minutes.

    Until then it takes the campaign that has just been filled for empty, and reads all of it for each batch.
    """
    tx.run("ANALYZE campaign_contacts, emails", {})
