"""Mail that the platform itself sends to its users: what is queued, and what it says.

A queued mail names its type and its user only. The token of its link is made when the mail is sent, and only its hash
is stored, so no table and no queue ever holds a working link.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.events import outbox
from penguinmails.ids import new_uuid7
from penguinmails.settings import get_settings

MailType = Literal["verify_email", "reset_password", "account_exists"]
LinkPurpose = Literal["verify_email", "reset_password"]


def queue_mail(tx: Tx, *, user_id: UUID, mail_type: MailType, dedupe_key: str) -> None:
    """Queue a mail in the transaction of its cause; a second one with the same dedupe key is not sent."""
    mail_id = new_uuid7()
    inserted = tx.run(
        """
        INSERT INTO mail_outbox (id, tenant_id, user_id, type, dedupe_key)
        VALUES (%(id)s, %(tenant_id)s, %(user_id)s, %(type)s, %(dedupe_key)s)
        ON CONFLICT (tenant_id, dedupe_key) DO NOTHING
        """,
        {"id": mail_id, "tenant_id": tx.tenant_id, "user_id": user_id, "type": mail_type, "dedupe_key": dedupe_key},
    )
    if inserted:
        outbox.enqueue(tx, "platform_mail", {"mail_id": mail_id})


@dataclass(frozen=True, slots=True)
class MailText:
    """Subject and plain text of a mail."""

    subject: str
    text: str


def compose(mail_type: MailType, *, name: str, token: str | None) -> MailText:
    """The words of a mail; `token` is put into the link's fragment, which browsers never send to a server."""
    base = get_settings().public_url
    if mail_type == "verify_email":
        return MailText(
            "Confirm your e-mail address",
            f"Hello {name},\n\nplease confirm your e-mail address:\n\n{base}/verify-email#token={token}\n\n"
            "The link works once, within 24 hours. If you did not sign up, ignore this mail.\n",
        )
    if mail_type == "reset_password":
        return MailText(
            "Choose a new password",
            f"Hello {name},\n\nchoose a new password here:\n\n{base}/reset-password#token={token}\n\n"
            "The link works once, within one hour. If you did not ask for it, ignore this mail: nothing has changed.\n",
        )
    return MailText(
        "You already have an account",
        f"Hello {name},\n\nsomebody, probably you, tried to sign up with this address, but it has an account already. "
        f"Sign in at {base}, or ask there for a new password.\n",
    )
