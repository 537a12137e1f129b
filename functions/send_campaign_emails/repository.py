"""SQL of sending a batch: claimed by one statement, recorded by one, however many mails there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain import campaign_texts
from penguinmails.domain.bounces import Bounce
from penguinmails.domain.outgoing import Following, Sender
from penguinmails.domain.sending import LEASE_SECONDS

PARKED_SECONDS = 3_600
"""How long mails of a paused campaign rest, unless it is started again before."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail that this worker may send now, with its contact's fields; `attempts` counts this one."""

    id: UUID
    to_email: str
    from_email: str
    reply_to: str | None
    subject: str
    campaign_id: UUID
    content_key: UUID
    attempts: int
    created_at: datetime
    contact_id: UUID | None
    contact_status: str | None
    email: str | None
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
    attributes: dict[str, Any] | None
    track_opens: bool
    track_clicks: bool
    unsubscribe_enabled: bool
    sender_name: str
    postal_address: str | None
    workspace_id: UUID | None
    campaign_type: str
    provider: str | None
    """The account of the tenant's that sends it; the built-in server when None or `smtp`."""
    end_date: datetime | None
    timezone: str
    sending_window: dict[str, Any] | None
    daily_limit: int
    has_answered: bool
    """Where the campaign's pause_on_reply is on."""

    def following(self) -> Following:
        """What is followed of it, and whether it can be unsubscribed from."""
        sender = Sender(self.sender_name, self.postal_address or "") if self.unsubscribe_enabled else None
        return Following(opens=self.track_opens, clicks=self.track_clicks, sender=sender)

    def values(self) -> dict[str, Any]:
        """What the contact can fill the text with."""
        return campaign_texts.values_of(self, self.attributes)


@dataclass(frozen=True, slots=True)
class Content:
    """What the mails of a step share."""

    storage_key: UUID
    content_text: str
    content_html: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. Of `status`, `queued` is tried again; `untried` gives the attempt back.

    `message_id` is under what the provider knows the mail, if not under ours.
    """

    claim: Claim
    status: str
    error: str | None = None
    retry_in_seconds: int | None = None
    bounce: Bounce | None = None
    message_id: str | None = None
    blocks_campaign: bool = False
    """The account's provider takes no mail of it any more, until somebody puts that right."""
    paced_until: datetime | None = None
    """When the turn comes of a mail that the account's pace lets wait."""
    reason: str | None = None
    """Why the recipient leaves, as the ledger's code, where `status` does not say it."""


def claim(tx: Tx, mails: Sequence[tuple[UUID, int]]) -> list[Claim]:
    """Take mails for their next attempt by compare-and-set; not those of a campaign that is paused.

    Nor those whose turn has not come: another message, or the sweep, brings them when it does.
    """
    return tx.all(
        """
        UPDATE emails e
        SET status = 'sending', attempts = e.attempts + 1,
            next_sweep_at = clock_timestamp() + make_interval(secs => %(lease)s)
        FROM unnest(%(ids)s::uuid[], %(attempts)s::integer[]) AS asked (id, attempts)
        JOIN emails m ON m.id = asked.id
        JOIN campaigns c ON c.tenant_id = m.tenant_id AND c.mode = m.mode AND c.id = m.campaign_id AND c.status = 'active'
        JOIN tenants t ON t.id = m.tenant_id AND t.status = 'active'
        LEFT JOIN contacts p ON p.tenant_id = m.tenant_id AND p.mode = m.mode AND p.id = m.contact_id
        WHERE e.id = asked.id AND e.status = 'queued' AND e.attempts = asked.attempts
          AND (e.paced_until IS NULL OR e.paced_until <= clock_timestamp() + interval '1 second')
        RETURNING e.id, e.to_email, e.from_email, e.reply_to, e.subject, e.campaign_id, e.content_key, e.attempts,
                  e.created_at, p.id AS contact_id, p.status AS contact_status, p.email, p.first_name, p.last_name,
                  p.company, p.job_title, p.phone, p.city, p.state, p.country, p.lead_source, p.external_id, p.attributes,
                  coalesce((c.settings ->> 'track_opens')::boolean, true) AS track_opens,
                  coalesce((c.settings ->> 'track_clicks')::boolean, true) AS track_clicks,
                  coalesce((c.settings ->> 'unsubscribe_enabled')::boolean, true) AS unsubscribe_enabled,
                  coalesce(t.settings ->> 'company_name', t.name) AS sender_name,
                  t.settings ->> 'postal_address' AS postal_address, c.workspace_id, c.campaign_type, c.provider,
                  c.end_date, c.timezone,
                  nullif(c.settings -> 'sending_window', 'null') AS sending_window,
                  (c.settings ->> 'daily_limit')::integer AS daily_limit,
                  CASE WHEN (c.settings ->> 'pause_on_reply')::boolean THEN EXISTS (
                    SELECT FROM emails o JOIN email_events v ON v.tenant_id = o.tenant_id AND v.mode = o.mode
                      AND v.email_id = o.id AND v.type = 'replied'
                    WHERE o.tenant_id = m.tenant_id AND o.mode = m.mode AND o.campaign_id = m.campaign_id
                      AND o.contact_id = m.contact_id AND o.step_id IS NOT NULL) ELSE false END AS has_answered
        """,
        {
            "ids": [email_id for email_id, _ in mails],
            "attempts": [attempts for _, attempts in mails],
            "lease": LEASE_SECONDS,
        },
        Claim,
    )


