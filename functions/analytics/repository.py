"""SQL of analytics."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from analytics.periods import Periods
from penguinmails.db import Tx
from penguinmails.keyset import Conditions, Keyset, select_page

KINDS = {"occurred_at": "time"}
_COLUMNS: dict[str, LiteralString] = {"occurred_at": "v.occurred_at"}
ACTIVITIES = ("sent", "delivered", "bounced", "opened", "clicked", "replied", "complained", "unsubscribed")


@dataclass(frozen=True, slots=True)
class FiguresRow:
    """Numbers of mails; of opens and clicks also how often. `*_by_any` count machines' too.

    One row per period (`period` from 0 on), and one per step and version; the other is None.
    """

    period: int | None
    step_id: UUID | None
    variant: str | None
    sent: int
    delivered: int
    bounced: int
    opened: int
    opened_by_any: int
    clicked: int
    clicked_by_any: int
    replied: int
    complained: int
    unsubscribed: int
    opens: int
    clicks: int
    machine_opens: int
    machine_clicks: int


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step of a campaign that sends mails."""

    id: UUID
    step_order: int
    name: str | None
    subject: str | None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """What is kept about a contact's interest."""

    id: UUID
    email: str
    lead_score: int
    last_email_opened_at: datetime | None
    last_engaged_at: datetime | None
    last_campaign_id: UUID | None


@dataclass(frozen=True, slots=True)
class ContactFigures:
    """Numbers of mails to a contact, and of what it did; people's opens and clicks alone."""

    sent: int
    delivered: int
    bounced: int
    opened: int
    clicked: int
    replied: int
    complained: int
    unsubscribed: int
    opens: int
    clicks: int
    last_activity_at: datetime | None


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """One thing that happened with a mail to a contact."""

    id: UUID
    type: str
    occurred_at: datetime
    email_id: UUID
    subject: str
    campaign_id: UUID | None
    campaign_name: str | None
    is_machine: bool


def figures(tx: Tx, periods: Periods, *, slice_: str, slice_key: str, email_type: str | None) -> list[FiguresRow]:
    """The figures of each period and of each step and version, those with any; in one snapshot, so nothing counts twice."""
    return tx.all(
        """
        WITH found AS (
          SELECT starts_at, step_id, variant, sent, delivered, bounced, opened, opened_by_any, clicked, clicked_by_any,
                 replied, complained, unsubscribed, opens, clicks, machine_opens, machine_clicks
          FROM email_rollups
          WHERE slice = %(slice)s AND slice_key = %(key)s AND grain = %(grain)s
            AND starts_at >= %(begins)s AND starts_at < %(ends)s
            AND (%(email_type)s::text IS NULL OR email_type = %(email_type)s)
          UNION ALL
          SELECT starts_at, step_id, variant, sent, delivered, bounced, opened, opened_by_any, clicked, clicked_by_any,
                 replied, complained, unsubscribed, opens, clicks, machine_opens, machine_clicks
          FROM email_figure_changes
          WHERE slice = %(slice)s AND slice_key = %(key)s
            AND starts_at >= %(begins)s AND starts_at < %(ends)s
            AND (%(email_type)s::text IS NULL OR email_type = %(email_type)s)
        ), placed AS (
          SELECT width_bucket(f.starts_at, %(edges)s::timestamptz[]) - 1 AS period, f.* FROM found f
        )
        SELECT period, CASE WHEN grouping(step_id) = 0 THEN step_id END AS step_id,
               CASE WHEN grouping(variant) = 0 THEN variant END AS variant,
               sum(sent)::bigint AS sent, sum(delivered)::bigint AS delivered, sum(bounced)::bigint AS bounced,
               sum(opened)::bigint AS opened, sum(opened_by_any)::bigint AS opened_by_any,
               sum(clicked)::bigint AS clicked, sum(clicked_by_any)::bigint AS clicked_by_any,
               sum(replied)::bigint AS replied, sum(complained)::bigint AS complained,
               sum(unsubscribed)::bigint AS unsubscribed, sum(opens)::bigint AS opens, sum(clicks)::bigint AS clicks,
               sum(machine_opens)::bigint AS machine_opens, sum(machine_clicks)::bigint AS machine_clicks
        FROM placed GROUP BY GROUPING SETS ((period), (step_id, variant))
        """,
        {
            "slice": slice_,
            "key": slice_key,
            "grain": periods.grain,
            "begins": periods.edges[0],
            "ends": periods.edges[-1],
            "edges": periods.edges,
            "email_type": email_type,
        },
        FiguresRow,
    )


def find_workspace(tx: Tx, slug: str) -> UUID | None:
    """The workspace with a slug."""
    return tx.one("SELECT id FROM workspaces WHERE slug = %(slug)s", {"slug": slug})


