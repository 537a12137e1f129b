"""SQL of sending."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.outgoing import Following, Sender
from penguinmails.domain.sending import LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class Claim:
    """An email that this worker may send now; `attempts` counts this one."""

    id: UUID
    to_email: str
    from_email: str
    reply_to: str | None
    subject: str
    campaign_id: UUID | None
    attempts: int
    content_key: UUID
    content_text: str
    content_html: str | None
    headers: dict[str, str]
    wanted_provider: str | None
    email_type: str
    track_opens: bool
    track_clicks: bool
    sender_name: str
    postal_address: str | None
    error: str | None
    """Why the attempt before was none."""
    due_at: datetime
    """When it was to go out at first."""
    paced_until: datetime | None
    """When its turn comes, or came, if the account's pace has let it wait."""

    def following(self) -> Following:
        """What is followed of it, and whether it can be unsubscribed from."""
        is_commercial = self.email_type != "transactional"
        sender = Sender(self.sender_name, self.postal_address or "") if is_commercial else None
        return Following(opens=self.track_opens, clicks=self.track_clicks, sender=sender)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that goes with a mail: its content, or where so many bytes of it are stored; neither once it is removed."""

    file_name: str
    content_type: str
    content: bytes | None
    file_key: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """The contact who has a recipient's address."""

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None


def claim(tx: Tx, email_id: UUID, attempts: int) -> Claim | None:
    """Take an email for its next attempt, by compare-and-set.

    None when that attempt was taken, nothing is to be sent, or its turn has not come: another message brings it then.
    """
    return tx.one(
        """
        UPDATE emails e
        SET status = 'sending', attempts = e.attempts + 1,
            next_sweep_at = clock_timestamp() + make_interval(secs => %(lease)s)
        FROM content_objects c, tenants t
        WHERE e.id = %(id)s AND e.status = 'queued' AND e.attempts = %(attempts)s AND t.id = e.tenant_id
          AND t.status = 'active'
          AND (e.paced_until IS NULL OR e.paced_until <= clock_timestamp() + interval '1 second')
          AND c.tenant_id = e.tenant_id AND c.mode = e.mode AND c.storage_key = e.content_key
        RETURNING e.id, e.to_email, e.from_email, e.reply_to, e.subject, e.campaign_id, e.attempts, e.content_key,
                  c.content_text, c.content_html, c.headers, e.wanted_provider,
                  e.email_type, c.track_opens, c.track_clicks, coalesce(t.settings ->> 'company_name', t.name) AS sender_name,
                  t.settings ->> 'postal_address' AS postal_address, e.error,
                  coalesce(e.scheduled_at, e.created_at) AS due_at, e.paced_until
        """,
        {"id": email_id, "attempts": attempts, "lease": LEASE_SECONDS},
        Claim,
    )


def attachments(tx: Tx, content_key: UUID) -> list[FileRow]:
    """The files of a message, in their order."""
    return tx.all(
        """
        SELECT a.file_name, a.content_type, a.content, u.file_key, a.size FROM email_attachments a
        LEFT JOIN email_uploads u ON u.tenant_id = a.tenant_id AND u.mode = a.mode AND u.id = a.upload_id
        WHERE a.content_key = %(key)s ORDER BY a.position
        """,
        {"key": content_key},
        FileRow,
    )


def put_off(tx: Tx, claim: Claim, *, until: datetime, sweep_at: datetime) -> None:
    """Let a claimed email wait for its turn, as if it had not been attempted."""
    tx.run(
        """
        UPDATE emails
        SET status = 'queued', attempts = attempts - 1, paced_until = %(until)s, next_sweep_at = %(sweep_at)s
        WHERE id = %(id)s AND status = 'sending' AND attempts = %(attempts)s
        """,
        {"id": claim.id, "attempts": claim.attempts, "until": until, "sweep_at": sweep_at},
    )


def give_back(tx: Tx, claim: Claim, *, reason: str, seconds: int) -> bool:
    """Let a claimed email wait as if it had not been attempted; False when another worker has taken it since."""
    return (
        tx.run(
            """
            UPDATE emails
            SET status = 'queued', attempts = attempts - 1, error = %(reason)s,
                next_sweep_at = clock_timestamp() + make_interval(secs => %(seconds)s)
            WHERE id = %(id)s AND status = 'sending' AND attempts = %(attempts)s
            """,
            {"id": claim.id, "attempts": claim.attempts, "reason": reason, "seconds": seconds},
        )
        == 1
    )


def find_contact(tx: Tx, email: str) -> ContactRow | None:
    """The contact with an address."""
    return tx.one(
        "SELECT id, email, first_name, last_name FROM contacts WHERE email = %(email)s", {"email": email}, ContactRow
    )


def settle(
    tx: Tx,
    claim: Claim,
    *,
    status: str,
    error: str | None = None,
    provider: str | None = None,
    message_id: str | None = None,
    sent_at: datetime | None = None,
    sweep_after_seconds: int | None = None,
) -> bool:
    """Record the outcome of an attempt; without `sweep_after_seconds` nothing is left to do.

    False when another worker has taken the email since, or a report has come of what became of it: that counts then. An
    email that was taken back while this worker was slower than its lease is sent all the same when it has left.
    """
    touched = tx.run(
        """
        UPDATE emails
        SET status = %(status)s, error = %(error)s, provider = %(provider)s, provider_message_id = %(message_id)s,
            sent_at = %(sent_at)s,
            finished_at = CASE WHEN %(sweep_after)s::integer IS NULL THEN clock_timestamp() END,
            next_sweep_at = clock_timestamp() + make_interval(secs => %(sweep_after)s::integer)
        WHERE id = %(id)s AND attempts = %(attempts)s
          AND (status IN ('queued', 'sending') OR (status = 'cancelled' AND %(status)s = 'sent'))
        """,
        {
            "id": claim.id,
            "attempts": claim.attempts,
            "status": status,
            "error": error,
            "provider": provider,
            "message_id": message_id,
            "sent_at": sent_at,
            "sweep_after": sweep_after_seconds,
        },
    )
    return touched == 1
