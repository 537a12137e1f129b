"""SQL of the ledger: who is enrolled in a campaign, and where they stand."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"enrolled_at": "r.enrolled_at"}
KINDS = {"enrolled_at": "time"}
_SELECT: LiteralString = """
SELECT r.contact_id AS id, p.email, r.status, c.status AS campaign_status, c.paused_reason, c.paused_detail,
       s.step_order AS step, r.reason, r.steps_completed,
       r.enrolled_at, r.started_at, r.finished_at, r.last_email_sent_at, r.next_email_at
FROM campaign_contacts r
JOIN campaigns c ON c.tenant_id = r.tenant_id AND c.mode = r.mode AND c.id = r.campaign_id
JOIN contacts p ON p.tenant_id = r.tenant_id AND p.mode = r.mode AND p.id = r.contact_id
LEFT JOIN campaign_steps s ON s.tenant_id = r.tenant_id AND s.mode = r.mode AND s.id = r.current_step_id"""


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """One recipient; `id` is the contact's."""

    id: UUID
    email: str
    status: str
    campaign_status: str
    paused_reason: str | None
    paused_detail: str | None
    step: int | None
    reason: str | None
    steps_completed: int
    enrolled_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_email_sent_at: datetime | None
    next_email_at: datetime | None


@dataclass(frozen=True, slots=True)
class MailRow:
    """One mail that a recipient got, or was to get."""

    id: UUID
    step: int | None
    variant: str
    subject: str
    status: str
    attempts: int
    error: str | None
    opens: int
    clicks: int
    created_at: datetime
    sent_at: datetime | None
    next_sweep_at: datetime | None
    paced_until: datetime | None


def list_recipients(
    tx: Tx, keyset: Keyset, campaign_id: UUID, status: str | None
) -> tuple[list[RecipientRow], int | None]:
    """A page of recipients."""
    where = Conditions()
    where.add("r.campaign_id = %(campaign_id)s", campaign_id=campaign_id)
    where.add_given("r.status = %(status)s", status=status)
    return select_page(
        tx,
        _SELECT,
        where,
        keyset,
        COLUMNS,
        RecipientRow,
        id_column="r.contact_id",
        count_from=" FROM campaign_contacts r",
    )


def find_recipient(tx: Tx, campaign_id: UUID, contact_id: UUID) -> RecipientRow | None:
    """One recipient."""
    return tx.one(
        _SELECT + " WHERE r.campaign_id = %(campaign_id)s AND r.contact_id = %(contact_id)s",
        {"campaign_id": campaign_id, "contact_id": contact_id},
        RecipientRow,
    )


def mails_of(tx: Tx, campaign_id: UUID, contact_id: UUID) -> list[MailRow]:
    """The mails of a recipient, oldest first."""
    return tx.all(
        """
        SELECT e.id, s.step_order AS step, e.variant, e.subject, e.status, e.attempts, e.error, e.opens, e.clicks,
               e.created_at, e.sent_at, e.next_sweep_at, e.paced_until
        FROM emails e
        LEFT JOIN campaign_steps s ON s.tenant_id = e.tenant_id AND s.mode = e.mode AND s.id = e.step_id
        WHERE e.campaign_id = %(campaign_id)s AND e.contact_id = %(contact_id)s AND e.step_id IS NOT NULL
        ORDER BY e.created_at, e.id
        """,
        {"campaign_id": campaign_id, "contact_id": contact_id},
        MailRow,
    )


def any_enrolled(tx: Tx, campaign_id: UUID) -> bool:
    """Whether somebody is enrolled already."""
    return tx.one("SELECT EXISTS (SELECT 1 FROM campaign_contacts WHERE campaign_id = %(id)s)", {"id": campaign_id})


def note_enrolled(tx: Tx, campaign_id: UUID, added: int) -> None:
    """Count recipients who were enrolled one by one, and have a running campaign planned at once."""
    tx.run(
        """
        UPDATE campaigns
        SET total_contacts = total_contacts + %(added)s,
            next_plan_at = CASE WHEN status = 'active' THEN clock_timestamp() ELSE next_plan_at END
        WHERE id = %(id)s
        """,
        {"id": campaign_id, "added": added},
    )
