"""SQL of what is reported about mails."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class MailRow:
    """A mail and the contact who has its recipient's address."""

    id: UUID
    to_email: str
    subject: str
    status: str
    campaign_id: UUID | None
    contact_id: UUID | None
    first_name: str | None
    last_name: str | None


def lock_mail(tx: Tx, email_id: UUID) -> MailRow | None:
    """A mail; reports about the same one wait for each other. One whose recipient was erased learns nothing more."""
    return tx.one(
        """
        SELECT e.id, e.to_email, e.subject, e.status, e.campaign_id, c.id AS contact_id, c.first_name, c.last_name
        FROM emails e
        LEFT JOIN contacts c ON c.tenant_id = e.tenant_id AND c.mode = e.mode AND c.email = e.to_email
        WHERE e.id = %(id)s AND e.to_email <> 'erased@erased.invalid'
        FOR UPDATE OF e
        """,
        {"id": email_id},
        MailRow,
    )


def was_reported(tx: Tx, email_id: UUID, kind: str, bounce: str | None, *, since: datetime | None = None) -> bool:
    """Whether a mail's history has such a report, of a moment or a later one where that is given.

    Hard and soft bounces are two kinds.
    """
    return tx.one(
        """
        SELECT EXISTS (SELECT 1 FROM email_events WHERE email_id = %(id)s AND type = %(kind)s
                       AND (%(bounce)s::text IS NULL OR data ->> 'bounce_type' = %(bounce)s)
                       AND (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s))
        """,
        {"id": email_id, "kind": kind, "bounce": bounce, "since": since},
    )


def set_state(tx: Tx, email_id: UUID, status: str, *, error: str | None) -> None:
    """Raise a mail's state. Nobody needs to send it any more, whatever its worker still believes."""
    tx.run(
        """
        UPDATE emails SET status = %(status)s, error = %(error)s, next_sweep_at = NULL,
                          finished_at = coalesce(finished_at, clock_timestamp())
        WHERE id = %(id)s
        """,
        {"id": email_id, "status": status, "error": error},
    )


def mark_sent(tx: Tx, email_id: UUID, *, provider: str, now: datetime) -> None:
    """Note that a mail was handed over, and let the recipient of a campaign go on from its step."""
    tx.run(
        """
        WITH sent AS (
          UPDATE emails SET status = 'sent', error = NULL, provider = %(provider)s, sent_at = %(now)s,
                            finished_at = %(now)s, next_sweep_at = NULL
          WHERE id = %(id)s RETURNING campaign_id, contact_id, step_id
        )
        UPDATE campaign_contacts r
        SET status = CASE WHEN t.next_step_id IS NULL THEN 'completed' ELSE 'active' END,
            current_step_id = coalesce(t.next_step_id, t.id), steps_completed = r.steps_completed + 1,
            last_email_sent_at = %(now)s,
            next_email_at = CASE WHEN t.next_step_id IS NOT NULL THEN %(now)s::timestamptz END,
            finished_at = CASE WHEN t.next_step_id IS NULL THEN %(now)s::timestamptz END
        FROM sent s
        JOIN campaign_steps t ON t.tenant_id = %(tenant_id)s AND t.mode = %(mode)s AND t.id = s.step_id
        WHERE r.tenant_id = %(tenant_id)s AND r.mode = %(mode)s AND r.campaign_id = s.campaign_id
          AND r.contact_id = s.contact_id
          AND r.status = 'active' AND r.next_email_at IS NULL AND r.current_step_id = s.step_id
        """,
        {"id": email_id, "provider": provider, "now": now, "tenant_id": tx.tenant_id, "mode": tx.mode},
    )


def mark_contact(tx: Tx, email: str, status: Literal["bounced", "unsubscribed"]) -> bool:
    """Take the contact with an address out of use; False when there is none, or it was out of use before."""
    return (
        tx.run(
            """
            UPDATE contacts SET status = %(status)s
            WHERE email = %(email)s AND status <> 'unsubscribed' AND status <> %(status)s
            """,
            {"email": email, "status": status},
        )
        == 1
    )


def count_soft_bounce(tx: Tx, email: str, at: datetime) -> int:
    """Mails in a row to an address that bounced softly, with this one."""
    return tx.one(
        """
        INSERT INTO soft_bounces AS s (tenant_id, mode, email, mails, last_at)
        VALUES (%(tenant_id)s, %(mode)s, %(email)s, 1, %(at)s)
        ON CONFLICT (tenant_id, mode, email) DO UPDATE
        SET mails = s.mails + 1, last_at = greatest(s.last_at, excluded.last_at)
        RETURNING mails
        """,
        {"tenant_id": tx.tenant_id, "mode": tx.mode, "email": email, "at": at},
    )


def forget_soft_bounces(tx: Tx, email: str, *, before: datetime | None = None) -> None:
    """A mail has arrived, which says nothing about bounces since then; without `before` nothing about the address is kept."""
    tx.run(
        """
        DELETE FROM soft_bounces
        WHERE email = %(email)s AND (%(before)s::timestamptz IS NULL OR last_at < %(before)s)
        """,
        {"email": email, "before": before},
    )


def count_engagement(
    tx: Tx, mail: MailRow, kind: Literal["opened", "clicked"], at: datetime, *, is_machine: bool
) -> None:
    """One open or click more, of the mail and of its contact; a machine's counts for the mail alone, and apart."""
    params = {
        "id": mail.id,
        "email": mail.to_email,
        "campaign_id": mail.campaign_id,
        "opened": kind == "opened",
        "at": at,
    }
    if is_machine:
        tx.run(
            """
            UPDATE emails SET machine_opens = machine_opens + %(opened)s::boolean::integer,
                              machine_clicks = machine_clicks + (NOT %(opened)s)::integer
            WHERE id = %(id)s
            """,
            params,
        )
        return
    tx.run(
        """
        UPDATE emails SET opens = opens + %(opened)s::boolean::integer, clicks = clicks + (NOT %(opened)s)::integer
        WHERE id = %(id)s
        """,
        params,
    )
    tx.run(
        """
        UPDATE contacts
        SET total_opens = total_opens + %(opened)s::boolean::integer,
            total_clicks = total_clicks + (NOT %(opened)s)::integer,
            last_email_opened_at = CASE WHEN %(opened)s THEN greatest(last_email_opened_at, %(at)s::timestamptz)
                                        ELSE last_email_opened_at END,
            last_engaged_at = greatest(last_engaged_at, %(at)s::timestamptz),
            last_campaign_id = coalesce(%(campaign_id)s, last_campaign_id)
        WHERE email = %(email)s
        """,
        params,
    )
