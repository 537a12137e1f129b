"""SQL of campaigns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.domain.campaign_states import PausedReason, Status
from penguinmails.domain.removals import remove_rows_later
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {
    "created_at": "c.created_at",
    "updated_at": "c.updated_at",
    "name": "c.name",
}
KINDS = {"created_at": "time", "updated_at": "time", "name": "text"}
_HIGHEST = "\U0010ffff"
_SELECT: LiteralString = """
SELECT c.id, c.name, c.workspace_id, w.slug AS workspace, c.description, c.goal, c.campaign_type, c.status, c.segment_id,
       c.list_id, c.from_email, c.from_name, c.reply_to_email, c.provider, c.start_date, c.end_date, c.timezone, c.send_strategy,
       c.settings, c.created_at, c.updated_at, c.launched_at, c.completed_at,
       c.paused_at, c.paused_reason, c.paused_detail, c.total_contacts, c.audience_taken_at
FROM campaigns c JOIN workspaces w ON w.tenant_id = c.tenant_id AND w.id = c.workspace_id"""

_RESUMED_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """One campaign."""

    id: UUID
    name: str
    workspace_id: UUID
    workspace: str
    description: str | None
    goal: str | None
    campaign_type: str
    status: Status
    segment_id: UUID | None
    list_id: UUID | None
    from_email: str | None
    from_name: str | None
    reply_to_email: str | None
    provider: str | None
    start_date: datetime | None
    end_date: datetime | None
    timezone: str
    send_strategy: str
    settings: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    launched_at: datetime | None
    completed_at: datetime | None
    paused_at: datetime | None
    paused_reason: PausedReason | None
    paused_detail: str | None
    total_contacts: int
    audience_taken_at: datetime | None


def list_campaigns(
    tx: Tx, keyset: Keyset, *, status: str | None, workspace: str | None, search: str | None
) -> tuple[list[CampaignRow], int | None]:
    """A page of campaigns; `search` is how the name begins, in any case."""
    where = Conditions()
    where.add_given("c.status = %(status)s", status=status)
    where.add_given("w.slug = %(workspace)s", workspace=workspace)
    if search is not None:
        # A range in byte order, as LIKE could not use the index under row security.
        where.add("c.name_lower >= lower(%(search)s)", search=search)
        where.add("c.name_lower < lower(%(search)s) || %(highest)s", search=search, highest=_HIGHEST)
    return select_page(tx, _SELECT, where, keyset, COLUMNS, CampaignRow, id_column="c.id")


def find_campaign(tx: Tx, campaign_id: UUID) -> CampaignRow | None:
    """One campaign."""
    return tx.one(_SELECT + " WHERE c.id = %(id)s", {"id": campaign_id}, CampaignRow)


def lock_campaign(tx: Tx, campaign_id: UUID) -> CampaignRow | None:
    """One campaign, locked until the end of the transaction."""
    return tx.one(_SELECT + " WHERE c.id = %(id)s FOR UPDATE OF c", {"id": campaign_id}, CampaignRow)


def insert_campaign(tx: Tx, campaign_id: UUID, values: dict[str, Any]) -> None:
    """Add a draft; raises ForeignKeyViolation for a list or segment that does not exist."""
    tx.run(
        """
        INSERT INTO campaigns (id, tenant_id, mode, workspace_id, name, description, goal, campaign_type, segment_id,
                               list_id, from_email, from_name, reply_to_email, provider, start_date, end_date,
                               timezone, send_strategy, settings, created_by)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(workspace_id)s, %(name)s, %(description)s, %(goal)s,
                %(campaign_type)s, %(segment_id)s, %(list_id)s, %(from_email)s, %(from_name)s, %(reply_to_email)s,
                %(provider)s, %(start_date)s, %(end_date)s, %(timezone)s, %(send_strategy)s, %(settings)s, %(created_by)s)
        """,
        {
            **values,
            "settings": jsonb(values["settings"]),
            "id": campaign_id,
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
        },
    )


def update_campaign(tx: Tx, campaign_id: UUID, values: dict[str, Any]) -> None:
    """Change a campaign; raises ForeignKeyViolation for a list or segment that does not exist.

    A campaign that runs is planned anew at once, as its window or limit may have changed.
    """
    tx.run(
        """
        UPDATE campaigns
        SET workspace_id = %(workspace_id)s, name = %(name)s, description = %(description)s, goal = %(goal)s,
            campaign_type = %(campaign_type)s, segment_id = %(segment_id)s, list_id = %(list_id)s,
            from_email = %(from_email)s, from_name = %(from_name)s, reply_to_email = %(reply_to_email)s, provider = %(provider)s,
            start_date = %(start_date)s, end_date = %(end_date)s, timezone = %(timezone)s,
            send_strategy = %(send_strategy)s, settings = %(settings)s,
            next_plan_at = CASE status WHEN 'active' THEN clock_timestamp()
                                       WHEN 'scheduled' THEN coalesce(%(start_date)s, clock_timestamp()) END
        WHERE id = %(id)s
        """,
        {**values, "settings": jsonb(values["settings"]), "id": campaign_id},
    )


def set_status(tx: Tx, campaign_id: UUID, status: Status, *, plan_at: datetime | None, launched: bool) -> None:
    """Move a campaign to another state, and say when the planner looks at it next."""
    tx.run(
        """
        UPDATE campaigns
        SET status = %(status)s, next_plan_at = %(plan_at)s,
            launched_at = CASE WHEN %(launched)s THEN clock_timestamp() ELSE launched_at END,
            paused_at = NULL, paused_reason = NULL, paused_detail = NULL
        WHERE id = %(id)s
        """,
        {"id": campaign_id, "status": status, "plan_at": plan_at, "launched": launched},
    )


def delete_campaign(tx: Tx, campaign_id: UUID) -> None:
    """Remove a campaign with its steps; its ledger is out of reach from now on."""
    tx.run("DELETE FROM campaigns WHERE id = %(id)s", {"id": campaign_id})
    remove_rows_later(tx, "campaign", campaign_id)


def resume_waiting_emails(tx: Tx, campaign_id: UUID) -> None:
    """Let the sweep take up mails that rest since the campaign was paused, the oldest of very many.

    Those on their way to a worker, or in line, are left alone; no mail rests for more than an hour anyway.
    """
    tx.run(
        """
        UPDATE emails e SET next_sweep_at = clock_timestamp()
        FROM (
          SELECT id FROM emails
          WHERE campaign_id = %(id)s AND status = 'queued' AND attempts = 0
            AND next_sweep_at > clock_timestamp() + interval '5 minutes'
            AND (paced_until IS NULL OR paced_until <= clock_timestamp())
          ORDER BY created_at, id LIMIT %(limit)s FOR UPDATE) resting
        WHERE e.id = resting.id
        """,
        {"id": campaign_id, "limit": _RESUMED_AT_ONCE},
    )


def workspaces(tx: Tx, named: str | None) -> list[UUID]:
    """The workspace of a slug or id; without one the first two of the account, to tell whether there is a choice."""
    return tx.all(
        """
        SELECT id FROM workspaces
        WHERE %(named)s::text IS NULL OR slug = %(named)s OR id::text = lower(%(named)s)
        ORDER BY (slug = %(named)s) DESC LIMIT 2
        """,
        {"named": named},
    )


def max_daily_limit(tx: Tx) -> int:
    """The largest daily limit that a campaign of the account may set."""
    return tx.one("SELECT max_daily_limit FROM tenant_limits WHERE tenant_id = %(id)s", {"id": tx.tenant_id})


def static_lists_among(tx: Tx, list_ids: list[UUID]) -> set[UUID]:
    """Those ids that are of static lists."""
    return set(tx.all("SELECT id FROM lists WHERE id = ANY(%(ids)s::uuid[]) AND type = 'static'", {"ids": list_ids}))
