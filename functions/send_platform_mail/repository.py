"""SQL of the platform's own mail."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.platform_mail import MailType


@dataclass(frozen=True, slots=True)
class MailRow:
    """A queued mail and its recipient."""

    id: UUID
    user_id: UUID | None
    invitation_id: UUID | None
    type: MailType
    attempts: int
    email: str
    name: str
    variables: dict[str, str]


def claim(tx: Tx, mail_id: UUID) -> MailRow | None:
    """Take a mail that is due for five minutes; None when it was sent, or is being sent by somebody else."""
    return tx.one(
        """
        WITH claimed AS (
          UPDATE mail_outbox
          SET status = 'sending', attempts = attempts + 1, next_attempt_at = clock_timestamp() + interval '5 minutes'
          WHERE id = %(id)s AND (status = 'queued' OR (status = 'sending' AND next_attempt_at <= clock_timestamp()))
          RETURNING id, tenant_id, user_id, invitation_id, type, attempts, variables
        )
        SELECT m.id, m.user_id, m.invitation_id, m.type, m.attempts, coalesce(u.email, i.email) AS email,
               coalesce(u.name, '') AS name,
               m.variables || CASE WHEN i.id IS NULL THEN '{}'
                 ELSE jsonb_build_object('inviter', inviter.name, 'company', t.name) END AS variables
        FROM claimed m
        LEFT JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
        LEFT JOIN invitations i ON i.tenant_id = m.tenant_id AND i.id = m.invitation_id
        LEFT JOIN users inviter ON inviter.tenant_id = i.tenant_id AND inviter.id = i.invited_by
        LEFT JOIN tenants t ON t.id = i.tenant_id
        """,
        {"id": mail_id},
        MailRow,
    )


def insert_link_token(
    tx: Tx, *, token_id: UUID, user_id: UUID, purpose: str, token_hash: bytes, expires_at: datetime
) -> None:
    """Keep the hash of the token that a mail carries."""
    tx.run(
        """
        INSERT INTO link_tokens (id, tenant_id, user_id, purpose, token_hash, expires_at)
        VALUES (%(id)s, %(tenant_id)s, %(user_id)s, %(purpose)s, %(hash)s, %(expires_at)s)
        """,
        {
            "id": token_id,
            "tenant_id": tx.tenant_id,
            "user_id": user_id,
            "purpose": purpose,
            "hash": token_hash,
            "expires_at": expires_at,
        },
    )


def keep_invitation_token(tx: Tx, invitation_id: UUID, token_hash: bytes) -> None:
    """Keep the hash of the token that an invitation's newest mail carries."""
    tx.run(
        "UPDATE invitations SET token_hash = %(hash)s WHERE id = %(id)s AND accepted_at IS NULL",
        {"id": invitation_id, "hash": token_hash},
    )


def record_sent(tx: Tx, mail_id: UUID) -> None:
    """The mail server has taken it."""
    tx.run(
        "UPDATE mail_outbox SET status = 'sent', sent_at = clock_timestamp(), last_error = NULL WHERE id = %(id)s",
        {"id": mail_id},
    )


def record_failure(tx: Tx, mail_id: UUID, *, error: str, is_final: bool, delay_seconds: int) -> None:
    """It was not taken: try later, or give up."""
    tx.run(
        """
        UPDATE mail_outbox
        SET status = CASE WHEN %(is_final)s THEN 'failed' ELSE 'queued' END, last_error = %(error)s,
            next_attempt_at = clock_timestamp() + make_interval(secs => %(delay)s)
        WHERE id = %(id)s
        """,
        {"id": mail_id, "error": error, "is_final": is_final, "delay": delay_seconds},
    )