def park(tx: Tx, email_ids: Sequence[UUID]) -> int:
    """Let mails rest whose campaign is paused; starting it again brings them forward. How many there were."""
    return tx.run(
        """
        UPDATE emails e SET next_sweep_at = clock_timestamp() + make_interval(secs => %(parked)s)
        FROM campaigns c
        WHERE e.id = ANY(%(ids)s::uuid[]) AND e.status = 'queued'
          AND (e.paced_until IS NULL OR e.paced_until <= clock_timestamp() + interval '1 second')
          AND c.tenant_id = e.tenant_id AND c.mode = e.mode AND c.id = e.campaign_id AND c.status = 'paused'
        """,
        {"ids": list(email_ids), "parked": PARKED_SECONDS},
    )


def contents(tx: Tx, keys: Sequence[UUID]) -> list[Content]:
    """Stored contents."""
    return tx.all(
        """
        SELECT storage_key, content_text, content_html FROM content_objects
        WHERE storage_key = ANY(%(keys)s::uuid[])
        """,
        {"keys": list(keys)},
        Content,
    )


def record(tx: Tx, columns: dict[str, list[Any]], *, now: datetime) -> set[UUID]:
    """Store a batch's outcomes, their history and where the recipients go on, in one statement.

    The ids of the mails that were still this worker's; for the others, another one's outcome or a report counts.
    """
    settled = tx.all(
        """
        WITH done AS (
          SELECT * FROM unnest(%(ids)s::uuid[], %(attempts)s::integer[], %(statuses)s::text[], %(errors)s::text[],
                               %(providers)s::text[], %(message_ids)s::text[], %(sweep_ats)s::timestamptz[],
                               %(event_ids)s::uuid[], %(types)s::text[], %(data)s::jsonb[], %(reasons)s::text[],
                               %(paced_untils)s::timestamptz[])
            AS d (id, attempts, status, error, provider, message_id, sweep_at, event_id, type, data, reason, paced_until)
        ), settled AS (
          UPDATE emails e
          SET status = CASE WHEN d.status = 'untried' THEN 'queued' ELSE d.status END, error = d.error,
              attempts = CASE WHEN d.status = 'untried' THEN e.attempts - 1 ELSE e.attempts END,
              provider = CASE WHEN d.status = 'sent' THEN d.provider END,
              provider_message_id = CASE WHEN d.status = 'sent' THEN d.message_id END,
              sent_at = CASE WHEN d.status = 'sent' THEN %(now)s::timestamptz END,
              finished_at = CASE WHEN d.sweep_at IS NULL THEN %(now)s::timestamptz END,
              next_sweep_at = d.sweep_at, paced_until = d.paced_until
          FROM done d
          WHERE e.id = d.id AND e.status IN ('queued', 'sending') AND e.attempts = d.attempts
          RETURNING e.id, e.campaign_id, e.contact_id, e.step_id, e.status, d.event_id, d.type, d.data, d.error, d.reason
        ), history AS (
          INSERT INTO email_events (id, tenant_id, mode, email_id, type, data, occurred_at)
          SELECT s.event_id, %(tenant_id)s, %(mode)s, s.id, s.type, s.data, %(now)s
          FROM settled s WHERE s.type IS NOT NULL
        ), ledger AS (
          UPDATE campaign_contacts r
          SET status = CASE WHEN s.status <> 'sent' THEN 'exited'
                            WHEN t.next_step_id IS NULL THEN 'completed' ELSE 'active' END,
              reason = CASE WHEN s.status <> 'sent' THEN coalesce(s.reason, s.status) END,
              current_step_id = CASE WHEN s.status = 'sent' THEN coalesce(t.next_step_id, t.id) ELSE t.id END,
              steps_completed = r.steps_completed + (s.status = 'sent')::integer,
              last_email_sent_at = CASE WHEN s.status = 'sent' THEN %(now)s::timestamptz ELSE r.last_email_sent_at END,
              next_email_at = CASE WHEN s.status = 'sent' AND t.next_step_id IS NOT NULL THEN %(now)s::timestamptz END,
              finished_at = CASE WHEN s.status <> 'sent' OR t.next_step_id IS NULL THEN %(now)s::timestamptz END
          FROM settled s
          JOIN campaign_steps t ON t.tenant_id = %(tenant_id)s AND t.mode = %(mode)s AND t.id = s.step_id
          WHERE r.tenant_id = %(tenant_id)s AND r.mode = %(mode)s AND r.campaign_id = s.campaign_id
            AND r.contact_id = s.contact_id AND s.status <> 'queued'
            AND r.status = 'active' AND r.next_email_at IS NULL AND r.current_step_id = s.step_id
        )
        SELECT id FROM settled
        """,
        {**columns, "tenant_id": tx.tenant_id, "mode": tx.mode, "now": now},
    )
    return set(settled)