def is_campaign(tx: Tx, campaign_id: UUID) -> bool:
    """Whether there is such a campaign, or was one that sent mails."""
    return tx.one(
        """
        SELECT EXISTS (SELECT FROM campaigns WHERE id = %(id)s)
            OR EXISTS (SELECT FROM email_rollups WHERE slice = 'campaign' AND slice_key = %(key)s)
            OR EXISTS (SELECT FROM email_figure_changes WHERE slice = 'campaign' AND slice_key = %(key)s)
        """,
        {"id": campaign_id, "key": str(campaign_id)},
    )


def find_campaign(tx: Tx, campaign_id: UUID) -> str | None:
    """The name of a campaign."""
    return tx.one("SELECT name FROM campaigns WHERE id = %(id)s", {"id": campaign_id})


def email_steps(tx: Tx, campaign_id: UUID) -> list[StepRow]:
    """The steps of a campaign that send mails, in their order."""
    return tx.all(
        """
        SELECT id, step_order, name, subject FROM campaign_steps
        WHERE campaign_id = %(id)s AND step_type = 'email' ORDER BY step_order
        """,
        {"id": campaign_id},
        StepRow,
    )


def find_contact(tx: Tx, contact_id: UUID) -> ContactRow | None:
    """A contact."""
    return tx.one(
        """
        SELECT id, email, lead_score, last_email_opened_at, last_engaged_at, last_campaign_id
        FROM contacts WHERE id = %(id)s
        """,
        {"id": contact_id},
        ContactRow,
    )


def contact_figures(tx: Tx, email: str) -> ContactFigures:
    """What became of all mails to an address, by their histories as the roll-ups count them."""
    (found,) = tx.all(
        """
        WITH mails AS (
          SELECT count(*) FILTER (WHERE v.type IN ('sent', 'delivered', 'bounced')) > 0 AS sent,
                 count(*) FILTER (WHERE v.type = 'delivered'
                                  OR (v.type = 'sent' AND e.provider NOT IN ('postmark', 'mailgun'))) > 0 AS arrived,
                 count(*) FILTER (WHERE v.type = 'bounced') > 0 AS bounced,
                 count(*) FILTER (WHERE v.type = 'opened' AND NOT v.data ? 'is_machine') AS opens,
                 count(*) FILTER (WHERE v.type = 'clicked' AND NOT v.data ? 'is_machine') AS clicks,
                 count(*) FILTER (WHERE v.type = 'replied') > 0 AS replied,
                 count(*) FILTER (WHERE v.type = 'complained') > 0 AS complained,
                 count(*) FILTER (WHERE v.type = 'unsubscribed') > 0 AS unsubscribed,
                 max(v.occurred_at) FILTER (WHERE v.type <> 'queued') AS last_at
          FROM emails e
          JOIN email_events v ON v.tenant_id = e.tenant_id AND v.mode = e.mode AND v.email_id = e.id
          WHERE e.to_email = %(email)s AND NOT v.data ? 'will_retry'
          GROUP BY e.id
        )
        SELECT count(*) FILTER (WHERE sent) AS sent, count(*) FILTER (WHERE arrived AND NOT bounced) AS delivered,
               count(*) FILTER (WHERE bounced) AS bounced, count(*) FILTER (WHERE opens > 0) AS opened,
               count(*) FILTER (WHERE clicks > 0) AS clicked, count(*) FILTER (WHERE replied) AS replied,
               count(*) FILTER (WHERE complained) AS complained, count(*) FILTER (WHERE unsubscribed) AS unsubscribed,
               coalesce(sum(opens), 0)::bigint AS opens, coalesce(sum(clicks), 0)::bigint AS clicks,
               max(last_at) AS last_activity_at
        FROM mails
        """,
        {"email": email},
        ContactFigures,
    )
    return found


def list_activities(tx: Tx, keyset: Keyset, email: str) -> tuple[list[ActivityRow], int | None]:
    """A page of what happened with mails to an address."""
    where = Conditions()
    where.add("e.to_email = %(email)s AND v.type = ANY(%(types)s::text[])", email=email, types=list(ACTIVITIES))
    return select_page(
        tx,
        """
        SELECT v.id, v.type, v.occurred_at, e.id AS email_id, e.subject, e.campaign_id,
               (SELECT c.name FROM campaigns c WHERE c.tenant_id = e.tenant_id AND c.mode = e.mode
                AND c.id = e.campaign_id) AS campaign_name, v.data ? 'is_machine' AS is_machine
        FROM emails e JOIN email_events v ON v.tenant_id = e.tenant_id AND v.mode = e.mode AND v.email_id = e.id
        """,
        where,
        keyset,
        _COLUMNS,
        ActivityRow,
        id_column="v.id",
        count_from="FROM emails e JOIN email_events v ON v.tenant_id = e.tenant_id AND v.mode = e.mode AND v.email_id = e.id",
    )
